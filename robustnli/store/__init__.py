"""Curated examples kept in a database: SQLite in the user's data folder, or PostgreSQL. The only place that knows SQLAlchemy.

Every write is one transaction: it is in the database whole when its method returns, and not at all when the method raises or the
process dies. Writers take turns. Nothing is deleted: a removed entry is hidden, and each action of an author can be undone, the last
first, also after a restart. `Store` takes author names as they are; who may call himself what is asked elsewhere.
"""

from robustnli.store.query import Facets, Query
from robustnli.store.store import Added, Store, open_store

__all__ = ["Added", "Facets", "Query", "Store", "open_store"]
