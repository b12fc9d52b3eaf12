"""People who save, in processes of their own, so that a test can run many at once or kill one in the middle.

A nursery loads everything once, and forks a process for each line it reads, `{"go": [[client, plan, field], …], …}`.
Each of its threads is a client, who changes its own number of its plan again and again and, once the save is
answered, writes `{"plan", "number", "key", "field", "value"}` to standard output; what goes wrong, `{"error"}`.
`{"reap": pid}` is answered `{"ended", "code"}` when that process has ended: whatever it has said is said by then.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from types import MappingProxyType
from typing import Any

from kpi_core.plan import Plan
from tests.serving import ROOT
from workbench.store import Actor, Kept, Store, engine, new_key
from workbench.store.migrating import known
from workbench.store.tables import revisions

FIELDS = 20
OWNER = Actor.of("owner")
Client = tuple[int, str, str]  # who, which plan, which number of it


def counting_plan(fields: int = FIELDS) -> Plan:
    """Return a plan with one number for each of so many clients."""
    said = {"unit": "件", "kind": "count", "team": "all"}
    metrics: dict[str, Any] = {f"c{at}": {**said, "name": {"en": f"Counter {at}"}, "value": 0} for at in range(fields)}
    metrics["total"] = {**said, "name": {"en": "Total"}, "kind": "kgi", "formula": " + ".join(metrics)}
    return Plan.from_data(
        {
            "schema": 1,
            "name": {"en": "Counting"},
            "fiscal_year": {"starts": "2026-04"},
            "kgi": {"metric": "total", "target": 1e6},
            "teams": {"all": {"name": {"en": "All"}}},
            "metrics": metrics,
        }
    )


def set_up(store: Store, clients: int, plans: int) -> list[Client]:
    """Make the plans, and let every client come to one of them by a link."""
    made = [store.begin(OWNER, counting_plan(), key=f"plan {at}").plan_id for at in range(plans)]
    tokens = [store.issue(OWNER, plan_id, "edit")[1] for plan_id in made]
    for client in range(clients):
        assert store.enter(actor(client), tokens[client % plans], address="192.0.2.1") == made[client % plans]
    return [(client, made[client % plans], f"c{client // plans}") for client in range(clients)]


def actor(client: int) -> Actor:
    return Actor.of(f"client {client}")


class Nursery:
    """Writers, seen from the test: `go` starts a process, `say` reads what it and others say."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def go(
        self,
        url: str,
        clients: list[Client],
        *,
        saves: int | None = None,
        pragmas: tuple[str, ...] = (),
        environment: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        """Start a process of these clients, each of which saves so many times, or until it is killed."""
        self._tell({"go": clients, "url": url, "saves": saves, "pragmas": pragmas, "environment": dict(environment)})

    def reap(self, pid: int) -> None:
        """Ask to be told when that process has ended."""
        self._tell({"reap": pid})

    def say(self) -> Iterator[dict[str, Any]]:
        """Yield what is said, as it comes."""
        assert self._process.stdout
        for line in self._process.stdout:
            yield json.loads(line)

    def _tell(self, said: dict[str, Any]) -> None:
        assert self._process.stdin
        self._process.stdin.write(json.dumps(said) + "\n")
        self._process.stdin.flush()


@contextmanager
def nursery(**environment: str) -> Iterator[Nursery]:
    """Yield a nursery of writers."""
    command = [sys.executable, "-m", "tests.store.writers"]
    pipes: dict[str, Any] = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    with subprocess.Popen(command, cwd=ROOT, env={**os.environ, **environment}, **pipes) as process:
        try:
            yield Nursery(process)
        finally:
            process.kill()


def assert_nothing_lost(
    store: Store, clients: list[Client], acknowledged: list[dict[str, Any]], *, all_of: bool
) -> None:
    """Hold what is stored against what was acknowledged.

    Each plan is one line of revisions without gaps in which every revision changes one client's number and leaves
    all others as they were, so that nobody's is ever lost; every acknowledged one is there, once.
    """
    answered = {told["key"]: told for told in acknowledged}
    assert len(answered) == len(acknowledged)
    for plan_id in {plan_id for _client, plan_id, _field in clients}:
        with store.database.read() as connection:
            chosen = revisions.select().where(revisions.c.plan_id == plan_id).order_by(revisions.c.number)
            rows = connection.execute(chosen).mappings().all()
        line = [_values(row["document"]) for row in rows]
        mine = {key: told for key, told in answered.items() if told["plan"] == plan_id}
        assert [row["number"] for row in rows] == list(range(1, len(rows) + 1))
        assert [row["parent"] for row in rows] == [None, *range(1, len(rows))]
        assert store.standing(OWNER, plan_id).newest == len(rows)
        assert len({row["key"] for row in rows}) == len(rows)
        for row, before, now in zip(rows[1:], line, line[1:], strict=False):
            [field] = [name for name in now if now[name] != before[name]]
            assert now[field] > before[field]
            if told := mine.pop(row["key"], None):
                assert (told["number"], told["field"], told["value"]) == (row["number"], field, now[field])
            else:
                assert not all_of
        assert mine == {}


def _values(document: bytes) -> dict[str, float]:
    metrics = json.loads(zlib.decompress(document))["metrics"]
    return {name: entry["value"] for name, entry in metrics.items() if "value" in entry}


def _client(store: Store, client: int, plan_id: str, field: str, saves: int | None) -> None:
    """Change one's own number and save, again and again, on what one last saw."""
    try:
        kept: Kept = store.read(actor(client), plan_id)
        while saves is None or saves:
            key, value = new_key(), int(kept.plan.metrics[field].value or 0) + 1
            changed = kept.plan.replace({f"metrics.{field}.value": value})
            outcome = store.save(actor(client), plan_id, kept.number, changed, key=key)
            assert isinstance(outcome, Kept), outcome
            kept = outcome
            _say({"plan": plan_id, "number": kept.number, "key": key, "field": field, "value": value})
            saves = None if saves is None else saves - 1
    except Exception as error:  # whatever a person would have been shown, and what was behind it
        _say({"error": f"{getattr(error, 'code', type(error).__name__)}: {error} {error.__cause__!r:.1000}"})


def _say(told: dict[str, Any]) -> None:
    os.write(1, f"{json.dumps(told)}\n".encode())  # one write of less than a page: lines of many do not mix


def _process(url: str, clients: list[Client], saves: int | None) -> None:
    store = Store.at(url)
    store.prepare()
    threads = [threading.Thread(target=_client, args=(store, *client, saves)) for client in clients]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    store.close()


def main() -> None:
    """Fork a process of writers for each line that asks for one."""
    known()  # loaded before, so that a process that is killed has not spent its life loading
    for line in sys.stdin:
        told = json.loads(line)
        if "reap" in told:
            _pid, code = os.waitpid(told["reap"], 0)
            _say({"ended": told["reap"], "code": code})
        elif pid := os.fork():
            _say({"started": pid})
        else:
            os.environ.update(told["environment"])
            engine._PRAGMAS = (*engine._PRAGMAS, *told["pragmas"])
            _process(told["url"], told["go"], told["saves"])
            os._exit(0)


if __name__ == "__main__":
    main()
