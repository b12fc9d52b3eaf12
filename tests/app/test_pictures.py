"""What a person did is taken up whole, however soon their browser says the next thing."""

from types import SimpleNamespace

import pytest
from streamlit.proto.WidgetStates_pb2 import WidgetStates
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


@pytest.mark.parametrize(
    ("stood", "dropped"),
    [("31億 *", "31億 *"), ("1,000,000,000", None), (None, None)],
    ids=["typed", "the same", "nothing"],
)
def test_what_stood_in_a_field_when_the_server_was_restarted_is_known_until_it_is_drawn(monkeypatch, stood, dropped):
    state = SafeSessionState(SessionState(), lambda: None)
    sent = WidgetStates()
    for widget, value in (("$$ID-0f-kgi.target", stood), ("$$ID-0f-other_kgi.target", "99")):
        if value is not None:
            sent.widgets.add(id=widget, string_value=value)
    sent.widgets.add(id="$$ID-0f-slider").double_array_value.data.append(1.0)
    sent.widgets.add(id="$$ID-0f-months", double_value=3.0)
    sent.widgets.add(id="$$ID-0f-several").string_array_value.data.append("a")
    state._state.set_widgets_from_proto(sent)
    monkeypatch.setattr(pictures, "get_script_run_ctx", lambda: SimpleNamespace(session_state=state))
    monkeypatch.setattr(pictures.st, "session_state", {})

    assert pictures.dropped("kgi.target", "1,000,000,000") == dropped
    assert (pictures.dropped("slider", 2.0), pictures.dropped("slider", 1.0)) == (1.0, None)
    assert (pictures.dropped("months", None), pictures.dropped("months", 3)) == (3.0, None)
    assert pictures.dropped("several", None) is None
    pictures.give("kgi.target", "1,000,000,000")
    assert pictures.dropped("kgi.target", "1,000,000,000") is None
