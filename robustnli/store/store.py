"""The store: what may be done with curated examples, each a transaction of its own."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import Connection, Engine, Text, cast, func, insert, select, update

from robustnli import config
from robustnli.curated import Entry, Opinion, Said, Verdict, changed_words, entry_uid, opinion_on
from robustnli.errors import InputError
from robustnli.store import database, rows
from robustnli.store.history import PARTS_OF, act, last, named, now, record
from robustnli.store.query import Facets, Query, conditions, hidden, ids
from robustnli.store.tables import action, change, entry, opinion, said, tag
from robustnli.store.undo import live, put_removed, put_text, undo
from robustnli.types import Label, Pair, Word

LONGEST = 200  # characters of a tag, a recipe, an author's or a model's name


@dataclass(frozen=True, slots=True)
class Added:
    """The uids of entries that are new now, and of those that were there already (or came twice in one call)."""

    new: tuple[str, ...]
    known: tuple[str, ...]


def open_store(url: str | None = None) -> Store:
    """The store of that address, else of `config.database_url()`, made and brought to the newest version where need be."""
    return Store(database.connect(config.database_url() if url is None else url))


class Store:
    """Curated examples in a database. Threads and processes may share it; `open_store` makes one."""

    def __init__(self, engine: Engine):
        self._engine = engine

    def __enter__(self) -> Store:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def where(self) -> str:
        """Where the entries lie: a file's path, or an address without its password."""
        return database.shown(self._engine.url)

    def close(self) -> None:
        """Close all connections; the store opens new ones when it is used again."""
        self._engine.dispose()

    # ---- reading

    def get(self, uid: str) -> Entry:
        """The entry of that uid. Raises InputError when there is none, or not any more."""
        with database.reading(self._engine) as db:
            return next(iter(_find(db, [uid]).values()))

    def entries(self, query: Query | None = None) -> list[Entry]:
        """The entries that fit, in the query's order."""
        with database.reading(self._engine) as db:
            found = db.execute(ids(query or Query(), self._dialect)).scalars().all()
            return list(rows.read(db, found).values())

    def each(self, query: Query | None = None) -> Iterator[Entry]:
        """The entries that fit, one after the other, a few hundred in memory. One removed on the way is left out."""
        query = query or Query()
        with database.reading(self._engine) as db:
            found = db.execute(ids(query, self._dialect)).scalars().all()
        for part in rows.chunks(found):
            with database.reading(self._engine) as db:
                still = set(db.execute(select(entry.c.id).where(entry.c.id.in_(part), hidden(query.removed))).scalars())
                values = rows.read(db, [number for number in part if number in still])
            yield from values.values()

    def count(self, query: Query | None = None) -> int:
        """How many entries fit; limit and offset do not matter."""
        with database.reading(self._engine) as db:
            return db.execute(select(func.count()).select_from(entry).where(*conditions(query or Query(), self._dialect))).scalar_one()

    def uids(self, query: Query | None = None) -> list[str]:
        """The uids of the entries that fit, in the query's order."""
        with database.reading(self._engine) as db:
            return list(db.execute(ids(query or Query(), self._dialect).with_only_columns(entry.c.uid)).scalars())

    def pairs(self, query: Query | None = None) -> list[tuple[str, Pair, Label | None]]:
        """(uid, edited pair, its label where a person gave one) of the entries that fit, in the query's order."""
        columns = (entry.c.uid, entry.c.edited_premise, entry.c.edited_hypothesis, entry.c.gold_after)
        with database.reading(self._engine) as db:
            found = db.execute(ids(query or Query(), self._dialect).with_only_columns(*columns))
            return [(uid, Pair(premise, hypothesis), None if gold is None else Label(gold)) for uid, premise, hypothesis, gold in found]

    def agreement(self, query: Query | None = None) -> tuple[int, int]:
        """(how many of the entries that fit two or more people have judged, how many of those they judged alike)."""
        said_as = func.count((opinion.c.verdict + func.coalesce(cast(opinion.c.label, Text), "")).distinct())
        statement = select(said_as).join_from(entry, opinion).where(*conditions(query or Query(), self._dialect), opinion.c.live)
        with database.reading(self._engine) as db:
            kinds = list(db.execute(statement.group_by(entry.c.id).having(func.count() > 1)).scalars())
        return len(kinds), sum(kind == 1 for kind in kinds)

    def version(self) -> int:
        """A number that is another one after every write: what was read before it may be read again."""
        with database.reading(self._engine) as db:
            return int(db.execute(select(func.coalesce(func.max(action.c.id), 0))).scalar_one())

    def facets(self, query: Query | None = None) -> Facets:
        """How many of the entries that fit have which tag, recipe, author, verdict, and which model they flipped."""
        fits = conditions(query or Query(), self._dialect)
        own = entry.c.recipe, entry.c.author, entry.c.verdict
        tags = select(tag.c.name, func.count()).join_from(entry, tag).where(*fits).group_by(tag.c.name)
        flips = select(said.c.model, func.count(entry.c.id.distinct())).join_from(entry, said).where(*fits, said.c.flipped)
        with database.reading(self._engine) as db:
            rows_of = db.execute(select(*own, func.count()).where(*fits).group_by(*own)).all()
            recipes, authors, verdicts = (_most_first((row[n], row[3]) for row in rows_of) for n in range(3))
            of_tags, models = (_most_first(tuple(row) for row in db.execute(found)) for found in (tags, flips.group_by(said.c.model)))
        judged = {Verdict(name): number for name, number in verdicts.items()}
        return Facets(of_tags, recipes, authors, models, judged, sum(judged.values()))

    def last(self, author: str) -> str | None:
        """What `undo` would undo, in words; None when there is nothing."""
        with database.reading(self._engine) as db:
            done = last(db, author)
            return None if done is None else str(done.said_as)

    # ---- writing

    def add(self, entries: Iterable[Entry], by: str = "") -> Added:
        """Keep entries; those whose text is there already stay as they are. `by` may undo it, else each entry's author.

        Raises InputError for an entry whose uid or opinions do not fit its content; then none is kept.
        """
        values = [_checked(value) for value in entries]
        with database.writing(self._engine) as db:
            there = live(db, [value.uid for value in values])
            first: dict[str, Entry] = {}
            for value in values:
                first.setdefault(value.uid, value)
            new = [value for uid, value in first.items() if uid not in there]
            self._keep(db, new, by)
        came = Counter(value.uid for value in values)
        known = tuple(uid for uid, times in came.items() if uid in there or times > 1)
        return Added(tuple(value.uid for value in new), known)

    def _keep(self, db: Connection, new: Sequence[Entry], by: str) -> None:
        """Insert entries, as one action of each person who may undo it."""
        mine: dict[str, list[Entry]] = {}
        for value in new:
            mine.setdefault(by or value.author, []).append(value)
        numbers = {who: act(db, who, "add", f"added {named(part)}", {"entries": []}) for who, part in mine.items()}
        made: dict[str, list[int]] = {who: [] for who in mine}
        for one, value in zip(rows.write(db, new, [numbers[by or value.author] for value in new]), new, strict=True):
            made[by or value.author].append(one)
        for who, part in made.items():
            db.execute(update(action).where(action.c.id == numbers[who]).values(data={"entries": part}))

    def judge(self, uids: Sequence[str], author: str, verdict: Verdict, label: Label | None = None, note: str = "") -> list[Entry]:
        """Give each entry the author's opinion, in place of the one he gave before. PENDING takes it back.

        Anybody may judge anybody's entry. Raises InputError for a verdict and label that do not go together; then none is judged.
        """
        _must_be_named(author)
        with database.writing(self._engine) as db:
            found = _find(db, uids, "judge")
            given = {number: _opinion(value, author, verdict, label, note) for number, value in found.items()}
            mine = {n: next((o for o in value.opinions if o.author == author), None) for n, value in found.items()}
            new = {n: one for n, one in given.items() if not _same(mine[n], one)}
            if new:
                what = f"judged {named(found[n] for n in new)} as {verdict.value}"
                statement = insert(opinion).returning(opinion.c.id, sort_by_parameter_order=True)
                out = [rows.opinion_out(n, found[n].uid, one, live=False) for n, one in new.items()]
                made = list(db.execute(statement, out).scalars())
                self._done(db, author, "judge", what, {n: found[n] for n in new}, {"opinions": made})
        return self._read(list(found))

    def edit(
        self,
        uid: str,
        author: str,
        *,
        edited: Pair | None = None,
        note: str | None = None,
        changed: tuple[Word, ...] | None = None,
        said: tuple[Said, ...] | None = None,
    ) -> Entry:
        """Change the edited pair or the note of one's own entry.

        Another text is another uid: opinions on the old text no longer count, and what models said of it goes, unless `said` says what
        they say of the new one; `changed` defaults to the words that differ. Raises InputError where another entry has that text.
        """
        _must_be_named(author)
        with database.writing(self._engine) as db:
            ((number, value),) = _own(_find(db, [uid]), author).items()
            pair = value.edited if edited is None else edited
            new_uid = entry_uid(value.original, pair, value.gold_before)
            if new_uid != uid and live(db, [new_uid]):
                raise InputError(
                    f"this text is there already, as entry {new_uid}. Nothing was changed; open that one, or choose another text."
                )
            if new_uid == uid:
                words, models = value.changed if changed is None else changed, value.said if said is None else said
            else:
                words, models = changed_words(value.original, pair) if changed is None else changed, said or ()
            new = replace(value, uid=new_uid, edited=pair, note=value.note if note is None else note, changed=words, said=models)
            if new != value:
                put_text(db, number, value, pair, new.note, words)
                rows.put_said(db, number, rows.said_out(models))
                self._done(db, author, "edit", f"edited {named([value])}", {number: value}, {"before": _before(value)})
        return self._read([number])[0]

    def tag(self, uids: Sequence[str], author: str, add: Iterable[str] = (), remove: Iterable[str] = ()) -> list[Entry]:
        """Add tags to one's own entries, and take tags away."""
        _must_be_named(author)
        more, less = _tags(add), set(_tags(remove))
        with database.writing(self._engine) as db:
            found = _own(_find(db, uids, "tag"), author)
            tags = {n: tuple(dict.fromkeys(t for t in (*value.tags, *more) if t not in less)) for n, value in found.items()}
            new = {n: value for n, value in found.items() if tags[n] != value.tags}
            if new:
                rows.put_tags(db, {n: tags[n] for n in new})
                before = {str(n): value.tags for n, value in new.items()}
                self._done(db, author, "tag", f"changed the tags of {named(new.values())}", new, {"before": before})
        return self._read(list(found))

    def remove(self, uids: Sequence[str], author: str) -> None:
        """Hide one's own entries. `undo` and `restore` bring them back."""
        _must_be_named(author)
        with database.writing(self._engine) as db:
            found = _own(_find(db, uids, "remove"), author)
            put_removed(db, author, list(found), True)
            if found:
                self._done(db, author, "remove", f"removed {named(found.values())}", found, {})

    def restore(self, uids: Sequence[str], author: str) -> list[Entry]:
        """Bring one's own removed entries back. Raises InputError where the same text was added again."""
        _must_be_named(author)
        with database.writing(self._engine) as db:
            found = _own(_find(db, uids, "restore"), author)
            taken = live(db, [value.uid for value in found.values()])
            if taken:
                raise InputError(f"entry {next(iter(taken))} is there: it was added again, or never removed. Nothing was changed.")
            put_removed(db, author, list(found), False)
            if found:
                self._done(db, author, "restore", f"brought back {named(found.values())}", found, {})
        return self._read(list(found))

    def undo(self, author: str) -> str | None:
        """Undo the author's newest action that is not undone; what was undone, in a sentence, or None when there is nothing left."""
        with database.writing(self._engine) as db:
            done = last(db, author)
            return None if done is None else undo(db, author, done)

    @property
    def _dialect(self) -> str:
        return self._engine.dialect.name

    def _read(self, numbers: Sequence[int]) -> list[Entry]:
        with database.reading(self._engine) as db:
            return list(rows.read(db, numbers).values())

    def _done(self, db: Connection, author: str, kind: str, what: str, before: dict[int, Entry], data: dict[str, Any]) -> None:
        """After a change: note the action, what follows from it, and the history."""
        numbers = list(before)
        number = act(db, author, kind, what, {"entries": numbers, **data})
        rows.settle(db, numbers, number)
        record(db, author, before, rows.read(db, numbers, PARTS_OF[kind]))


