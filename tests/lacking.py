"""What a test needs and a machine may lack: elsewhere the test is skipped, in CI it fails."""

import os
from typing import NoReturn

import pytest


def lacking(what: str) -> NoReturn:
    """Skip the test that needs it; in CI, where nobody reads what was skipped, fail."""
    if os.environ.get("CI") == "true":
        pytest.fail(what)
    pytest.skip(what)
