"""Curated examples out of and into files: export in six formats, import of any of them and of plain pairs, replay on other checkpoints.

export_to(PATH_OR_STREAM, entries, "zip", About(...))    `FORMATS` says what each format carries
preview(PATH), read_entries(PATH, mapping)               all of a file or nothing; bad rows by number
replay(entries, model, fingerprint, predict)             which of them still flip the model
Stored(store, query)                                     entries to export that stay in the database until they are written
push("owner/name", entries, token)                       a data set folder to the hub
"""

from __future__ import annotations

from robustnli.exchange.about import About
from robustnli.exchange.hub import push
from robustnli.exchange.importing import FIELDS, Imported, Preview, Problem, preview, read_entries
from robustnli.exchange.replaying import Again, Drift, replay
from robustnli.exchange.stored import Stored
from robustnli.exchange.writing import FORMATS, Exported, Format, Written, export_to, format_of

__all__ = [
    "FIELDS", "FORMATS", "About", "Again", "Drift", "Exported", "Format", "Imported", "Preview", "Problem", "Stored", "Written", "export_to",
    "format_of", "preview", "push", "read_entries", "replay",
]  # fmt: skip