def _most_first(counts: Iterable[tuple[str, int]]) -> dict[str, int]:
    """The sum of each name's counts, most first."""
    total: Counter[str] = Counter()
    for name, number in counts:
        total[name] += number
    return dict(sorted(total.items(), key=lambda item: (-item[1], item[0])))


def _find(db: Connection, uids: Sequence[str], kind: str = "") -> dict[int, Entry]:
    """The entries of those uids, by id, in the order of `uids`, with what an action of that kind can change; all of it without a kind.

    Raises InputError where one is not there.
    """
    removed = kind == "restore"
    wanted = list(dict.fromkeys(uids))
    found = live(db, wanted, removed=removed)
    missing = [uid for uid in wanted if uid not in found]
    if missing:
        newer = db.execute(
            select(entry.c.uid).join_from(change, entry).where(change.c.field == "uid", change.c.before == missing[0], ~entry.c.removed)
        ).scalar()
        why = f"Its text was edited since: it is {newer} now." if newer else "It was removed, or is in another database."
        raise InputError(f"no {'removed ' if removed else ''}entry {missing[0]!r}. {why}")
    return rows.read(db, [found[uid] for uid in wanted], PARTS_OF.get(kind, rows.PARTS))


def _own(found: dict[int, Entry], author: str) -> dict[int, Entry]:
    """`found`, if all are the author's or nobody's. Raises InputError."""
    others = [value for value in found.values() if value.author not in ("", author)]
    if others:
        raise InputError(
            f"{named(others[:1])} belongs to {others[0].author!r}, so only they may change or remove it. You may judge it: give your own opinion."
        )
    return found


