"""Stores to test on: each test its own empty database, SQLite and PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from kpi_core.plan import Plan
from tests.store import postgres, writers
from tests.store.clock import Clock
from workbench import samples
from workbench.store import Store
from workbench.store.engine import connect


@pytest.fixture(scope="session")
def server() -> Iterator[postgres.Server]:
    with postgres.server(durable=False) as running:
        yield running


@pytest.fixture(scope="session")
def durable_server() -> Iterator[postgres.Server]:
    with postgres.server() as running:
        yield running


@pytest.fixture(scope="session")
def nursery() -> Iterator[writers.Nursery]:
    with writers.nursery() as started:
        yield started


@pytest.fixture(params=["sqlite", "postgres"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/kept/plans.sqlite3"
    is_long = any(mark.name == "long" for mark in request.node.iter_markers())
    return request.getfixturevalue("durable_server" if is_long else "server").schema()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def store(url: str, clock: Clock) -> Iterator[Store]:
    opened = Store(connect(url, clock=clock))
    yield opened
    opened.close()


@pytest.fixture
def sqlite_store(tmp_path: Path, clock: Clock) -> Iterator[Store]:
    opened = Store(connect(f"sqlite:///{tmp_path}/kept/plans.sqlite3", clock=clock))
    yield opened
    opened.close()


@pytest.fixture(scope="session")
def plan() -> Plan:
    return samples.sample_plan()
