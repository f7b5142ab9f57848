"""A job on the page: its place in the queue, progress, time left, cancel. It draws itself anew each second; the page only when it ends."""

from __future__ import annotations

import streamlit as st

from robustnli import jobs
from robustnli.figures import escape_markdown
from robustnli.jobs import Job
from robustnli.ui import people


def progress(job: Job) -> None:
    """Draw a job that is under way, or say how it ended. The page runs again at the moment it ends."""
    if job.active:
        _under_way(job.id)
    elif job.state == "failed":
        st.error(f"{escape_markdown(job.title)} failed. {escape_markdown(job.message)}", icon=":material/error:")
    elif job.state == "cancelled":
        st.info(f"{escape_markdown(job.title)} was cancelled; nothing of it is left.", icon=":material/cancel:")


@st.fragment(run_every="1s")
def _under_way(job_id: str) -> None:
    job = jobs.find(job_id)
    if not job.active:
        st.rerun()
    with st.container(horizontal=True, vertical_alignment="center"):
        st.progress(job.done / job.total if job.total else 0.0, text=f"{escape_markdown(job.title)}: {_told(job)}")
        why = people.person().why
        st.button(
            "Cancel",
            key=f"cancel.{job.id}",
            on_click=_cancel,
            args=(job.id,),
            icon=":material/stop_circle:",
            disabled=bool(why),
            help=why or None,
        )


def _cancel(job_id: str) -> None:
    if people.person().may_write:
        jobs.cancel(job_id)


def _told(job: Job) -> str:
    if job.state == "queued":
        return f"waiting, {job.ahead} before it" if job.ahead else "starting"
    if not job.total:
        return job.phase
    left = "" if job.left is None else f", {duration(job.left)} left"
    return f"{job.phase}, {job.done:,} of {job.total:,}{left}"


def duration(seconds: float) -> str:
    """Seconds as a person says them."""
    return f"{seconds:.0f} s" if seconds < 90 else f"{seconds / 60:.0f} min"
