"""Long work beside the page: it goes on in a thread while the page tells how far it is, and a button stops it.

A visit has one job of each kind. Asked for the same again, it gives what it found; asked for something else, it
drops what it was doing. What takes less than a blink shows nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator
from dataclasses import dataclass, field
from threading import Event, Thread
from typing import Generic, TypeVar

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from workbench import session
from workbench.words import _

Result = TypeVar("Result")
Found = TypeVar("Found")

_BLINK = 0.2
_TICK = 0.1


@dataclass(eq=False)
class Job(Generic[Result]):
    """One piece of work: what was asked, how far it is (`told`: a share, and numbers to say), what came of it."""

    asked: Hashable
    work: Callable[[Job[Result]], Result]
    told: tuple[float, ...] = (0.0,)
    results: list[Result] = field(default_factory=list)
    errors: list[BaseException] = field(default_factory=list)
    stopped: Event = field(default_factory=Event)
    done: Event = field(default_factory=Event)

    def tell(self, share: float, *numbers: float) -> bool:
        """Say how far it is; return whether to go on."""
        self.told = (min(1.0, max(0.0, share)), *numbers)
        return self.going_on()

    def going_on(self) -> bool:
        """Return whether nobody has stopped it."""
        return not self.stopped.is_set()

    def start(self) -> Job[Result]:
        """Begin."""
        Thread(target=self._run, daemon=True).start()
        return self

    def _run(self) -> None:
        try:
            self.results.append(self.work(self))
        except BaseException as error:  # told to whoever waits
            self.errors.append(error)
        self.done.set()


def result(kind: str, asked: Hashable, work: Callable[[Job[Result]], Result], says: Callable[..., str]) -> Result:
    """Return what work finds, waiting for it with a bar and a button that stops it.

    The work may not touch the page. It calls `tell` now and then, and if that says no it ends with what it has.
    `says` puts the numbers it tells into words; before the first there are none.
    """
    place = st.empty()  # also where nothing is shown: what stands below must not change places with it
    job = _begun(kind, asked, work)
    if not job.done.wait(_BLINK):
        _show(place, kind, job, says)
    if job.errors:
        session.remember(f"job_{kind}", None)
        raise job.errors[0]
    return job.results[0]


def at_once(kind: str, asked: Hashable, work: Callable[[Job[Result]], Result]) -> Result | None:
    """Return what work finds if that takes no longer than a blink; else it goes on, and `result` waits for it."""
    job = _begun(kind, asked, work)
    return job.results[0] if job.done.wait(_BLINK) and job.results else None


def _begun(kind: str, asked: Hashable, work: Callable[[Job[Result]], Result]) -> Job[Result]:
    """Return the job of a kind: the one there is if it was asked the same, else a new one."""
    job: Job[Result] | None = session.recall(f"job_{kind}")
    if job is None or job.asked != asked:
        drop(kind)
        job = Job(asked, work).start()
        session.remember(f"job_{kind}", job)
    return job


def drop(kind: str) -> None:
    """Stop the job of a kind, and forget it."""
    if (job := session.recall(f"job_{kind}")) is not None:
        job.stopped.set()
        session.remember(f"job_{kind}", None)


def stopped(kind: str) -> bool:
    """Return whether the last job of a kind was stopped before its end."""
    job = session.recall(f"job_{kind}")
    return isinstance(job, Job) and job.stopped.is_set()


def _show(place: DeltaGenerator, kind: str, job: Job[Result], says: Callable[..., str]) -> None:
    with place.container(horizontal=True, vertical_alignment="center", key=f"job_{kind}"):
        bar = st.progress(0.0, width="stretch")
        st.button(_("Stop"), key=f"stop_{kind}", icon=":material/stop:", on_click=job.stopped.set)
    while not job.done.wait(_TICK):
        share, *numbers = job.told
        bar.progress(share, text=says(*numbers))
    place.empty()


def each(job: Job[list[Found]], found: Iterator[Found], total: int) -> list[Found]:
    """Return what an iterator yields until it ends or the job is stopped, telling how many of how many there are."""
    known: list[Found] = []
    while job.tell(len(known) / max(total, 1), len(known), total):
        try:
            known.append(next(found))
        except StopIteration:
            break
    return known
