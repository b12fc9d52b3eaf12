"""The page of versions: said in words, opened, compared, put back, named; asides taken over; a thousand of them."""

from datetime import UTC, datetime

import pytest

from kpi_core.errors import KpiError
from tests.visits import GUEST, ME, app_store, come_by, kept, keys, said, settled, visit
from workbench import samples, versions, words
from workbench.rows import versions as rows
from workbench.store import Actor, Clashing, new_key, revisions

SAMPLE = samples.sample_plan()
ACTOR = Actor.of(ME)


@pytest.fixture
def store(tmp_path):
    with app_store(tmp_path) as opened:
        yield opened


def saved(store, plan_id, parent, changes, *, author="田中"):
    plan = store.read(ACTOR, plan_id, parent).plan.replace(changes)
    return store.save(ACTOR, plan_id, parent, plan, key=new_key(), author=author)


def rate(number) -> dict[str, float]:
    return {"metrics.meeting_rate.value": number}


def three(store) -> str:
    """A plan whose rate of meetings goes 75 → 78 → 80 %."""
    plan_id = kept(store)
    saved(store, plan_id, 1, rate(0.78))
    saved(store, plan_id, 2, rate(0.80), author="佐藤")
    return plan_id


def clashing(store) -> tuple[str, int]:
    """A plan with an aside: version 3 says 70 %, but 78 % was saved before."""
    plan_id = kept(store)
    saved(store, plan_id, 1, rate(0.78))
    outcome = saved(store, plan_id, 1, {**rate(0.70), "limits.budget": 20_000_000}, author="佐藤")
    assert isinstance(outcome, Clashing)
    return plan_id, outcome.mine


def looked(store, plan_id, *, opened=(), **more):
    """Visit the page and open some of its lines: version numbers, or "compare"."""
    app = visit(store, plan_id, page="versions", **more)
    for one in opened:
        app.session_state[f"version_{plan_id}_{one}" if isinstance(one, int) else one] = True
    return app.run() if opened else app


def lines(app) -> list[str]:
    return [expander.label.replace("\\", "") for expander in app.expander]


@pytest.mark.parametrize("language", ["ja", "en"])
@pytest.mark.parametrize("role", ["view", "edit", "facilitate"])
def test_the_newest_change_is_said_first_with_who_made_it(store, role, language):
    plan_id = three(store)
    come_by(store, plan_id, role)

    app = looked(store, plan_id, cookie=GUEST, language=language, opened=(2,))

    assert not app.exception
    found = [line for line in lines(app) if "→" in line]
    assert "78.0% → 80.0%" in found[0] and "佐藤" in found[0]
    assert "75.0% → 78.0%" in found[1] and "田中" in found[1]
    assert "78.0% → 80.0%" in said(app) and "佐藤" in said(app)
    japanese = said(app).replace("田中", "").replace("佐藤", "")
    assert any("\u3040" <= letter <= "\u30ff" for letter in japanese) == (language == "ja")
    assert bool(app.text_input) == (role != "view")


def test_times_are_the_readers_and_grouped_by_the_readers_day(store, monkeypatch):
    plan_id = kept(store)
    monkeypatch.setattr(store.database, "clock", lambda: datetime(2026, 3, 31, 15, 30, tzinfo=UTC))
    saved(store, plan_id, 1, rate(0.78))

    app = looked(store, plan_id)

    assert "2026-04-01" in [caption.value for caption in app.caption]
    assert any(line.startswith("00:30 · **田中**") for line in lines(app))


def test_whoever_gave_no_name_is_not_called_anything(store):
    plan_id = kept(store)
    saved(store, plan_id, 1, rate(0.78), author="")

    app = looked(store, plan_id)

    assert "Last change, " in said(app)
    assert "Last changed by" not in said(app)
    assert "**" not in lines(app)[1]


def test_opening_a_version_says_all_that_changed_and_only_then_reads_it(store):
    plan_id = kept(store)
    saved(store, plan_id, 1, {**rate(0.78), "kgi.target": 1_200_000_000, "limits.budget": 20_000_000})

    closed, opened = looked(store, plan_id), looked(store, plan_id, opened=(2,))

    assert any("and 2 more" in line for line in lines(closed))
    assert "¥20" not in said(closed)
    body = next(element.value for element in opened.markdown if element.value.startswith("- "))
    assert body.count("\n") == 2


def test_an_old_version_comes_back_as_a_new_one_and_undo_takes_that_back(store):
    plan_id = three(store)
    app = looked(store, plan_id, opened=(2,))

    app.button(key="restore_2").click().run()
    settled(app.session_state["visit"]["session_desk"])

    history = store.history(ACTOR, plan_id)
    assert [(one.number, one.kind) for one in history[:2]] == [(4, "restore"), (3, "change")]
    assert store.read(ACTOR, plan_id).plan.metrics["meeting_rate"].value == 0.78
    app.run()
    assert any("put back" in line for line in lines(app))
    app.button(key="header_undo").click().run()
    settled(app.session_state["visit"]["session_desk"])
    assert store.read(ACTOR, plan_id).plan.metrics["meeting_rate"].value == 0.80


