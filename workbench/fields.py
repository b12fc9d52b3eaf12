"""Form fields that write one dotted path of the plan when they are left.

An entry that cannot be used stays in its field with the reason below it; the plan stays as it was.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from kpi_core.errors import KpiError
from workbench import formats, pictures, refusals, session, unseen
from workbench.words import _, md

Changes = Callable[[Any], dict[str, Any]]


def typed(
    label: str, key: str, shown: str, changes: Changes, *, below: DeltaGenerator | None = None, **looks: Any
) -> None:
    """Show a text field; `changes` turns what was typed into changes of the plan, by path.

    The reason why an entry was refused stands under the field, or in `below` where the field is narrow.
    """
    st.text_input(label, key=follow(key, shown), on_change=store, args=(key, changes), **looks)
    reason(key, label, below, quote=True)


def text(label: str, path: str, shown: str, *, below: DeltaGenerator | None = None) -> None:
    """Show a field for a text of the plan."""
    typed(label, path, shown, lambda said: {path: said}, below=below, max_chars=200)


def number(
    label: str,
    path: str,
    now: float | None,
    *,
    unit: str = "",
    empty: str | None = "",
    below: DeltaGenerator | None = None,
    about: str | None = None,
) -> None:
    """Show a field for a number; 1,200万 and full-width digits are understood.

    `empty` says what an empty field means; None: it may not be empty.
    """
    shown = "" if now is None else formats.grouped(now)
    typed(
        label,
        path,
        shown,
        lambda said: {path: formats.parse(said, unit) if said.strip() or empty is None else None},
        placeholder=empty or "",
        below=below,
        help=about,
    )


def whole(
    label: str, path: str, now: int | None, *, low: int, high: int, may_be_empty: bool = False, about: str | None = None
) -> None:
    """Show a field for a small whole number with steps."""
    st.number_input(
        label,
        min_value=low,
        max_value=high,
        value=None if may_be_empty else "min",
        step=1,
        key=follow(path, now),
        on_change=store,
        args=(path, lambda chosen: {path: chosen}),
        help=about,
    )
    reason(path, label)


def share(text: str) -> float:
    """Return the share that was typed, as 10% or 10.

    Raises
    ------
    KpiError
        `share_out_of_range`; as `formats.parse`.
    """
    found = formats.parse(text, "%")
    if not 0 <= found <= 1:
        raise KpiError("share_out_of_range", "“{text}” is no share. Write 0% to 100%.", text=text.strip()[:40])
    return found


def choice(label: str, path: str, now: str | None, options: Mapping[str, str]) -> None:
    """Show a list to choose one of; `options` maps what the plan says to what people read."""
    st.selectbox(
        label,
        options=list(options),
        format_func=options.__getitem__,
        key=follow(path, now if now in options else None, reads=options.get(now or "")),
        on_change=store,
        args=(path, lambda chosen: {path: chosen}),
    )
    reason(path, label)


@pictures.uninterrupted()
def store(key: str, changes: Changes) -> None:
    """Put what was entered into the plan, or keep the reason why not; over what one has not seen it does not go."""
    if pictures.overtaken(key):
        return
    unseen.forget(key)
    said = session.typed(key)

    def enter() -> None:
        entry, desk = changes(said), session.desk()
        if unseen.changed(desk, entry):
            unseen.tell(key, "unseen", str(said))
        else:
            desk.change(entry)

    if not session.alter(enter, key=key):
        session.remember(f"seen_{key}", session.plan().digest)


def follow(key: str, shown: Any, *, reads: str | None = None) -> str:
    """Let a field show what the plan says, an entry that was refused only until undo or redo; return the key.

    Whoever goes a step back wants back what was, not what went wrong on the way. `reads` is what is `shown` in the
    words of a choice.
    """
    if (entry := pictures.dropped(key, reads or shown)) is not None:
        unseen.tell(key, "dropped", str(entry))
    if session.refused(key):
        seen, now = session.recall(f"seen_{key}"), session.plan().digest
        if seen != now and session.desk().can_redo:  # after a change there is nothing to redo
            session.refusals().pop(key)
        session.remember(f"seen_{key}", now)
    return session.follow(key, shown)


def reason(key: str, label: str, below: DeltaGenerator | None = None, *, quote: bool = False) -> None:
    """Say below the field called `label`, or in `below`, why its entry was refused, or not taken up (as `untaken`)."""
    untaken(key, below, quote=quote)
    if error := session.refused(key):
        lines = "\n".join(f":red[{md(said)}]  " for said in refusals.reasons(error, place=label))
        (below or st).caption(lines)


def untaken(key: str, below: DeltaGenerator | None = None, *, quote: bool = True) -> None:
    """Say below a field what was entered and did not go into the plan; without `quote` not in its own words."""
    note = unseen.told(key)
    if note is None:
        return
    if note.reason == "dropped":
        said = (
            _("The server was restarted and did not take up “{text}”. Type it again if it is to count.")
            if quote
            else _("The server was restarted and did not take up what you chose. Choose again if it is to count.")
        )
    else:
        said = (
            _("This was changed elsewhere before you saw it; “{text}” was not put over it. Type it again if it counts.")
            if quote
            else _(
                "This was changed elsewhere before you saw it; yours was not put over it. Choose again if it counts."
            )
        )
    (below or st).caption(f":red[{md(said.format(text=note.entry[:200]))}]")
