"""Each guard below is what protects: taken out of a copy of the app, it turns the test red that is named beside it.

A guard is a piece of a line as it stands in the file, once, and what stands there without it. Whoever rewrites such a
line says here what guards now; whoever adds a guard adds it here, with the test that sees the harm.
"""

from __future__ import annotations

import ast
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).parents[1]
COPIED = ("kpi_core", "workbench", "pages", "sample_data", "tests", ".streamlit", "app.py", "pyproject.toml")
APP, CORE, STORE = "tests/app/test_guards.py", "tests/core/test_plan_guards.py", "tests/store/test_edges.py"
TEXT, LINK = "tests/app/test_hostile_names.py", "tests/app/test_open_link.py"
BACKUP = "tests/store/test_backup.py"


class Guard(NamedTuple):
    """What stands in a file, what stands there without the guard, and the test that is red then."""

    file: str
    text: str
    without: str
    test: str


GUARDS = [
    Guard(
        "workbench/tables.py",
        'letter if letter.isalnum() else f"\\\\{ord(letter):06x}"',
        "letter",
        f"{APP}::test_a_columns_name_cannot_leave_its_place_in_the_style_of_a_table",
    ),
    Guard(
        "workbench/headers.py",
        '(b"cross-origin-resource-policy", b"same-origin"),',
        "",
        f"{APP}::test_no_page_of_another_origin_may_show_what_is_here_as_its_own",
    ),
    Guard(
        "kpi_core/document.py",
        " or 0xD800 <= ord(letter) < 0xE000",
        "",
        f"{CORE}::test_the_core_refuses_half_a_surrogate_pair_where_pydantic_does_not_do_so_first",
    ),
    Guard(
        "kpi_core/plan_check.py",
        '("text_unreadable", "string_unicode")',
        '("text_unreadable",)',
        f"{CORE}::test_text_that_no_screen_and_no_file_can_show_is_refused_in_every_field",
    ),
    Guard(
        "workbench/words.py",
        '.encode("utf-8", "replace").decode()',
        "",
        f"{APP}::test_whatever_an_error_quotes_can_be_sent_to_a_browser",
    ),
    Guard(
        "workbench/store/rights.py",
        "secret[:200]",
        "secret",
        f"{APP}::test_of_a_secret_only_so_much_is_hashed_as_any_of_ours_is_long",
    ),
    Guard(
        "workbench/new_link.py",
        'role if role in ROLES else "view"',
        "role",
        f"{APP}::test_a_choice_that_is_no_role_makes_the_link_that_allows_least",
    ),
    Guard(
        "workbench/files.py",
        "len(contents) > MAX_BYTES",
        "len(contents) > MAX_BYTES + 1",
        f"{APP}::test_a_file_of_five_megabytes_is_opened_and_one_with_a_byte_more_is_not",
    ),
    Guard(
        "workbench/files.py",
        "len(contents) > MAX_BYTES",
        "len(contents) >= MAX_BYTES",
        f"{APP}::test_a_file_of_five_megabytes_is_opened_and_one_with_a_byte_more_is_not",
    ),
    Guard(
        "kpi_core/plan_text.py",
        "len(text) > MAX_CHARACTERS",
        "len(text) > MAX_CHARACTERS + 1",
        f"{CORE}::test_a_text_of_as_many_characters_as_are_allowed_is_read_and_no_longer_one",
    ),
    Guard(
        "kpi_core/plan_text.py",
        "len(text) > MAX_CHARACTERS",
        "len(text) >= MAX_CHARACTERS",
        f"{CORE}::test_a_text_of_as_many_characters_as_are_allowed_is_read_and_no_longer_one",
    ),
    Guard(
        "workbench/tree_board/__init__.py",
        " and move.changes.keys() <= known",
        "",
        f"{APP}::test_a_move_may_name_known_cards_only",
    ),
    Guard(
        "workbench/tree_board/__init__.py",
        'if (picked := told_of("selected")) in known:',
        'if (picked := told_of("selected")) is not None:',
        f"{APP}::test_only_a_card_that_is_there_is_selected",
    ),
    Guard(
        "workbench/moves.py",
        "if any(lever not in plan.tree.inputs for lever in move.changes):",
        "if False:",
        f"{APP}::test_a_move_of_what_is_no_lever_is_refused",
    ),
    Guard(
        "workbench/moves.py",
        "if any(now[lever] not in (move.was[lever], own.get(lever)) for lever in fresh):",
        "if False:",
        f"{APP}::test_a_move_is_not_put_over_what_was_changed_elsewhere_but_offered",
    ),
    Guard(
        "workbench/session.py",
        'revisions.words_of("author", name)',
        "name",
        f"{APP}::test_a_name_that_is_longer_than_names_are_is_refused_when_it_is_given",
    ),
    Guard(
        "workbench/session.py",
        "if visit.mine().setdefault(_BROWSER, now) != now:",
        "if False:",
        f"{APP}::test_a_session_taken_up_with_another_cookie_holds_nothing_of_the_first_browsers",
    ),
    Guard(
        "workbench/session.py",
        "if not st.context.headers:",
        "if False:",
        f"{APP}::test_a_session_that_lies_unconnected_for_a_moment_is_still_its_browsers",
    ),
    Guard(
        "workbench/fields.py",
        "if unseen.changed(desk, entry):",
        "if False:",
        "tests/app/test_pages.py::test_an_entry_is_not_put_over_what_its_maker_has_not_seen_yet",
    ),
    Guard(
        "workbench/fields.py",
        ":red[{md(said)}]  ",
        ":red[{said}]  ",
        f"{TEXT}::test_what_is_refused_in_a_field_is_quoted_as_text",
    ),
    Guard(
        "workbench/fields.py",
        ":red[{md(said.format(text=note.entry[:200]))}]",
        ":red[{said.format(text=note.entry[:200])}]",
        f"{TEXT}::test_what_was_not_put_over_a_change_of_somebody_else_is_quoted_as_text",
    ),
    Guard(
        "workbench/refusals.py",
        "- {md(reason)}",
        "- {reason}",
        f"{TEXT}::test_what_is_wrong_with_a_file_is_quoted_as_text_and_no_more_of_it_than_can_be_read",
    ),
    Guard(
        "workbench/refusals.py",
        "return found[:12] + rest",
        "return found + rest",
        f"{APP}::test_of_many_problems_no_more_are_said_than_can_be_read",
    ),
    Guard(
        "workbench/plan_problems.py",
        "for problem in problems[:MOST_SAID]]",
        "for problem in problems]",
        f"{TEXT}::test_what_is_wrong_with_a_file_is_quoted_as_text_and_no_more_of_it_than_can_be_read",
    ),
    Guard(
        "workbench/moves.py",
        "name=md(words.name(entry)),",
        "name=words.name(entry),",
        f"{TEXT}::test_a_move_that_is_offered_again_names_its_lever_as_text",
    ),
    Guard(
        "workbench/moves.py",
        "mine=md(words.value(mine, entry)),",
        "mine=words.value(mine, entry),",
        f"{TEXT}::test_a_move_that_is_offered_again_names_its_lever_as_text",
    ),
    Guard("workbench/header.py", "st.toast(md(said))", "st.toast(said)", f"{TEXT}::test_a_notice_is_text"),
    Guard(
        "workbench/headers.py",
        "if started:",
        "if False:",
        f"{APP}::test_an_app_that_breaks_while_it_answers_begins_no_second_answer",
    ),
    Guard(
        "workbench/browsers.py",
        ' if header == b"cookie"',
        "",
        f"{APP}::test_only_a_cookie_says_which_browser_asks",
    ),
    Guard(
        "workbench/open_link/__init__.py",
        ", limiter=_entering",
        "",
        f"{LINK}::test_a_storage_that_hangs_takes_none_of_the_threads_that_serve_the_pages",
    ),
    Guard(
        "workbench/open_link/__init__.py",
        "html.escape(sentence)",
        "sentence",
        f"{LINK}::test_a_translation_is_text_on_the_landing_page",
    ),
    Guard(
        "workbench/store/links.py",
        'words_of("label", name)',
        "name",
        f"{STORE}::test_a_links_name_is_one_line_and_no_longer_than_labels_are",
    ),
    Guard(
        "workbench/store/links.py",
        "where(chosen, links.c.revoked_at.is_(None))",
        "where(chosen)",
        f"{STORE}::test_a_link_that_is_revoked_again_was_revoked_when_it_was",
    ),
    Guard(
        "workbench/store/persons.py",
        "desks.c.visitor == browser.visitor, ~select",
        "~select",
        f"{STORE}::test_who_signs_in_gets_what_their_browser_has_and_nothing_of_another_browser",
    ),
    Guard(
        "workbench/store/plans.py",
        " or ROLES.index(one.role) > ROLES.index(best.role)",
        "",
        f"{STORE}::test_a_list_names_the_strongest_of_the_roles_one_came_by",
    ),
    Guard(
        "workbench/store/plans.py",
        "(revisions_table.c.plan_id == plans.c.id) & (revisions_table.c.number == plans.c.newest)",
        "(revisions_table.c.number == plans.c.newest)",
        f"{STORE}::test_each_plan_of_a_list_says_when_it_was_changed_itself",
    ),
    Guard(
        "workbench/store/revisions.py",
        "select(plans.c.newest).where(plans.c.id == plan_id)",
        "select(plans.c.newest)",
        f"{STORE}::test_whatever_is_done_to_one_plan_another_in_the_same_database_stays_as_it_was",
    ),
    Guard(
        "workbench/store/revisions.py",
        "(revisions.c.plan_id == plan_id) & (revisions.c.key == key)",
        "(revisions.c.key == key)",
        f"{STORE}::test_whatever_is_done_to_one_plan_another_in_the_same_database_stays_as_it_was",
    ),
    Guard(
        "workbench/store/revisions.py",
        "select(*_ABOUT).where(revisions.c.plan_id == plan_id)",
        "select(*_ABOUT)",
        f"{STORE}::test_whatever_is_done_to_one_plan_another_in_the_same_database_stays_as_it_was",
    ),
    Guard(
        "workbench/store/revisions.py",
        "select(func.max(revisions.c.number)).where(revisions.c.plan_id == plan_id)",
        "select(func.max(revisions.c.number))",
        f"{STORE}::test_whatever_is_done_to_one_plan_another_in_the_same_database_stays_as_it_was",
    ),
    Guard(
        "workbench/store/plans.py",
        "update(plans).where(plans.c.id == plan_id)",
        "update(plans)",
        f"{STORE}::test_whatever_is_done_to_one_plan_another_in_the_same_database_stays_as_it_was",
    ),
    Guard(
        "workbench/store/rights.py",
        "links.c.plan_id == plan_id, alive",
        "alive",
        f"{STORE}::test_a_link_of_one_plan_allows_nothing_at_another",
    ),
    Guard(
        "workbench/store/links.py",
        "chosen = (links.c.plan_id == plan_id) & (links.c.id == link_id)",
        "chosen = links.c.id == link_id",
        f"{STORE}::test_a_link_of_one_plan_allows_nothing_at_another",
    ),
    Guard(
        "workbench/editor.py",
        "md(entry.definition)",
        "entry.definition",
        f"{TEXT}::test_what_people_write_is_text_where_a_metric_is_edited",
    ),
    Guard(
        "workbench/agreed_actions.py",
        "md(words.error(",
        "(words.error(",
        f"{TEXT}::test_a_day_that_is_none_is_quoted_as_text",
    ),
    Guard(
        "workbench/store/portable.py",
        "if found != total:",
        "if False:",
        f"{BACKUP}::test_a_restore_that_loses_a_row_on_the_way_leaves_nothing",
    ),
    Guard(
        "workbench/store/portable.py",
        "if name not in tables:",
        "if False:",
        f"{BACKUP}::test_a_table_we_do_not_know_is_no_part_of_a_backup_though_its_sum_is_right",
    ),
    Guard(
        "workbench/store/portable.py",
        'head["backup"] != FORMAT or ',
        "",
        f"{BACKUP}::test_a_backup_of_another_format_is_refused_though_its_sum_is_right",
    ),
]


