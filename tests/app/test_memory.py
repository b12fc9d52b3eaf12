"""Garbage is collected in short pauses, and none of it stays for ever."""

import gc
import itertools
import weakref
from collections.abc import Iterator

import pytest

from workbench.memory import GROWN, QUIET_SECONDS, SMALL, Collector


class Ring:
    """An object that holds itself: only a collection lets it go."""

    def __init__(self) -> None:
        self.itself = self


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Iterator[Clock]:
    yield Clock()
    gc.unfreeze()


def long_work():
    """Return a clock by which every collection takes long."""
    return itertools.count().__next__


def ring() -> weakref.ref[Ring]:
    return weakref.ref(Ring())


def test_what_is_alive_is_looked_at_once_and_what_is_new_every_time(clock: Clock):
    collector = Collector(clock)
    collector.collect()
    looked_at = len(gc.get_objects())
    lost = ring()

    collector.collect()

    assert lost() is None
    assert looked_at < 1_000  # of hundreds of thousands: what came between the freeze and the look
    assert gc.get_freeze_count() > 20_000


@pytest.mark.parametrize(("work", "frozen"), [(long_work(), True), (lambda: 0.0, False)], ids=["long", "short"])
def test_only_a_collection_that_takes_long_freezes_what_is_alive(clock: Clock, work, frozen: bool):
    collector = Collector(clock, work)
    collector.collect()
    held = Ring()

    collector.collect()

    is_looked_at = any(one is held for one in gc.get_objects())  # which leaves out what is frozen
    assert is_looked_at is not frozen


def test_garbage_among_what_is_frozen_goes_when_nobody_is_there(clock: Clock):
    collector, held = Collector(clock), Ring()
    lost = weakref.ref(held)
    collector.collect()
    del held

    for _ in range(3):
        clock.now += QUIET_SECONDS - 1
        collector.heard()
        collector.collect()
    assert lost() is not None

    clock.now += QUIET_SECONDS
    collector.collect()
    assert lost() is None


def test_a_quiet_night_is_looked_through_once(clock: Clock, monkeypatch: pytest.MonkeyPatch):
    unfrozen = []
    monkeypatch.setattr(gc, "unfreeze", lambda: unfrozen.append(clock.now))
    collector = Collector(clock)
    for _ in range(100):
        clock.now += 10
        collector.collect()
    collector.heard()
    for _ in range(100):
        clock.now += 10
        collector.collect()

    assert unfrozen == [10, 1_060]


def test_however_busy_it_is_what_is_frozen_grows_by_half_at_most(clock: Clock, monkeypatch: pytest.MonkeyPatch):
    frozen, whole = [400_000], []
    monkeypatch.setattr(gc, "get_freeze_count", lambda: frozen[-1])
    monkeypatch.setattr(gc, "unfreeze", lambda: whole.append(frozen[-1]) or frozen.append(400_000))
    monkeypatch.setattr(gc, "freeze", lambda: frozen.append(frozen[-1] + 50_000))
    monkeypatch.setattr(gc, "collect", lambda: 0)
    collector = Collector(clock, long_work())
    for _ in range(200):
        clock.now += 10
        collector.heard()
        collector.collect()

    assert len(whole) > 2
    assert max(frozen) <= GROWN * 450_000 + SMALL + 100_000
