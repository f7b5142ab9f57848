"""Bad input on every entrance: it works, or is refused with a sentence; never another exception, never a hang.

A few tries of each here, with fixed seeds; ROBUSTNLI_FUZZ=N makes N rounds (a round is 1 to 20 tries of each). `docs/reliability/fuzz.py`
tries as many as a time allows. What the long runs found has a test of its own below.
"""

from __future__ import annotations

import gzip
import json
import os
import re
import shutil
import time
import zipfile
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from streamlit.testing.v1 import AppTest

from robustnli import checkpoints, data, exchange, models, ownruns, records, slicefile, slices
from robustnli.attribution import attribute, mask_map
from robustnli.errors import CheckpointError, DataError, InputError
from robustnli.exchange import reading
from robustnli.figures import escape_markdown
from robustnli.masking import mask
from robustnli.models import NLIModel, load
from robustnli.types import Label, Pair, Prediction, example
from robustnli.ui import state
from tests.conftest import REPOSITORY
from tests.fuzzing import ENTRANCES, Count, Entrance, attempt, text

ROUNDS = int(os.environ.get("ROBUSTNLI_FUZZ", "1"))
ROW = '{"premise": "A cook waits.", "hypothesis": "He is late.", "label": "neutral"}'
pytestmark = pytest.mark.timeout(300 + 60 * ROUNDS)
any_text = st.text(st.characters(), max_size=60)  # lone surrogates too
plainly = settings(derandomize=True, deadline=None, max_examples=40 * ROUNDS, suppress_health_check=list(HealthCheck))


@pytest.fixture(scope="module")
def tiny(tiny_baseline: Path) -> NLIModel:
    return load(str(tiny_baseline))