def label(guard: Guard) -> str:
    return f"{guard.file} without {guard.text[:60]}"


@pytest.mark.parametrize("guard", GUARDS, ids=label)
def test_every_guard_of_the_list_stands_in_its_file_and_its_test_exists(guard):
    text = (ROOT / guard.file).read_text(encoding="utf-8")
    file, _, name = guard.test.partition("::")
    tests = ast.parse((ROOT / file).read_text(encoding="utf-8")).body

    assert text.count(guard.text) == 1, "this guard was rewritten: say in the list what guards now"
    ast.parse(text.replace(guard.text, guard.without))
    assert name in [test.name for test in tests if isinstance(test, ast.FunctionDef)]


@pytest.fixture(scope="module")
def copy(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("copy")
    for name in COPIED:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, folder / name)  # with what Python has compiled: its times stay as they were
        else:
            shutil.copy2(source, folder / name)
    return folder


def outcome(copy: Path, test: str, data: Path) -> subprocess.CompletedProcess[str]:
    """Run one test in the copy; what Python compiles there stays nowhere."""
    command = [sys.executable, "-B", "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", f"--basetemp={data}", test]
    clean = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    return subprocess.run(command, cwd=copy, env=clean, capture_output=True, text=True, check=False)


@pytest.mark.long
@pytest.mark.parametrize("guard", GUARDS, ids=label)
def test_without_its_guard_a_test_is_red(copy, guard, tmp_path):
    file = copy / guard.file
    text = file.read_text(encoding="utf-8")
    try:
        file.write_text(text.replace(guard.text, guard.without), encoding="utf-8")
        without = outcome(copy, guard.test, tmp_path / "t")
    finally:
        shutil.copy2(ROOT / guard.file, file)

    assert without.returncode == pytest.ExitCode.TESTS_FAILED, without.stdout + without.stderr
    assert " failed" in without.stdout.splitlines()[-1]
    assert "error" not in without.stdout.splitlines()[-1]  # red, not broken
