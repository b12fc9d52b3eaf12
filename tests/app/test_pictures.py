"""What a person did is taken up whole, however soon their browser says the next thing."""

from types import SimpleNamespace

import pytest
from streamlit.runtime.state import SafeSessionState, SessionState

from workbench import pictures


class Ended(BaseException):
    """A newer message of the browser ends the run."""


def ends():
    raise Ended


def test_a_newer_message_ends_no_entry_half_done(monkeypatch):
    state = SafeSessionState(SessionState(), ends)
    monkeypatch.setattr(pictures, "get_script_run_ctx", lambda: SimpleNamespace(session_state=state))

    @pictures.uninterrupted()
    def entry():
        with pictures.uninterrupted():
            state["plan"] = 1
        state["plan"] += 1

    entry()
    with pytest.raises(Ended):
        state["plan"]
    assert state.filtered_state["plan"] == 2


def test_it_may_be_ended_again_after_an_entry_that_failed(monkeypatch):
    state = SafeSessionState(SessionState(), ends)
    monkeypatch.setattr(pictures, "get_script_run_ctx", lambda: SimpleNamespace(session_state=state))

    with pytest.raises(ValueError, match="no number"), pictures.uninterrupted():
        raise ValueError("no number")
    with pytest.raises(Ended):
        state["plan"] = 1
