"""Turns: first come, first served, and never two at once; who waits for what stands still goes without."""

from __future__ import annotations

import threading
import time

import pytest

from workbench.store.turns import Turnstile


def test_turns_come_in_the_order_in_which_they_were_asked_for():
    turnstile, order, threads = Turnstile(), [], []

    def take(number: int) -> None:
        with turnstile.turn(600):
            order.append(number)

    with turnstile.turn(1):
        for number in range(30):
            threads.append(threading.Thread(target=take, args=(number,)))
            threads[-1].start()
            while len(turnstile._waiting) <= number:
                time.sleep(0.001)
    for thread in threads:
        thread.join()

    assert order == list(range(30))


def test_one_at_a_time_however_many_come():
    turnstile, inside, most = Turnstile(), [], []

    def take() -> None:
        for _ in range(200):
            with turnstile.turn(600):
                inside.append(1)
                most.append(len(inside))
                inside.pop()

    threads = [threading.Thread(target=take) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert (max(most), len(most)) == (1, 1_600)
    assert not turnstile._taken


def test_who_waits_long_in_a_queue_that_moves_gets_a_turn():
    """Two hundred people who save at once must not be told that the storage is busy because they are many."""
    turnstile, served = Turnstile(), []

    def take(number: int) -> None:
        with turnstile.turn(2):
            time.sleep(0.15)
            served.append(number)

    threads = [threading.Thread(target=take, args=(number,)) for number in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(served) == list(range(20))


def test_a_queue_in_which_every_turn_fails_stands_still():
    """Each waits for a database that does not answer; the last must not wait for all of them."""
    turnstile, said = Turnstile(), []

    def take() -> None:
        try:
            with turnstile.turn(2):
                time.sleep(1.5)
                raise ZeroDivisionError
        except (TimeoutError, ZeroDivisionError) as error:
            said.append(type(error))

    threads = [threading.Thread(target=take) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(said) == 20
    assert said.count(TimeoutError) >= 15


def test_who_waits_for_what_stands_still_goes_without_and_holds_nobody_up():
    turnstile = Turnstile()
    with turnstile.turn(1):
        with pytest.raises(TimeoutError), turnstile.turn(0.01):
            pytest.fail("two at once")
        assert not turnstile._waiting

    with turnstile.turn(0.01):
        assert turnstile._taken


def test_a_turn_that_ends_in_an_error_is_handed_on():
    turnstile = Turnstile()
    with pytest.raises(ZeroDivisionError), turnstile.turn(1):
        raise ZeroDivisionError

    with turnstile.turn(0.01):
        assert turnstile._taken
