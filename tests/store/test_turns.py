"""Turns: first come, first served, and never two at once; who has waited too long goes without."""

from __future__ import annotations

import threading
import time

import pytest

from workbench.store.turns import Turnstile


def test_turns_come_in_the_order_in_which_they_were_asked_for():
    turnstile, order, threads = Turnstile(), [], []

    def take(number: int) -> None:
        with turnstile.turn(10):
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
            with turnstile.turn(10):
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


def test_who_has_waited_too_long_goes_without_and_holds_nobody_up():
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
