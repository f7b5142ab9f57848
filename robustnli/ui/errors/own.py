"""A file of the user's own: what is asked, how far it is, and the run that comes of it, which can be renamed and removed."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from robustnli import checkpoints, jobs, ownruns
from robustnli.errors import RobustNLIError
from robustnli.evidence import Run
from robustnli.figures import escape_markdown
from robustnli.records import FORMATS
from robustnli.ui import cached, people, problems
from robustnli.ui import jobs as jobs_ui
from robustnli.ui.errors import state

_SHOWN = 20  # bad rows told at most
_COMMANDS = """robustnli score --data FILE --model baseline --model robust --name NAME
robustnli compare --data FILE --before baseline --after robust"""


def arrived() -> None:
    """Choose the run that this session's job has made, at the moment it is there."""
    job = _mine()
    if job is not None and job.state == "done" and job.result:
        state.take_run(str(job.result["run"]))
        state.await_job("")
        st.toast(f"Scored {int(job.result['rows']):,} rows.", icon=":material/check:")


def under_way() -> None:
    """Every file that is being scored, with its progress; and how this session's ended where it brought no run."""
    job = _mine()
    for other in jobs.find_all("score"):
        if other.active:
            jobs_ui.progress(other)
    if job is not None and job.state in ("failed", "cancelled"):
        with st.container(horizontal=True, vertical_alignment="center"):
            jobs_ui.progress(job)
            st.button("Dismiss", key="errors.own.dismiss", type="tertiary", on_click=state.await_job, args=("",))


def _mine() -> jobs.Job | None:
    found = state.awaited_job()
    return next((job for job in jobs.find_all("score") if job.id == found), None) if found else None


@st.fragment
def offer() -> None:
    """A closed box that asks for a file and scores it. Nothing of it is drawn, or read, before it is opened."""
    box = st.popover("Score a file of your own", icon=":material/upload_file:", key=state.own_box(), on_change="rerun")
    if box.open:
        with box:
            why = people.person().why
            if why:
                st.info(escape_markdown(why), icon=":material/lock:")
            else:
                _form()
            st.caption("The same on the command line; and the counts alone, nothing kept:")
            st.code(_COMMANDS, language="sh")


def _form() -> None:
    st.caption(
        "Sentence pairs with a gold label: JSONL, CSV, TSV or Parquet, plain or .gz, with the columns premise, hypothesis, label (or "
        f"sentence1, sentence2, gold_label); at most 20 MB and {ownruns.MAX_ROWS:,} rows. The file stays on this server."
    )
    given = st.file_uploader(
        "The file", key=f"{state.own_box()}.file", type=[f.removeprefix(".") for f in FORMATS] + ["gz"], max_upload_size=20
    )  # fmt: skip
    if given is None:
        return
    with problems.shown():
        upload = cached.upload(given.name, given.getvalue())
        usable = [item.name for item in checkpoints.find() if item.checkpoint]
        ready = _rows(upload)
        models = st.multiselect(
            "Models, from older to newer", usable, default=usable[:3], key="errors.own.models", help="At least two; any two are compared."
        )  # fmt: skip
        name = st.text_input(
            "Name of the run", ownruns.free_name(given.name.split(".")[0]), key=f"errors.own.name.{given.file_id}",
            max_chars=ownruns.MAX_NAME,
        )  # fmt: skip
        attack = st.checkbox(
            "Attack each model as well, with up to three words masked", key="errors.own.attack",
            help="Tells which words of the hypothesis each model leans on. Takes some ten times as long.",
        )  # fmt: skip
        if st.button("Score", type="primary", icon=":material/play_arrow:", disabled=not ready or len(models) < 2, key="errors.own.go"):
            _submit(given.name, given.getvalue(), models, name, attack)
            st.rerun()


def _rows(upload: ownruns.Upload) -> bool:
    """Say what the file holds; whether it may be scored: rows that cannot be read must be left out on purpose."""
    dropped = f", {upload.unlabelled:,} unlabelled ones left out" if upload.unlabelled else ""
    st.markdown(f"**{len(upload.examples):,} rows** can be scored{dropped}.")
    if not upload.bad:
        return True
    more = f"\n… and {len(upload.bad) - _SHOWN:,} more" if len(upload.bad) > _SHOWN else ""
    st.error(f"{len(upload.bad):,} rows cannot be read:", icon=":material/error:")
    st.code("\n".join(upload.bad[:_SHOWN]) + more, language=None, wrap_lines=True)
    return st.checkbox(f"Leave them out, and score the other {len(upload.examples):,}", key="errors.own.skip")


def _submit(shown: str, content: bytes, models: list[str], name: str, attack: bool) -> None:
    people.author()
    name = ownruns.check_name(name)
    file = ownruns.plain_name(shown)
    args = {"file": file, "shown": Path(shown).name, "models": models, "name": name, "attack": attack}
    state.await_job(jobs.submit("score", f"Score {Path(shown).name}", args, files={file: content}).id)
    state.close_own()


def manage(run: Run) -> None:
    """Rename or remove the chosen run, where it was made of a file of the user's own."""
    if not ownruns.is_own(run):
        return
    with st.popover("This run", icon=":material/edit:"):
        why = people.person().why
        st.caption(f"Made of {escape_markdown(run.file)}." + (f" {escape_markdown(why)}" if why else ""))
        st.text_input("Name", run.name, key=f"errors.own.rename.{run.name}", max_chars=ownruns.MAX_NAME, disabled=bool(why))
        st.button("Rename", on_click=_rename, args=(run,), disabled=bool(why), icon=":material/check:", key="errors.own.rename")
        sure = st.checkbox("Remove its records for good", disabled=bool(why), key=f"errors.own.sure.{run.name}")
        st.button("Remove", on_click=_remove, args=(run,), disabled=not sure, icon=":material/delete:", key="errors.own.remove")


def _rename(run: Run) -> None:
    try:
        people.author()
        state.take_run(ownruns.rename(run, st.session_state[f"errors.own.rename.{run.name}"]), keep=True)
    except RobustNLIError as error:
        state.tell(str(error))


def _remove(run: Run) -> None:
    try:
        people.author()
        ownruns.remove(run)
        state.take_run("")
    except RobustNLIError as error:
        state.tell(str(error))
