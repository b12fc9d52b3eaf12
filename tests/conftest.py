"""Sets up Hypothesis and where plans are stored while testing.

Random examples have no deadline: machines are noisy, and timings live in `make bench`. They are the same ones each time
(`make test`), so that what passed once passes again; `-m long` runs every test with random examples as well, with
others each time and more of them. The seed it prints repeats it: --hypothesis-seed=… (which explores too).
What exploring finds becomes an `@example` beside its test.
"""

import os
import secrets
import tempfile
from typing import Any

import pytest
from hypothesis import HealthCheck, is_hypothesis_test, settings

EXPLORED = 500  # examples, of tests that ask for no number of their own

settings.register_profile("fixed", deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True)
settings.register_profile("exploring", settings.get_profile("fixed"), derandomize=False, max_examples=EXPLORED)

if "GYAKUSAN_DATA" not in os.environ or "PYTEST_XDIST_WORKER" in os.environ:  # each worker has its own
    os.environ["GYAKUSAN_DATA"] = tempfile.mkdtemp(prefix="gyakusan-tests-")


def _explores(config: pytest.Config) -> bool:
    return config.option.markexpr == "long" or config.option.hypothesis_seed is not None


@pytest.hookimpl(tryfirst=True)  # before Hypothesis reads the seed
def pytest_configure(config: pytest.Config) -> None:
    explores = _explores(config)
    settings.load_profile("exploring" if explores else "fixed")
    if explores and config.option.hypothesis_seed is None:
        sent = getattr(config, "workerinput", {})
        config.option.hypothesis_seed = sent.get("hypothesis_seed") or str(secrets.randbelow(2**32))


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """Give the seed to a worker: it gets the command line only."""
    node.workerinput["hypothesis_seed"] = node.config.option.hypothesis_seed


def pytest_report_header(config: pytest.Config) -> str:
    if not _explores(config):
        return "random examples: the same each time"
    return f"random examples: others each time; repeat these with --hypothesis-seed={config.option.hypothesis_seed}"


@pytest.hookimpl(tryfirst=True)  # before marks are selected by
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    for item in items if config.option.markexpr == "long" else ():
        if is_hypothesis_test(getattr(item, "obj", None)):
            item.add_marker("long")
