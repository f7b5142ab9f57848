"""The store of curated examples, on SQLite and on PostgreSQL: what goes in comes out, who may do what, and everything can be undone."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from robustnli.curated import Entry, Opinion, Said, Verdict, entry_uid
from robustnli.errors import InputError
from robustnli.store import Query, Store, open_store
from robustnli.store.tables import restored, storable
from robustnli.types import Label, Pair, Prediction, Word
from tests.entries import entries, entry

E, N, C = Label
PENDING, KEEP, RELABEL, UNSURE, REJECT = Verdict
any_text = st.text(st.characters(exclude_categories=()) | st.sampled_from("\x00\x1b\ud800\udfff"), max_size=12)


@pytest.fixture
def store(database: str) -> Iterator[Store]:
    with open_store(database) as opened:
        yield opened


def pending(number: int, by: str = "ann", **parts: object) -> Entry:
    return replace(entry(number, PENDING, by=by), history=(), **parts)


def unhistoried(store: Store, **query: object) -> list[Entry]:
    return [replace(e, history=()) for e in store.entries(Query(order="oldest", **query))]


# ---- in and out


def test_adding_twice_says_so(store: Store, database: str) -> None:
    first, second = entry(1), entry(2)
    assert store.add([first, second, first]).new == (first.uid, second.uid)
    with open_store(database) as other:
        added = other.add([second, entry(3), replace(first, note="another note")])
    assert (added.new, added.known) == ((entry(3).uid,), (second.uid, first.uid))
    assert store.get(first.uid) == first and store.count() == 3
    assert store.add([entry(4), entry(4)]).known == (entry(4).uid,)
    assert store.add([]).new == ()


def test_what_does_not_fit_is_refused_whole(store: Store) -> None:
    bad_uid, bad_label = replace(entry(2), uid="0" * 16), replace(entry(2), opinions=(Opinion("ann", RELABEL, N),))
    for bad in (bad_uid, bad_label, replace(entry(2), tags=("x" * 201,)), replace(entry(2), author="x" * 201)):
        with pytest.raises(InputError):
            store.add([entry(1), bad])
    assert store.count() == 0 and store.undo("ann") is None


def test_an_entry_that_is_not_there(store: Store) -> None:
    with pytest.raises(InputError, match="no entry 'beef'"):
        store.get("beef")


def stored_form(value: Entry) -> Entry:
    """What the store promises to keep: tags without white space around, each once; no opinion that says nothing; a time."""
    tags = tuple(dict.fromkeys(t.strip() for t in value.tags if t.strip()))
    return replace(value, tags=tags, opinions=tuple(o for o in value.opinions if o.verdict is not PENDING))


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(value=entries(), hypothesis=any_text, note=any_text, tag=any_text, author=any_text, model=any_text)
def test_any_entry_comes_back_as_it_was(store: Store, value: Entry, hypothesis: str, note: str, tag: str, author: str, model: str) -> None:
    edited = Pair(value.edited.premise, hypothesis)
    uid = entry_uid(value.original, edited, value.gold_before)
    said = (*value.said, Said(model, "f", Prediction((0.1, 0.2, 0.7)), Prediction((1 / 3, 1 / 3, 1 / 3))))
    opinions = tuple(
        {o.author: o for o in (replace(o, author=author if o.author == value.author else o.author) for o in value.opinions)}.values()
    )
    value = replace(value, uid=uid, edited=edited, note=note, tags=(*value.tags, tag), author=author, said=said, opinions=opinions)
    value = replace(value, created=value.created or "2026-01-01T00:00:00+00:00")
    assert store.add([value]).new == (uid,)
    assert store.get(uid) == stored_form(value)
    assert store.entries(Query(text=note, uids=(uid,))) == [stored_form(value)]
    assert store.facets().authors == {author: 1}
    store.undo(author)  # so that the next one may have the same text
    assert store.count() == 0


@given(any_text)
def test_text_that_no_database_takes(text: str) -> None:
    kept = storable(text)
    assert restored(kept) == text and "\x00" not in kept
    kept.encode()
    assert storable("plain Ünï\t\U0001f600") == "plain Ünï\t\U0001f600"


def test_a_time_is_given_where_there_is_none(store: Store) -> None:
    store.add([pending(1, created="")])
    assert store.get(pending(1).uid).created.startswith("20")


# ---- which entries


def fits(value: Entry, q: Query) -> bool:
    """What a query means, said once more over values."""
    text = " ".join((*vars_of(value.original), *vars_of(value.edited), value.note)).casefold()
    judges = {o.author for o in value.opinions}
    return (
        (not q.verdicts or value.verdict in q.verdicts)
        and (not q.tags or bool(set(q.tags) & set(value.tags)))
        and (not q.recipes or value.recipe in q.recipes)
        and (not q.authors or value.author in q.authors)
        and all(word in text for word in q.text.casefold().split())
        and (not q.flipped or any(s.flipped and s.model in q.flipped for s in value.said))
        and (not q.judged_by or q.judged_by in judges)
        and (not q.not_judged_by or q.not_judged_by not in judges)
        and (q.uids is None or value.uid in q.uids)
    )


def vars_of(pair: Pair) -> tuple[str, str]:
    return pair.premise, pair.hypothesis


def a_crowd(rng: random.Random, size: int) -> list[Entry]:
    """Entries that differ in everything a query asks for."""
    out = []
    for n in range(size):
        value = entry(n, PENDING, gold=rng.choice((E, N, C)), by=rng.choice(("ann", "bob")))
        judges = rng.sample(("ann", "bob", "cy"), rng.randrange(3))
        opinions = tuple(Opinion(who, *rng.choice(((KEEP, value.gold_before), (UNSURE, None), (REJECT, None)))) for who in judges)
        note = rng.choice(("", "100% sure_thing", "Straße İstanbul", "tram 3"))
        tags = tuple(rng.sample(("tram", "ok", "Ä"), rng.randrange(3)))
        said = tuple(rng.sample(value.said, rng.randrange(3)))
        out.append(replace(value, opinions=opinions, note=note, tags=tags, said=said, recipe=rng.choice(("mask", "by hand"))))
    return out


QUERIES = [
    Query(verdicts=(KEEP, REJECT)), Query(verdicts=(PENDING,)), Query(tags=("ok", "Ä")), Query(tags=("none",)), Query(recipes=("mask",)),
    Query(authors=("bob",)), Query(text="100%"), Query(text="E_T"), Query(text="STRASSE  istanbul"), Query(text="TRAM 3"), Query(text="%"),
    Query(flipped=("baseline",)), Query(flipped=("baseline", "finetuned")), Query(judged_by="bob"), Query(not_judged_by="bob"),
    Query(judged_by="ann", not_judged_by="cy", recipes=("by hand",), tags=("tram",)), Query(uids=()), Query(text="\x00"),
]  # fmt: skip


def test_a_query_finds_what_it_means(store: Store) -> None:
    crowd = a_crowd(random.Random(4), 120)
    store.add(crowd)
    known = unhistoried(store)
    assert [e.uid for e in known] == [e.uid for e in crowd]
    for query in (*QUERIES, Query(uids=(*(e.uid for e in crowd[3:9]), "x'; --"))):
        found, meant = store.uids(replace(query, order="oldest")), [e.uid for e in known if fits(e, query)]
        assert found == meant, query
        assert store.count(query) == len(meant)
        assert [e.uid for e in store.entries(query)] == [e.uid for e in store.each(query)] == meant[::-1]
    assert sum(0 < len([e for e in known if fits(e, q)]) < 120 for q in QUERIES) >= 12  # the queries do tell entries apart


def test_facets_are_counts(store: Store) -> None:
    crowd = a_crowd(random.Random(5), 60)
    store.add(crowd)
    store.remove([e.uid for e in crowd[:3] if e.author == "ann"], "ann")
    for query in (Query(), Query(removed=True), *QUERIES):
        left, facets = store.entries(query), store.facets(query)
        assert facets.total == len(left) == sum(facets.verdicts.values())
        assert facets.tags == {t: sum(t in e.tags for e in left) for t in {t for e in left for t in e.tags}}
        assert facets.authors == {a: sum(a == e.author for e in left) for a in {e.author for e in left}}
        assert facets.recipes == {r: sum(r == e.recipe for e in left) for r in {e.recipe for e in left}}
        flipped = [s.model for e in left for s in e.said if s.flipped]
        assert facets.models == {m: flipped.count(m) for m in set(flipped)}
        assert facets.verdicts == {v: sum(v is e.verdict for e in left) for v in {e.verdict for e in left}}
        two = [e.agreement for e in left if e.agreement is not None]
        assert store.agreement(query) == (len(two), sum(two))
        assert store.pairs(query) == [(e.uid, e.edited, e.gold_after) for e in left]
    assert list(store.facets().recipes.values()) == sorted(store.facets().recipes.values(), reverse=True)


def test_order_and_pages(store: Store) -> None:
    made = [pending(n) for n in range(7)]
    store.add(made)
    uids = [e.uid for e in made]
    store.judge([uids[2]], "bob", REJECT)
    assert store.uids(Query(order="oldest")) == uids and store.uids() == uids[::-1]
    assert store.uids(Query(order="changed"))[0] == uids[2]
    pages = [store.uids(Query(order="oldest", limit=3, offset=n)) for n in (0, 3, 6, 9)]
    assert pages == [uids[:3], uids[3:6], uids[6:], []]
    assert store.uids(Query(order="oldest", offset=5)) == uids[5:] and store.uids(Query(limit=0)) == []
    assert store.count(Query(limit=2, offset=1)) == 7
    for bad in ({"limit": -1}, {"offset": -1}, {"order": "best"}):
        with pytest.raises(InputError):
            Query(**bad)


def test_tens_of_thousands_of_uids_in_one_query(store: Store) -> None:
    store.add([pending(1)])
    assert store.count(Query(uids=(*(f"{n:016x}" for n in range(40_000)), pending(1).uid))) == 1


def test_a_version_for_each_write(store: Store) -> None:
    seen = [store.version()]
    uid = store.add([pending(1)]).new[0]
    for write in (
        lambda: store.judge([uid], "bob", KEEP), lambda: store.edit(uid, "ann", note="n"), lambda: store.tag([uid], "ann", add=["t"]),
        lambda: store.remove([uid], "ann"), lambda: store.restore([uid], "ann"), lambda: store.undo("ann"),
    ):  # fmt: skip
        seen.append(store.version())
        write()
    seen.append(store.version())
    assert seen == sorted(set(seen))
    store.add([pending(1)])
    assert store.version() == seen[-1] or store.count() == 1


# ---- judging


def test_the_owners_and_a_second_opinion(store: Store) -> None:
    uid = store.add([pending(1)]).new[0]
    (judged,) = store.judge([uid], "bob", RELABEL, C, "rain")
    assert (judged.verdict, judged.gold_after, judged.agreement) == (RELABEL, C, None)
    (judged,) = store.judge([uid], "ann", KEEP)
    assert (judged.verdict, judged.gold_after, judged.agreement, judged.split) == (KEEP, N, False, "train")
    (judged,) = store.judge([uid], "bob", KEEP)
    assert judged.agreement is True and [o.author for o in judged.opinions] == ["ann", "bob"]
    (judged,) = store.judge([uid], "ann", PENDING)
    assert [o.author for o in judged.opinions] == ["bob"] and judged.verdict is KEEP
    assert store.count(Query(judged_by="ann")) == 0 and store.count(Query(not_judged_by="ann")) == 1
    assert [(c.author, c.field, c.before, c.after) for c in judged.history] == [
        ("bob", "opinion", "", "relabel (contradiction): rain"),
        ("ann", "opinion", "", "keep (neutral)"),
        ("bob", "opinion", "relabel (contradiction): rain", "keep (neutral)"),
        ("ann", "opinion", "keep (neutral)", ""),
    ]


def test_many_are_judged_or_none(store: Store) -> None:
    fine, unlabelled = pending(1), replace(entry(2, PENDING, gold=None), history=())
    store.add([fine, unlabelled])
    with pytest.raises(InputError, match=r"“He is late.”.*Choose relabel"):
        store.judge([fine.uid, unlabelled.uid], "ann", KEEP)
    with pytest.raises(InputError, match="no entry 'beef'"):
        store.judge([fine.uid, "beef"], "ann", UNSURE)
    assert store.count(Query(verdicts=(PENDING,))) == 2
    assert [e.uid for e in store.judge([unlabelled.uid, fine.uid], "ann", UNSURE)] == [unlabelled.uid, fine.uid]
    assert store.count(Query(verdicts=(UNSURE,))) == 2


def test_the_same_opinion_again_is_no_action(store: Store) -> None:
    one, two = store.add([pending(1), pending(2)]).new
    store.judge([one], "ann", KEEP)
    store.judge([one], "ann", KEEP)
    store.judge([two], "ann", PENDING)
    assert store.undo("ann") == "Undone: judged “He is late.” as keep."
    assert store.undo("ann") == "Undone: added 2 examples."
    assert store.undo("ann") is None


# ---- editing, tags, removing


def test_an_edit_asks_for_new_opinions(store: Store) -> None:
    uid = store.add([entry(1)]).new[0]
    store.judge([uid], "bob", KEEP)
    text = Pair("The cook waits for tram 1.", "He is early.")
    new = store.edit(uid, "ann", edited=text)
    assert new.uid == entry_uid(new.original, text, N) != uid
    assert (new.edited, new.opinions, new.verdict, new.said) == (text, (), PENDING, ())
    assert [w.of(new.original) for w in new.changed] == ["late"]
    assert ("hypothesis", "He is late.", "He is early.") in [(c.field, c.before, c.after) for c in new.history]
    assert ("opinion of bob", "keep (neutral)", "") in [(c.field, c.before, c.after) for c in new.history]
    with pytest.raises(InputError, match=new.uid):
        store.get(uid)
    store.judge([new.uid], "bob", RELABEL, C)
    old = store.edit(new.uid, "ann", edited=entry(1).edited)
    assert [(o.author, o.verdict) for o in old.opinions] == [("ann", KEEP), ("bob", KEEP)]  # they were about this text


def test_an_edit_with_what_the_models_say_now(store: Store) -> None:
    uid = store.add([entry(1)]).new[0]
    said = (Said("baseline", "f2", Prediction((0.0, 1.0, 0.0)), Prediction((0.0, 0.0, 1.0))),)
    changed = (Word("hypothesis", 0, 2),)
    new = store.edit(uid, "ann", edited=Pair("It rains.", "It pours."), said=said, changed=changed, note="new")
    assert (new.said, new.changed, new.note) == (said, changed, "new")
    assert store.count(Query(flipped=("baseline",), text="pours new")) == 1


def test_a_note_leaves_the_opinions(store: Store) -> None:
    uid = store.add([entry(1)]).new[0]
    new = store.edit(uid, "ann", note="look here")
    assert replace(new, history=()) == replace(entry(1), note="look here", history=())
    assert store.uids(Query(text="look")) == [uid]
    store.edit(uid, "ann", note="look here")  # nothing new: no action
    assert store.undo("ann") == "Undone: edited “He is late.”." and store.get(uid).note == "a note"


def test_an_edit_to_a_text_that_is_there(store: Store) -> None:
    other = replace(pending(2), original=pending(1).original)
    other = replace(other, uid=entry_uid(other.original, other.edited, N))
    store.add([pending(1), other])
    before = unhistoried(store)
    with pytest.raises(InputError, match=f"there already, as entry {other.uid}"):
        store.edit(pending(1).uid, "ann", edited=other.edited, note="lost?")
    assert unhistoried(store) == before


def test_tags(store: Store) -> None:
    one, two = store.add([pending(1, tags=("b", "a", "b", " ")), pending(2, tags=())]).new
    assert store.get(one).tags == ("b", "a")
    changed = store.tag([two, one], "ann", add=["c ", "a"], remove=["b"])
    assert [e.tags for e in changed] == [("c", "a"), ("a", "c")]
    assert store.get(one).history[-1].field == "tags" and store.get(one).history[-1].before == "b, a"
    with pytest.raises(InputError, match="201 characters"):
        store.tag([one], "ann", add=["x" * 201])
    store.tag([one], "ann", add=["a"])  # no action
    store.undo("ann")
    assert [store.get(uid).tags for uid in (one, two)] == [("b", "a"), ()]


def test_removed_is_hidden_and_comes_back(store: Store) -> None:
    uid = store.add([entry(1)]).new[0]
    store.remove([uid], "ann")
    assert store.entries() == [] and store.count() == 0 and store.facets().total == 0
    assert store.uids(Query(removed=True)) == [uid]
    with pytest.raises(InputError, match="was removed"):
        store.get(uid)
    (back,) = store.restore([uid], "ann")
    assert replace(back, history=entry(1).history) == entry(1)
    assert [c.field for c in back.history[1:]] == ["removed", "removed"]
    with pytest.raises(InputError, match="no removed entry"):
        store.restore([uid], "ann")


def test_added_again_after_it_was_removed(store: Store) -> None:
    uid = store.add([pending(1)]).new[0]
    store.remove([uid], "ann")
    assert store.add([pending(1, by="bob")]).new == (uid,)
    assert store.get(uid).author == "bob"
    with pytest.raises(InputError, match="added again"):
        store.restore([uid], "ann")
    assert str(store.undo("ann")).endswith("The same text was added again since.") and store.get(uid).author == "bob"


# ---- who may


@pytest.mark.parametrize(
    "write",
    [
        lambda s, uids, who: s.edit(uids[1], who, note="x"),
        lambda s, uids, who: s.edit(uids[1], who, edited=Pair("a", "b")),
        lambda s, uids, who: s.tag(uids, who, add=["x"]),
        lambda s, uids, who: s.remove(uids, who),
    ],
)
def test_another_persons_entry_is_not_changed(store: Store, write: Callable[[Store, tuple[str, ...], str], object]) -> None:
    uids = store.add([pending(1, by="bob"), pending(2)]).new
    before = store.entries()
    with pytest.raises(InputError, match="belongs to 'ann'"):
        write(store, uids, "bob")
    assert store.entries() == before
    with pytest.raises(InputError, match="Give a name"):
        write(store, uids, " ")
    store.remove([uids[1]], "ann")
    with pytest.raises(InputError, match="belongs to 'ann'"):
        store.restore([uids[1]], "bob")


def test_nobodys_entry_is_everybodys(store: Store) -> None:
    uid = store.add([pending(1, by="")], by="ann").new[0]
    assert store.edit(uid, "bob", note="x").note == "x"
    store.edit(uid, "cy", note="y")
    assert str(store.undo("bob")).startswith("Not undone: ") and store.get(uid).note == "y"
    store.undo("cy")
    assert store.get(uid).note == "x"


WRITES: dict[str, Callable[[Store, str], object]] = {
    "add": lambda s, uid: s.add([entry(2)]),
    "judge": lambda s, uid: s.judge([uid], "ann", KEEP),
    "edit": lambda s, uid: s.edit(uid, "ann", note="x"),
    "tag": lambda s, uid: s.tag([uid], "ann", add=["x"]),
    "remove": lambda s, uid: s.remove([uid], "ann"),
    "restore": lambda s, uid: s.restore([uid], "ann"),
    "undo": lambda s, uid: s.undo("ann"),
}
READS = {"get", "entries", "each", "uids", "pairs", "agreement", "count", "facets", "last", "version", "where", "close"}


def test_a_read_only_server_writes_nothing(store: Store, database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert {name for name in vars(Store) if not name.startswith("_")} == READS | set(WRITES)  # no write is forgotten here
    uid = store.add([pending(1)]).new[0]
    monkeypatch.setenv("ROBUSTNLI_READONLY", "1")
    for write in WRITES.values():
        with pytest.raises(InputError, match="read-only"):
            write(store, uid)
    with open_store(database) as opened:
        assert opened.entries() == [pending(1)]
        with pytest.raises(InputError, match="read-only"):
            opened.add([entry(2)])
    monkeypatch.delenv("ROBUSTNLI_READONLY")
    assert store.entries() == [pending(1)] and store.last("ann") == "added “He is late.”"


# ---- undo


def test_everything_is_undone_the_last_first(database: str) -> None:
    """Two people do a hundred things at random; undoing, person by person, goes back through every state there was."""
    rng = random.Random(7)
    with open_store(database) as store:
        store.add([pending(n) for n in range(6)], by="import")
        states = [unhistoried(store)]
        for step in range(40):
            for _ in range(20):
                uid = rng.choice(store.uids() or [""])
                write = rng.choice(
                    [
                        lambda u=uid: store.judge([u], "ann", rng.choice((KEEP, UNSURE, REJECT, PENDING))),
                        lambda u=uid: store.judge(store.uids()[:3], "ann", rng.choice((KEEP, REJECT))),
                        lambda u=uid, n=step: store.edit(u, "ann", edited=Pair("p", f"h{n % 9}"), note=str(n)),
                        lambda u=uid: store.tag([u], "ann", add=[rng.choice("xyz")], remove=[rng.choice("xyz")]),
                        lambda u=uid: store.remove([u], "ann"),
                        lambda: store.restore(store.uids(Query(removed=True))[:1], "ann"),
                        lambda n=step: store.add([pending(100 + n)]),
                    ]
                )
                before = store.version()
                try:
                    write()
                except InputError:
                    continue
                if store.version() > before:
                    break
            states.append(unhistoried(store))
    with open_store(database) as store:
        for state in states[-2::-1]:
            assert str(store.undo("ann")).startswith("Undone: ")
            assert unhistoried(store) == state
        assert store.undo("ann") is None and store.last("ann") is None
        assert store.count(Query(verdicts=(PENDING,))) == 6


def test_each_person_undoes_his_own(store: Store) -> None:
    uid = store.add([pending(1)]).new[0]
    store.judge([uid], "bob", REJECT)
    store.judge([uid], "ann", KEEP)
    assert store.last("bob") == "judged “He is late.” as reject"
    assert store.undo("bob") == "Undone: judged “He is late.” as reject."
    assert [o.author for o in store.get(uid).opinions] == ["ann"]
    assert store.undo("bob") is None


def test_undoing_an_add_leaves_what_others_have_judged(store: Store) -> None:
    two = store.add([pending(1), pending(2)]).new[1]
    store.judge([two], "bob", KEEP)
    assert store.undo("ann") == "Undone: added 2 examples, but 1 of 2 not. Other people have worked on it since."
    assert store.uids() == [two]


def test_undoing_an_edit_whose_old_text_is_taken(store: Store) -> None:
    uid = store.add([pending(1)]).new[0]
    new = store.edit(uid, "ann", edited=Pair("p", "h"))
    store.add([pending(1, by="bob")])
    assert store.undo("ann") == f"Not undone: edited “He is late.”. Another entry has the earlier text now: {uid}."
    assert store.get(new.uid).edited == Pair("p", "h") and store.get(uid).author == "bob"
    assert store.undo("ann") == "Undone: added “He is late.”."


def test_an_import_is_undone_by_who_did_it(store: Store) -> None:
    store.add([entry(1, by="ann"), entry(2, by="cy")], by="bob")
    assert store.undo("ann") is None and store.count() == 2
    assert store.undo("bob") == "Undone: added 2 examples." and store.count() == 0


# ---- speed


@pytest.mark.slow
def test_ten_thousand_entries(store: Store) -> None:
    store.add([pending(n, tags=("x", f"t{n % 7}")) for n in range(10_000)])
    store.judge(store.uids(Query(limit=500)), "bob", KEEP)

    def seconds(read: Callable[[], object]) -> float:
        """Of this process's processor: the machine may be busy. SQLite works in this process."""
        times = []
        for _ in range(7):
            start = time.process_time()
            read()
            times.append(time.process_time() - start)
        return min(times)

    assert seconds(lambda: store.entries(Query(limit=50))) < 0.05
    assert seconds(lambda: store.entries(Query(limit=50, text="TRAM 77", order="changed"))) < 0.05
    assert seconds(lambda: store.count(Query(verdicts=(KEEP,), tags=("t3",), not_judged_by="ann"))) < 0.05
    assert seconds(store.count) < 0.05
    assert seconds(store.version) < 0.01
    assert seconds(store.facets) < 0.1
