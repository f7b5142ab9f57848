"""Alembic migrations of the store: each brings a database one version further. Forward only."""
