"""A long choice beside the page: a bar and a stop button, the best so far kept, asked again answered at once."""

from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from kpi_core.focus import boxes
from kpi_core.plan import Plan
from tests.app.test_pages import opened, words
from tests.bench.focus_plans import plan_of
from workbench import jobs
from workbench import words as speech

SAMPLE = Plan.from_text((Path(__file__).parents[2] / "sample_data/sample_plan.yaml").read_text("utf-8"))


@pytest.fixture(autouse=True)
def _english():
    """AppTest writes widgets' options outside the page: in the language spoken there."""
    with speech.speaking("en"):
        yield


def _jobs() -> None:
    """Run a job that says how far it is and goes on until it is stopped, or counts to 30."""
    import time

    import streamlit as st

    from workbench import jobs

    def work(job):
        counted = 0
        while counted < 30 and job.tell(counted / 30, counted):
            time.sleep(0.05)
            counted += 1
        return counted

    asked = st.session_state.get("asked", 1)
    st.write(f"found {jobs.result('count', asked, work, lambda *told: f'at {told}')}")


def test_what_takes_longer_than_a_blink_has_a_bar_and_then_its_answer():
    app = AppTest.from_function(_jobs, default_timeout=300).run()

    assert [one.value for one in app.markdown] == ["found 30"]
    first = app.session_state["visit"]["kept_job_count"]
    app.run()
    assert [one.value for one in app.markdown] == ["found 30"]
    assert app.session_state["visit"]["kept_job_count"] is first  # it does not count again


def test_a_job_that_fails_says_so_and_can_be_asked_again():
    def fails():
        import streamlit as st

        from kpi_core.errors import KpiError
        from workbench import jobs

        def work(_job):
            raise KpiError("nothing", "No.")

        try:
            jobs.result("fails", 1, work, lambda *_told: "")
        except KpiError as error:
            st.write(str(error))

    app = AppTest.from_function(fails, default_timeout=300)
    for _ in range(2):
        assert [one.value for one in app.run().markdown] == ["No."]


def test_a_stopped_job_ends_with_what_it_has():
    from workbench.jobs import Job, each

    job = Job("asked", lambda job: each(job, iter(range(100)), 100))
    seen = []

    def some():
        for at in range(100):
            if at == 5:
                job.stopped.set()
            seen.append(at)
            yield at

    assert each(job, some(), 100) == [0, 1, 2, 3, 4, 5]
    assert job.told == (0.06, 6, 100)


def test_what_is_asked_for_at_once_is_waited_for_later_and_worked_out_once():
    def twice():
        import time

        import streamlit as st

        from workbench import jobs

        def work(_job):
            time.sleep(0.6)
            return 7

        first = jobs.at_once("slow", 1, work)
        st.write(f"at once {first}, then {jobs.result('slow', 1, work, lambda *_told: '')}")

    app = AppTest.from_function(twice, default_timeout=300).run()

    assert [one.value for one in app.markdown] == ["at once None, then 7"]
    assert [one.value for one in app.run().markdown] == ["at once 7, then 7"]


def test_what_stands_below_a_job_keeps_its_place_whether_one_had_to_wait_or_not():
    def waits():
        import time

        import streamlit as st

        from workbench import jobs

        jobs.result("slow", 1, lambda _job: time.sleep(0.5), lambda *_told: "")
        st.write("below")

    app = AppTest.from_function(waits, default_timeout=300)
    places = [[at for at, one in app.run().main.children.items() if one.type == "markdown"] for _ in range(2)]

    assert places[0] == places[1]


def test_the_futures_go_on_while_people_agree_and_stop_when_the_limits_change():
    app = opened("focus", language="en")
    app.button(key="try_futures").click().run()
    assert "In 1,024 futures this very set is best" in said(app)
    first = app.session_state["visit"]["kept_job_futures"]

    app.button(key="agree").click().run()
    assert len(desk(app).plan.decisions) == 1
    assert app.session_state["visit"]["kept_job_futures"] is first
    assert not first.stopped.is_set()
    assert "In 1,024 futures this very set is best" in said(app)

    app.text_input(key="teams.marketing.hours").set_value("500").run()
    assert first.stopped.is_set()
    assert "futures this very set is best" not in said(app)


def test_futures_that_were_stopped_are_those_tried_so_far(monkeypatch):
    monkeypatch.setattr(jobs.Job, "tell", lambda _job, _share, *numbers: not numbers or numbers[0] < 48)

    app = opened("focus", language="en")
    app.button(key="try_futures").click().run()

    assert "In 48 futures this very set is best" in said(app)


def test_a_plan_of_billions_of_sets_is_proven_on_the_page():
    app = opened("focus", plan=plan_of(4, 12, seed=0), language="en")

    assert not app.exception
    assert "Proven: of 7,992,538,801 possible sets none is better." in said(app)


def test_a_choice_that_was_stopped_says_what_may_be_missing(monkeypatch):
    monkeypatch.setattr(boxes, "_STEPS", 60)
    monkeypatch.setattr(boxes, "_SMALL", 0.02)
    monkeypatch.setattr(jobs.Job, "tell", lambda _job, _share, *told: not told or max(told) == float("inf"))

    app = opened("focus", plan=plan_of(4, 12, channels=3, seed=2), language="en")

    assert not app.exception
    assert "Not proven: stopped while a set might still bring up to" in said(app)
    assert "more were not looked into." in said(app)


def test_hours_by_quarter_are_set_typed_and_taken_back():
    app = opened("focus", language="en")
    app.button("set_teams.marketing.quarters").click().run()
    assert desk(app).plan.teams["marketing"].quarters == (140, 140, 140, 140)

    app.text_input("teams.marketing.quarters.1").set_value("90").run()
    assert desk(app).plan.teams["marketing"].quarters == (140, 90, 140, 140)
    app.text_input("teams.marketing.quarters.1").set_value("たくさん").run()
    assert desk(app).plan.teams["marketing"].quarters == (140, 90, 140, 140)
    assert app.text_input("teams.marketing.quarters.1").value == "たくさん"
    assert not app.exception

    app.text_input("teams.marketing.quarters.1").set_value("90").run()
    app.button("drop_teams.marketing.quarters").click().run()
    assert desk(app).plan.teams["marketing"].quarters is None


def test_a_ksf_that_cannot_be_chosen_with_another_replaces_it_in_the_reasons():
    plan = SAMPLE.replace({"ksfs.F1.excludes": ["F3"]})

    app = opened("focus", plan=plan, language="en")

    assert any("Cannot be chosen together with" in table.value.to_csv() for table in app.table)


def said(app):
    return words(app).replace("\\", "")


def desk(app):
    return app.session_state["visit"]["session_desk"]
