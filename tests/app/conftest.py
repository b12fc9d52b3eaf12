"""What an app under test shares with the others: a server looks for components and settings once, when it starts."""

from collections.abc import Iterator
from functools import cache

import pytest
from streamlit import config
from streamlit.components.v2 import manifest_scanner


@pytest.fixture(scope="session", autouse=True)
def _started_once() -> Iterator[None]:
    """Read the metadata of all installed packages once, not for each app: that took a third of the time."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(manifest_scanner, "scan_component_manifests", cache(manifest_scanner.scan_component_manifests))
        usual = config.get_option("runner.magicEnabled")
        config.set_option("runner.magicEnabled", False)  # as .streamlit/config.toml has it
        yield
        config.set_option("runner.magicEnabled", usual)