def _opinion(value: Entry, author: str, verdict: Verdict, label: Label | None, note: str) -> Opinion:
    try:
        return opinion_on(value, author, verdict, label, note, now())
    except InputError as error:
        raise InputError(f"{named([value])}: {error} Nothing was changed.") from error


def _must_be_named(author: str) -> None:
    if not author.strip():
        raise InputError("who does this? Give a name first: a change without an author cannot be undone.")
    _short(author, "an author's name")


def _short(name: str, what: str) -> str:
    """`name`, if it is short enough for an index of any database. Raises InputError."""
    if len(name) > LONGEST:
        raise InputError(f"{name[:40]!r}… is too long for {what}: {len(name):,} characters, at most {LONGEST} are kept. Shorten it.")
    return name


def _checked(value: Entry) -> Entry:
    """The entry as it is kept: no tag twice, one opinion an author, a time. Raises InputError where its parts do not fit."""
    uid = entry_uid(value.original, value.edited, value.gold_before)
    if value.uid != uid:
        raise InputError(f"entry {value.uid!r} does not have the content that its uid says; that would be {uid}. Make the uid anew.")
    opinions = {
        o.author: opinion_on(value, o.author, o.verdict, o.label, o.note, o.at) for o in value.opinions if o.verdict is not Verdict.PENDING
    }
    names = [(value.author, "an author's name"), (value.recipe, "a recipe"), *((one.model, "a model's name") for one in value.said)]
    for name, what in names + [(author, "an author's name") for author in opinions]:
        _short(name, what)
    return replace(value, tags=_tags(value.tags), opinions=tuple(opinions.values()), created=value.created or now())


def _tags(names: Iterable[str]) -> tuple[str, ...]:
    """Tags, each once, without white space around; empty ones are left out."""
    return tuple(dict.fromkeys(_short(name.strip(), "a tag") for name in names if name.strip()))


def _same(old: Any, new: Any) -> bool:
    """Whether an opinion says what the one before it said; none and PENDING are the same."""
    if old is None or new.verdict is Verdict.PENDING:
        return old is None and new.verdict is Verdict.PENDING
    return (old.verdict, old.label, old.note) == (new.verdict, new.label, new.note)


def _before(value: Entry) -> dict[str, Any]:
    """What an edit may change, as JSON."""
    edited = [value.edited.premise, value.edited.hypothesis]
    return {"edited": edited, "note": value.note, "changed": rows.words_out(value.changed), "said": rows.said_out(value.said)}