def test_a_viewer_tries_an_old_version_and_changes_nothing(store):
    plan_id = three(store)
    come_by(store, plan_id, "view")
    app = looked(store, plan_id, cookie=GUEST, opened=(2,))

    app.button(key="restore_2").click().run()

    assert app.session_state["visit"]["session_desk"].plan.metrics["meeting_rate"].value == 0.78
    assert store.read(ACTOR, plan_id).number == 3


def test_a_version_is_named_and_an_empty_name_takes_it_away(store):
    plan_id = three(store)
    app = looked(store, plan_id, opened=(2,))

    app.text_input(key="label_2").set_value("KGI **review**").run()
    assert store.history(ACTOR, plan_id)[1].label == "KGI **review**"
    assert any("blue-badge[:material/star: KGI **review**]" in line for line in lines(app))
    app.text_input(key="label_2").set_value("").run()

    assert store.history(ACTOR, plan_id)[1].label == ""


def test_a_name_that_cannot_be_kept_now_stays_in_its_field_with_the_reason(store, monkeypatch):
    plan_id = three(store)
    app = looked(store, plan_id, opened=(2,))

    def read_only(*_args):
        raise KpiError("store_read_only", "Nothing can be saved now: the storage is read-only.")

    monkeypatch.setattr(store, "label", read_only)
    app.text_input(key="label_2").set_value("KGI review").run()

    assert app.text_input(key="label_2").value == "KGI review"
    assert "read-only" in said(app)


def test_what_was_merged_and_what_was_undone_is_said(store):
    plan_id = kept(store)
    saved(store, plan_id, 1, rate(0.78))
    saved(store, plan_id, 1, {"kgi.target": 1_200_000_000}, author="佐藤")  # merged with 78 %
    store.undo(ACTOR, plan_id, 2, key=new_key())

    found = lines(looked(store, plan_id))
    opened = looked(store, plan_id, opened=(3,))

    assert any("78.0% → 75.0%" in line and "gray-badge[undone]" in line for line in found)
    assert any("佐藤" in line and "gray-badge[merged]" in line for line in found)
    assert any("gray-badge[the beginning]" in line for line in found)
    assert "Made of version 1 while version 2 was saved; both are in it." in said(opened)


def test_what_could_not_be_merged_is_shown_with_what_it_holds_and_taken_over_where_it_is_ticked(store):
    plan_id, aside = clashing(store)
    app = looked(store, plan_id, opened=(aside,))

    assert any("75.0% → 70.0%" in line and "not merged: kept beside" in line for line in lines(app))
    assert f"restore_{aside}" not in keys(app)
    choices = [box.label.replace("\\", "") for box in app.checkbox]
    assert len(choices) == 1 and "70" in choices[0] and "78" in choices[0]
    app.button(key=f"take_{aside}").click().run()
    settled(app.session_state["visit"]["session_desk"])

    plan = store.read(ACTOR, plan_id).plan
    assert plan.metrics["meeting_rate"].value == 0.70
    assert plan.limits.budget == 20_000_000
    app.run()
    assert "All of it is in the plan by now." in said(app)


def test_what_is_not_ticked_stays_as_the_plan_has_it(store):
    plan_id, aside = clashing(store)
    app = looked(store, plan_id, opened=(aside,))

    app.checkbox(key=f"aside_{aside}_0").uncheck()
    app.button(key=f"take_{aside}").click().run()
    settled(app.session_state["visit"]["session_desk"])

    plan = store.read(ACTOR, plan_id).plan
    assert plan.metrics["meeting_rate"].value == 0.78
    assert plan.limits.budget == 20_000_000


def test_a_viewer_reads_what_lies_beside_and_cannot_take_it(store):
    plan_id, aside = clashing(store)
    come_by(store, plan_id, "view")

    app = looked(store, plan_id, cookie=GUEST, opened=(aside,))

    assert not app.checkbox
    assert f"take_{aside}" not in keys(app)
    assert "the plan says 78" in said(app)


def test_two_versions_are_compared_both_ways_with_the_kgi_by_hand(store):
    """75 → 80 % of ¥864M: 864 · 80/75 = 921.6, so 57.6 more."""
    plan_id = three(store)

    app = looked(store, plan_id, opened=("compare",))
    with words.speaking("en"):
        app.selectbox(key=f"compare_one_{plan_id}").set_value("1").run()

    assert "Revenue comes to ¥864.0M in the first and ¥921.6M in the second: +¥57.6M." in said(app)
    both = [element.value for element in app.markdown if element.value.startswith("- ")]
    assert len(both) == 2
    assert "75.0% → 80.0%" in both[0].replace("\\", "")
    assert "80.0% → 75.0%" in both[1].replace("\\", "")
    table = app.table[0].value.to_string().replace("\\", "")
    assert "¥864.0M" in table and "¥921.6M" in table and "+¥57.6M" in table