@pytest.mark.parametrize("entrance", ENTRANCES, ids=lambda e: e.name)
def test_it_works_or_is_refused(entrance: Entrance, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    count = Count()
    for seed in range(ROUNDS * entrance.weight):
        attempt(entrance, seed, tmp_path, count)
    assert count.tries == ROUNDS * entrance.weight
    with capsys.disabled():
        if ROUNDS > 1:
            print(f"\n{entrance.name}: {count.tries:,} tries, {count.refused:,} refused, slowest {count.slowest:.2f} s", end="")


@plainly
@given(any_text, any_text)
def test_any_text_is_read(tiny: NLIModel, premise: str, hypothesis: str) -> None:
    pair = Pair(premise, hypothesis)
    (said,) = tiny.predict([pair])
    assert sum(said.probs) == pytest.approx(1)
    words = tiny.words(pair)
    assert len(tiny.predict([mask(pair, words)])) == 1
    assert len(attribute(tiny, pair, target=Label.NEUTRAL).scores) == len(words)


@plainly
@given(st.dictionaries(st.sampled_from(["p", "h", "m", "gold", "a", "b", "method", "target"]), any_text))
def test_any_mask_of_an_address_is_read(values: dict[str, str]) -> None:
    assert all(name[0] in "ph" and name[1:].isdigit() for name in state.parse_masks(values.get("m", "")))


@plainly
@given(any_text)
def test_any_text_is_toml_of_slices_or_told_not_to_be(value: str) -> None:
    try:
        slicefile.parse_slices(value, "mine.toml")
    except InputError as error:
        assert "mine.toml" in str(error)


@pytest.mark.parametrize("page", ["explore", "errors", "attacks", "curate"])
def test_a_page_stands_any_address(page: str, only_tiny: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ROBUSTNLI_HOME", str(tmp_path))
    names = {
        "explore": ("p", "h", "m", "gold", "a", "b", "method", "target"),
        "errors": ("run", "split", "older", "newer", "slice", "outcome", "label", "sure", "words", "page", "size", "sort", "differ", "lab"),
        "attacks": ("attack", "model", "status", "gold", "budget", "page", "size", "sort", "show", "part", "q"),
        "curate": ("view", "id", "sort", "size", "page", "verdict", "tag", "mine", "q"),
    }[page]
    import random

    for seed in range(ROUNDS):
        rng = random.Random(seed)
        app = AppTest.from_file(str(REPOSITORY / "pages" / f"{page}.py"), default_timeout=120)
        for name in names:
            app.query_params[name] = text(rng, 3).encode("utf-8", "replace").decode()
        app.run()
        assert not app.exception, [e.stack_trace for e in app.exception]


# ---- found by the long runs


def test_half_a_character_is_read_and_keeps_its_place(tiny: NLIModel) -> None:
    pair = Pair("A man \ud800 is here.", "A \udfff\udfff man sleeps.")
    assert [w.of(pair) for w in tiny.words(pair) if w.segment == "premise"] == ["A", "man", "is", "here"]
    assert tiny.fit(pair).pair == pair and tiny.predict([pair]) == tiny.predict(
        [Pair(pair.premise.replace("\ud800", "\ufffd"), "A  man sleeps.")]
    )


def test_to_leave_each_word_out_of_a_long_text_reads_the_whole_of_it_once(tiny: NLIModel, monkeypatch: pytest.MonkeyPatch) -> None:
    pair = Pair("A man is here.", "cat " * 30_000)
    asked: list[Pair] = []
    monkeypatch.setattr(tiny, "predict", lambda pairs: asked.extend(pairs) or [Prediction((0.2, 0.3, 0.5))] * len(pairs))
    scores = attribute(tiny, pair, target=Label.NEUTRAL, method="leave_one_out").scores
    assert len(scores) > 20 and len(mask_map(tiny, pair)) > 20
    assert max(len(p.hypothesis) for p in asked) < 10_000


@pytest.mark.parametrize("unit", ["a cat ", "[MASK] ", "can't, well-known! ", "\u4e2d\u6587 ", "xyzzyx\n", "a" * 200 + " "])
def test_the_beginning_of_a_long_text_is_read_as_the_whole_of_it(tiny: NLIModel, unit: str, monkeypatch: pytest.MonkeyPatch) -> None:
    long = unit * 1500
    pairs = [Pair("A man is here.", long), Pair(long, "A man."), Pair(long, long)]
    ahead = tiny.encode(pairs), [tiny.fit(p) for p in pairs]
    monkeypatch.setattr("robustnli.typed._LONG", 10**9)
    assert (tiny.encode(pairs), [tiny.fit(p) for p in pairs]) == ahead


def test_a_text_of_masks_alone_takes_time_by_its_length(tiny: NLIModel) -> None:
    times = []
    for many in (2000, 16_000):
        begun = time.process_time()
        assert tiny.encode([Pair("A man.", "[MASK] " * many)])[0].ids.count(tiny.mask_id) > 20
        times.append(time.process_time() - begun)
    assert times[1] < 30 * times[0] + 0.5, "eight times the text took sixty-four times as long"


def test_a_mark_of_the_browser_that_is_no_count_is_passed_over(monkeypatch: pytest.MonkeyPatch) -> None:
    kept = {"masks": [], "undo": []}
    monkeypatch.setattr(state.st, "session_state", kept)
    for number in (float("inf"), float("nan"), -1, None):
        state.masked_in_browser({"number": number, "masked": ["h1"]})
    assert kept["masks"] == []
    state.masked_in_browser({"number": 1, "masked": ["h1"]})
    assert kept["masks"] == ["h1"]


@pytest.mark.parametrize("pattern", ["(?R)?a", "(a(?1)?b)", "(?&x)(?<x>a)", "(?P>x)(?P<x>a)", "(?:(?:a?){9999}){9999}", "a{99999}b{99}"])
def test_a_pattern_that_would_take_all_memory_is_refused(pattern: str) -> None:
    with pytest.raises(InputError, match=r"calls itself|repeats, counted"):
        slices.Slice(name="x", about="", pattern=pattern)


@pytest.mark.parametrize("pattern", [r"\d{4}-\d{2}", "(?:a{1,100}){1,100}", "(?<=a)b(?!c)", r"\(\?"])
def test_an_ordinary_pattern_is_not(pattern: str) -> None:
    assert slices.Slice(name="x", about="", pattern=pattern).pattern == pattern


def test_a_key_of_thousands_of_parts_and_a_number_of_thousands_of_digits_are_refused() -> None:
    with pytest.raises(InputError, match="line 2 holds more than 600 dots"):
        slicefile.parse_slices("# slices\n" + "a." * 90_000 + "b = 1", "mine.toml")
    with pytest.raises(InputError, match=r"mine.toml: this is not TOML"):
        slicefile.parse_slices(f'[[slice]]\nname = "x"\nlonger_than = {"9" * 5000}', "mine.toml")


@pytest.mark.parametrize(
    "notes", [b"{", b"[]", b'{"info": 1}', b"[" * 100_000, b'{"info": {"features": {"label": {"_type": "ClassLabel", "names": 3}}}}']
)
def test_notes_of_another_tool_in_parquet_name_no_labels(notes: bytes) -> None:
    assert records.class_names({b"huggingface": notes}) == {}


@pytest.mark.parametrize(
    "column",
    [pa.array([2**50], pa.timestamp("ms")), pa.array([2**62], pa.duration("ms")), pa.array([2**60], pa.timestamp("us", "No/Where"))],
)
def test_a_date_that_python_does_not_have(column: pa.Array, tmp_path: Path) -> None:
    path = tmp_path / "x.parquet"
    pq.write_table(pa.table({"premise": ["A cook waits."], "hypothesis": ["He is late."], "label": [1], "when": column}), path)
    for read in (lambda: data.load(str(path)), lambda: ownruns.read(path, "x.parquet"), lambda: exchange.preview(path)):
        with pytest.raises(DataError, match="not a readable Parquet file"):
            read()


def test_a_column_of_parquet_whose_name_is_no_text(tmp_path: Path) -> None:
    path = tmp_path / "x.parquet"
    pq.write_table(pa.table({"premise": ["A cook waits."], "hypothesis": ["He is late."], "labelled": [1]}), path)
    path.write_bytes(path.read_bytes().replace(b"labelled", b"label\xaa\xaa\xaa"))
    for read in (lambda: data.load(str(path)), lambda: ownruns.read(path, "x.parquet"), lambda: exchange.preview(path)):
        with pytest.raises(DataError, match="not a readable Parquet file"):
            read()


def test_a_number_of_thousands_of_digits_names_its_row(tmp_path: Path) -> None:
    path = tmp_path / "x.jsonl"
    path.write_text(f"{ROW}\n{ROW.replace(chr(34) + 'neutral' + chr(34), '9' * 5000)}\n")
    with pytest.raises(DataError, match="row 2: not valid JSON"):
        data.load(str(path))
    assert "row 2" in str(exchange.read_entries(path).problems[0])


def test_a_small_gzip_file_of_one_endless_line_is_left_off(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(records, "MAX_LINE", 1000)
    for name in ("x.jsonl.gz", "x.csv.gz"):
        (tmp_path / name).write_bytes(gzip.compress(b"a" * 100_000))
        with pytest.raises(DataError, match="line 1: longer than 1,000 characters"):
            data.load(str(tmp_path / name))


def test_bombs_are_refused_before_they_are_unpacked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "MAX_BYTES", 1 << 20)
    monkeypatch.setattr(ownruns, "MAX_BYTES", 1 << 20)
    bomb = tmp_path / "x.zip"
    with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("entries.jsonl", b" " * (8 << 20))
    (tmp_path / "x.csv.gz").write_bytes(gzip.compress(b"premise,hypothesis,label\n" + b"a,b,neutral\n" * (1 << 19)))
    with pytest.raises(DataError, match="is the most that is imported"):
        exchange.preview(bomb)
    with pytest.raises(DataError, match="is the most that is imported"):
        exchange.read_entries(tmp_path / "x.csv.gz")
    with pytest.raises(DataError, match="when unpacked"):
        ownruns.read(tmp_path / "x.csv.gz", "x.csv.gz")


def test_ten_million_columns_are_told_in_a_bearable_message(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    path.write_text(",".join(["a"] * 10_000_000) + "\n1\n")
    for read in (lambda: data.load(str(path)), lambda: ownruns.read(path, "x.csv"), lambda: exchange.read_entries(path)):
        with pytest.raises((DataError, InputError)) as told:
            read()
        assert len(str(told.value)) < 5000


def test_long_values_are_cut_in_messages(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    path.write_text(f"premise,hypothesis,label\na,b,{'x' * 100_000}\n")
    with pytest.raises(DataError, match="row 1: label 'xxx") as told:
        data.load(str(path))
    assert len(str(told.value)) < 500


def test_an_address_in_a_users_text_becomes_no_link() -> None:
    shown = escape_markdown("see http://a.b, HTTPS://c.d and www.e.f [x](y)")
    assert not re.search(r"(?i)https?\\?:|www\\?\.", shown) and r"\[x\]\(y\)" in shown


@pytest.fixture
def made(tmp_path: Path, tiny_baseline: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A checkpoint of ours under the only root."""
    monkeypatch.setenv("ROBUSTNLI_CHECKPOINTS", str(tmp_path / "root"))
    monkeypatch.setenv("ROBUSTNLI_ONLY_CHECKPOINTS", "1")
    return Path(shutil.copytree(tiny_baseline, tmp_path / "root" / "made"))


def problem() -> str:
    (found,) = checkpoints.find()
    assert found.checkpoint is None
    with pytest.raises(CheckpointError):
        load("made")
    return found.problem


def test_a_pipe_in_a_checkpoint_does_not_keep_its_reader_waiting(made: Path) -> None:
    os.mkfifo(made / "added_tokens.json")
    assert "added_tokens.json is no file" in problem()


def test_a_link_to_a_file_elsewhere_or_to_nothing_is_refused(made: Path, tmp_path: Path) -> None:
    weights = made / "model.safetensors"
    shutil.move(weights, tmp_path / "elsewhere")
    weights.symlink_to(tmp_path / "elsewhere")
    assert "outside the allowed folders" in problem()
    assert checkpoints.check(made, confined=False).name == "made", "the command line may name any folder"
    (tmp_path / "elsewhere").unlink()
    assert "a link to none" in problem()
    weights.unlink()
    weights.symlink_to(weights.name)
    assert "made" in problem()


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads every file")
def test_a_file_that_may_not_be_read(made: Path) -> None:
    (made / "config.json").chmod(0)
    assert "cannot be read" in problem()


@pytest.mark.parametrize(
    ("key", "value"), [("num_hidden_layers", 10**9), ("hidden_size", 10**9), ("vocab_size", 10**8), ("max_position_embeddings", 10**9)]
)
def test_a_config_of_a_network_beyond_its_weights_is_refused_at_once(made: Path, key: str, value: int) -> None:
    config = json.loads((made / "config.json").read_text())
    (made / "config.json").write_text(json.dumps(config | {key: value}))
    begun = time.process_time()
    with pytest.raises(CheckpointError, match=f"{key} {value}, and the weights have no room"):
        load("made")
    assert time.process_time() - begun < 5


def test_sizes_that_do_not_fit_each_other_are_known_when_it_is_loaded(made: Path) -> None:
    config = json.loads((made / "config.json").read_text())
    (made / "config.json").write_text(json.dumps(config | {"num_attention_heads": 3}))
    with pytest.raises(CheckpointError, match="cannot be loaded"):
        load("made")


def test_an_answer_that_is_no_number_is_told(tiny_baseline: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import torch

    model = load(str(tiny_baseline))
    monkeypatch.setattr(NLIModel, "_ask_lean", lambda *_: (torch.full((1, 3), float("nan")), []))
    with pytest.raises(CheckpointError, match="no number"):
        model.predict([Pair("a", "b")])


def test_a_panic_of_the_tokenizer_is_a_broken_checkpoint(made: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class PanicException(BaseException):
        pass

    def panic(*_: object, **__: object) -> None:
        raise PanicException("index out of bounds")

    monkeypatch.setattr(models.loading, "light", panic)
    with pytest.raises(CheckpointError, match="index out of bounds"):
        load("made")


def test_records_that_lack_what_is_counted_with_are_refused(tmp_path: Path) -> None:
    from robustnli import evidence
    from tests.made import examples, make_run
    from tests.made import records as made_records

    run = evidence.read_run(make_run(tmp_path / "made", {"test": made_records(examples(4))}))
    path = tmp_path / "made" / "records" / "test.parquet"
    whole = pq.read_table(path)
    for name, column in (
        ("gold", pa.array([0, 1, 2, 3])),
        ("slices", pa.array([1] * 4)),
        ("uid", pa.array([[1]] * 4)),
        ("probs.baseline", pa.array([[0.5, 0.5]] * 4)),
    ):
        pq.write_table(whole.set_column(whole.column_names.index(name), name, column), path)
        with pytest.raises(DataError, match="cannot be read"):
            evidence.read_records(run, "test")


def test_a_slice_on_one_example_is_bounded_in_time() -> None:
    item = example("a" * 5000, "a" * 5000 + "!", Label.NEUTRAL)
    begun = time.process_time()
    with pytest.raises(InputError, match="takes more than 2 s"):
        slices.Slice(name="x", about="", pattern="(a+)+b").holds(item)
    assert time.process_time() - begun < 20
