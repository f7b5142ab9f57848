"""Entries of a store as a collection that is read anew, a few hundred at a time, on each pass over it."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from robustnli.curated import Entry

if TYPE_CHECKING:
    from robustnli.store import Query, Store

_PART = 500


class Stored(Collection[Entry]):
    """The entries that fit a query, by uid, as of now: one that fits later is not among them, one edited or removed later is left out."""

    def __init__(self, store: Store, query: Query):
        self._store, self._query = store, query
        self._uids = store.uids(query)

    def __len__(self) -> int:
        return len(self._uids)

    def __iter__(self) -> Iterator[Entry]:
        for start in range(0, len(self._uids), _PART):
            part = tuple(self._uids[start : start + _PART])
            yield from self._store.each(replace(self._query, uids=part, limit=None, offset=0))

    def __contains__(self, value: object) -> bool:
        return isinstance(value, Entry) and value.uid in self._uids