def test_a_version_compared_with_itself_asks_for_another(store):
    plan_id = kept(store)

    app = looked(store, plan_id, opened=("compare",))

    assert "Choose two different versions." in said(app)


def test_versions_with_different_kgis_are_not_subtracted():
    other = SAMPLE.replace({"kgi.metric": "wins", "kgi.target": 125})

    with words.speaking("en"):
        found = rows.goals(SAMPLE, other, ("Version 1", "Version 2"))
        told = rows.moved(SAMPLE, other)

    assert {row["Difference"] for row in found} == {"–"}
    assert [row["Version 2"] for row in found] == ["–", "108", "–", "125"]
    assert told == "The two plan for different goals."


def many(store, count: int) -> str:
    """A plan of so many versions, 70 and 71 % by turns, written in one go."""
    plan_id = kept(store)
    drafts = [revisions.Draft.of(SAMPLE.replace(rate(value))) for value in (0.70, 0.71)]

    def write(connection):
        for number in range(2, count + 1):
            about = {"plan_id": plan_id, "parent": number - 1, "base": number - 1, "kind": "change"}
            about |= {"author": "", "note": "", "at": datetime(2026, 4, 1, tzinfo=UTC)}
            revisions.append(connection, about, drafts[number % 2], key=f"{number}")

    store.database.write(write)
    return plan_id


def watched(store, monkeypatch) -> list[int]:
    """The numbers of the versions that are read from now on."""
    numbers, read = [], type(store).read

    def counted(actor, plan_id, number=None):
        numbers.extend([number] if number else [])
        return read(store, actor, plan_id, number)

    monkeypatch.setattr(store, "read", counted)
    return numbers


def test_of_a_thousand_versions_only_those_that_are_shown_are_read(store, monkeypatch):
    plan_id = many(store, 1_000)
    numbers = watched(store, monkeypatch)

    app = looked(store, plan_id)

    assert len([line for line in lines(app) if "→" in line]) == 50
    assert set(numbers) == set(range(950, 1_001))


def test_older_versions_are_a_page_further_and_what_was_read_once_is_not_read_again(store, monkeypatch):
    plan_id = many(store, 70)
    app = looked(store, plan_id)
    numbers = watched(store, monkeypatch)

    app.button(key="versions_older").click().run()
    assert len([line for line in lines(app) if "→" in line]) == 19
    assert any("The plan begins" in line for line in lines(app))
    assert "versions_older" not in keys(app)
    assert set(numbers) == set(range(1, 21))
    numbers.clear()
    app.button(key="versions_newest").click().run()

    assert len([line for line in lines(app) if "→" in line]) == 50
    assert not numbers


@pytest.mark.parametrize("language", ["ja", "en"])
def test_a_browser_that_sends_no_cookie_is_told_that_there_are_no_versions(language):
    app = visit(language=language, page="versions")

    assert not app.exception
    assert "Cookie" in said(app) or "cookie" in said(app)
    assert "download_yaml" in {button.key for button in app.get("download_button")}


def test_before_the_first_change_there_is_nothing_to_list(store):
    app = visit(store, page="versions")

    assert "the first change makes the first version" in said(app)


def test_a_storage_that_is_down_is_said_and_the_file_can_be_taken(store, monkeypatch):
    plan_id = three(store)

    def down(*_args, **_more):
        raise KpiError("store_down", "The storage does not answer. Your changes are kept on this page for now.")

    monkeypatch.setattr(store, "history", down)

    app = looked(store, plan_id)

    assert not app.exception
    assert "The storage does not answer." in said(app)
    assert "download_yaml" in {button.key for button in app.get("download_button")}


def test_a_version_that_cannot_be_read_does_not_hide_the_others(store, monkeypatch):
    plan_id = three(store)
    read = type(store).read

    def damaged(actor, plan, number=None):
        if number == 2:
            raise KpiError("plan_newer", "This plan was saved by a newer version of the app.")
        return read(store, actor, plan, number)

    monkeypatch.setattr(store, "read", damaged)

    app = looked(store, plan_id, opened=(2,))

    assert not app.exception
    assert len(lines(app)) >= 3


def test_names_people_gave_are_text(store):
    hostile = "**A** [x](http://evil.test) :red[B] $a$"
    plan_id = kept(store)
    saved(store, plan_id, 1, rate(0.78), author=hostile)
    store.label(ACTOR, plan_id, 2, hostile)

    app = looked(store, plan_id, opened=(2, "compare"))

    texts = [element.value for element in (*app.markdown, *app.caption)] + [one.label for one in app.expander]
    assert sum("evil" in text for text in texts) >= 2
    assert not any("](http" in text.replace("\\]\\(http", "") or ":red[B]" in text for text in texts)


def test_the_shelf_of_one_plan_remembers_no_page_of_another(store):
    one, two = versions.Shelf(store, ACTOR, "one"), versions.Shelf(store, ACTOR, "two")

    one.turn(10)

    assert not one.is_first_page()
    assert two.is_first_page()
