"""The brake on guessing: ten failures a minute and address, in bounded memory."""

from __future__ import annotations

import threading

import pytest

from workbench.store.limits import Brake


class Seconds:
    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def seconds() -> Seconds:
    return Seconds()


def test_ten_failures_are_let_through_and_the_next_a_minute_after_the_first(seconds: Seconds):
    brake = Brake(seconds)
    let = []
    for second in range(120):
        seconds.now = float(second)
        if brake.admit("192.0.2.1"):
            let.append(second)

    assert let == [*range(10), *range(60, 70)]


def test_tries_that_succeed_are_not_counted(seconds: Seconds):
    brake = Brake(seconds)
    for _ in range(1_000):
        assert brake.admit("192.0.2.1")
        brake.succeeded("192.0.2.1")


def test_addresses_do_not_pay_for_one_another_unless_they_are_one_persons(seconds: Seconds):
    brake = Brake(seconds)
    for _ in range(10):
        brake.admit("2001:db8:1:2::1")
        brake.admit("::ffff:192.0.2.1")

    assert not brake.admit("2001:db8:1:2:ffff::9%eth0")
    assert brake.admit("2001:db8:1:3::1")
    assert not brake.admit("192.0.2.1")
    assert brake.admit("192.0.2.2")


def test_a_thousand_at_once_are_ten(seconds: Seconds):
    brake, let = Brake(seconds), []
    start = threading.Barrier(20)

    def guess() -> None:
        start.wait()
        let.extend(brake.admit("192.0.2.1") for _ in range(50))

    threads = [threading.Thread(target=guess) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert (sum(let), len(let)) == (10, 1_000)


def test_memory_is_bounded_and_the_longest_unheard_of_go_first(seconds: Seconds):
    brake = Brake(seconds, addresses=100)
    for number in range(10_000):
        brake.admit(f"192.0.2.{number % 50}" if number % 2 else f"unknown {number}")

    assert len(brake) == 100
    assert not brake.admit("192.0.2.1")
