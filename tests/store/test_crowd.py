"""Many processes of many people who save at once: nothing lost, nothing twice, no error."""

from __future__ import annotations

import pytest

from tests.store import writers
from workbench.store import Store


@pytest.mark.parametrize(
    ("processes", "clients", "saves", "plans"),
    [(2, 8, 6, 4), pytest.param(8, 50, 25, 20, marks=pytest.mark.long)],
)
def test_everybodys_saves_are_all_there_once(
    url: str, nursery: writers.Nursery, processes: int, clients: int, saves: int, plans: int
):
    """The long one: 8 processes of 50 people write 10,000 revisions of 20 plans; 20 people share each plan."""
    store = Store.at(url)
    everybody = writers.set_up(store, processes * clients, plans)
    for process in range(processes):
        nursery.go(url, everybody[process::processes], saves=saves)
    running, said = 0, []

    for told in nursery.say():
        if "started" in told:
            running += 1
            nursery.reap(told["started"])
        elif "ended" in told:
            running -= 1
            if not running:
                break
        else:
            said.append(told)

    assert [told for told in said if "error" in told] == []
    assert len(said) == processes * clients * saves
    writers.assert_nothing_lost(store, everybody, said, all_of=True)
    store.close()
