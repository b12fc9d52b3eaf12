"""Opening plans: from a file a person picked, and what a template is about in one line."""

from __future__ import annotations

import re
from collections.abc import Callable

import streamlit as st

from kpi_core import plan_text
from kpi_core.plan import Plan
from workbench import foreign_files, tables, words
from workbench.words import _

MAX_BYTES = 5_000_000


def field(label: str, key: str, on_change: Callable[[], None]) -> None:
    """Show a field for a plan file, and have a reader wait for it."""
    foreign_files.warm()
    # Streamlit's own words inside the field are English only; ours are laid over them.
    inside, told = f".st-key-{key}", "[data-testid='stFileUploaderDropzoneInstructions']"
    pick, limit = tables.quoted(_("Choose a file")), tables.quoted(_("or drop it here (at most 5 MB)"))
    st.html(
        f"<style>{inside} button p {{ font-size: 0; }}"
        f"{inside} button p::after {{ content: {pick}; font-size: 1rem; }}"
        f"{inside} {told} span {{ display: none; }} {inside} {told}::after {{ content: {limit}; }}</style>"
    )
    st.file_uploader(label, type=["yaml", "yml", "json"], key=key, on_change=on_change)


def name(plan: Plan, ending: str = "yaml") -> str:
    """Return a file name for a plan that every system accepts."""
    safe = re.sub(r"[^\w-]+", "_", words.name(plan))[:60].strip("_")
    return f"{safe or 'plan'}.{ending}"


def outline(plan: Plan) -> str:
    """Return what the plan goes from and to: 訪問者数 → 売上 10億円."""
    metric = plan.metrics[plan.kgi.metric]
    first = plan.metrics[plan.stages[0]] if plan.stages else metric
    return _("From {first} to {kgi}: {goal}").format(
        first=words.name(first), kgi=words.name(metric), goal=words.value(plan.kgi.target, metric)
    )


def read(contents: bytes) -> Plan:
    """Return the plan in a file's bytes, read in a process apart.

    Raises
    ------
    KpiError
        `file_too_large`, or as `foreign_files.read`.
    """
    if len(contents) > MAX_BYTES:
        raise plan_text.too_large()
    return foreign_files.read(contents)
