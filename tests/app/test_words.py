"""Every sentence exists in both languages, numbers do not change with them, and people's text stays text."""

import re
import threading
from pathlib import Path
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as some

from kpi_core import goal
from kpi_core.document import Text
from kpi_core.errors import KpiError
from tests.serving import chromium, serve
from workbench import changes_spelling, formats, samples, sentences, words, words_catalogue
from workbench.rows import whatif

HOSTILE = [
    "**bold** _i_ ~~s~~ `c`", "[x](http://evil.example)", "![x](http://evil.example/a.png)", "http://evil.example/a",
    "HTTPS://evil.example", "www.evil.example", "Www.Evil.example", "mail@evil.example", "mailto:x@evil.example",
    "<http://evil.example>", "<script>alert(1)</script>", "<img src=x onerror=alert(1)>", ":material/home: :smile:",
    ":red[x] :blue-badge[y]", "$x^2$ $$y$$", "# head", "- item", "1. item", "> quote",
    "| a | b |\n|---|---|\n| 1 | 2 |",
    "line\nbreak\r\nthird", "    code", "---", "&lt;b&gt; &#60;", "\\*x\\*", "[^1]", "[ ] todo", "a --> b <- c -- d",
    "x <= y >= z ~= w", "売上（円）/件：確度", "javascript:alert(1)",
]  # fmt: skip


@pytest.fixture(autouse=True)
def japanese():
    with words.speaking("ja"):
        yield


@pytest.fixture
def shop(tmp_path):
    """A tiny app whose only page is rewritten by `say`."""
    (tmp_path / "pages").mkdir()
    (tmp_path / "workbench" / "locales").mkdir(parents=True)
    (tmp_path / words_catalogue.PO).write_text('msgid ""\nmsgstr "Language: ja\\n"\n', encoding="utf-8")

    def say(code: str, **translations: str) -> list[str]:
        (tmp_path / "pages" / "home.py").write_text(code, encoding="utf-8")
        words_catalogue.update(tmp_path)
        po = tmp_path / words_catalogue.PO
        text = po.read_text(encoding="utf-8")
        for sentence, japanese in translations.items():
            text = text.replace(f'msgid "{sentence}"\nmsgstr ""', f'msgid "{sentence}"\nmsgstr "{japanese}"')
        po.write_text(text, encoding="utf-8")
        return words_catalogue.problems(tmp_path)

    return SimpleNamespace(root=tmp_path, say=say, po=lambda: (tmp_path / words_catalogue.PO).read_text("utf-8"))


def test_every_sentence_has_its_twin():
    """T-I1. To repair: `make words`, fill the empty lines of ja.po."""
    wrong = words_catalogue.problems()

    assert not wrong, "\n".join(wrong)


def test_a_sentence_that_ja_po_does_not_know_is_listed_with_its_place(shop):
    (shop.root / "app.py").write_text('\n_("Hello")\n', encoding="utf-8")

    assert words_catalogue.problems(shop.root) == ["missing from ja.po: app.py:2: Hello"]


def test_a_sentence_without_japanese_is_listed(shop):
    assert shop.say('_("Hello")') == ["not translated: Hello"]
    assert shop.say('_("Hello")', Hello="こんにちは") == []


def test_both_sentences_of_a_condition_and_those_of_errors_are_found(shop):
    wrong = shop.say('KpiError("code", "Yes {a}" if a else "No", a=1)\nother("Not me")\nwords._("And" " me")')

    assert wrong == ["not translated: Yes {a}", "not translated: No", "not translated: And me"]


def test_an_f_string_is_refused(shop):
    assert shop.say('_(f"Hello {name}")') == ["f-string, cannot be translated: pages/home.py:1"]


def test_blanks_must_be_the_same_in_both_languages(shop):
    assert shop.say('_("{a} of {b}")', **{"{a} of {b}": "{b}のうち{a:,}"}) == []
    assert shop.say('_("{c} left")', **{"{c} left": "残り{d}"})[-1] == "other blanks: {c} left → 残り{d}"


def test_a_sentence_no_code_says_is_obsolete_and_its_japanese_waits_for_its_return(shop):
    shop.say('_("Hello")', Hello="こんにちは")

    assert shop.say('_("Bye")', Bye="さようなら") == ["obsolete: Hello"]
    assert shop.say('_("Bye")\n_("Hello")') == []
    assert "#~" not in shop.po()


def test_pruning_forgets_what_no_code_says(shop):
    shop.say('_("Hello")', Hello="こんにちは")
    shop.say('_("Bye")', Bye="さようなら")

    words_catalogue.update(shop.root, prune=True)

    assert words_catalogue.problems(shop.root) == []
    assert "Hello" not in shop.po()


def test_writing_the_catalogue_twice_changes_nothing(shop):
    shop.say('_("B")\n_("A")\n_("B")', B="い")
    once = shop.po()

    words_catalogue.update(shop.root)

    assert shop.po() == once
    assert once.index('"B"') < once.index('"A"')
    assert "home.py\n" in once


def test_checking_changes_no_file_and_says_so_by_its_exit_code(shop, monkeypatch, capsys):
    monkeypatch.setattr(words_catalogue, "problems", lambda: ["not translated: Hello"])
    monkeypatch.setattr(words_catalogue, "update", lambda **_: pytest.fail("wrote"))

    assert words_catalogue.main(["--check"]) == 1
    assert capsys.readouterr().out.startswith("not translated: Hello\n1 to do")


@pytest.mark.parametrize(
    ("x", "unit"),
    [
        (0.15, "%"),
        (0.00087, "%"),
        (4800, "件"),
        (10.48, "件"),
        (450, "人"),
        (4.375, "人/社"),
        (3.2, "倍"),
        (0.82, "比"),
    ],
)
def test_switching_language_changes_no_number(x, unit):
    metric = SimpleNamespace(unit=unit, kind="count")
    shown = []

    for language in ("ja", "en"):
        with words.speaking(language):
            shown.append((words.value(x, metric), words.difference(x, metric), words.editable(x, metric)))

    digits = [[re.sub(r"[^\d.,]", "", text) for text in texts] for texts in shown]
    assert digits[0] == digits[1]


@given(some.integers(-(10**13), 10**13))
def test_switching_language_changes_no_amount_of_money(yen):
    """Short forms round where each language does (1億 is 100M), so the amount is held to every yen."""
    shown = [formats.money(yen, language, "exact") for language in ("ja", "en")]

    assert [formats.parse(text, "円") for text in shown] == [yen, yen]


def test_speaking_ends_with_its_block_even_after_an_error():
    with pytest.raises(RuntimeError), words.speaking("en"):
        assert words.language() == "en"
        raise RuntimeError

    assert words.language() == "ja"


def test_the_language_is_asked_anew_each_time_and_in_every_thread(monkeypatch):
    """A fragment runs in a thread of its own: nothing set in the main script would reach it."""
    monkeypatch.setattr(words, "_provider", list(words._provider))
    spoken, heard = ["en"], []
    words.follow(lambda: spoken[0])

    for language in ("en", "ja", "??"):
        spoken[0] = language
        asking = threading.Thread(target=lambda: heard.append(words.language()))
        asking.start()
        asking.join()

    assert heard == ["en", "ja", "ja"]


def test_english_is_what_the_code_says_and_nothing_is_nothing():
    with words.speaking("en"):
        assert words._("What if") == "What if"
        assert words._("") == ""

    assert words._("") == ""
    assert words._("No catalogue knows this sentence.") == "No catalogue knows this sentence."


@pytest.mark.parametrize(
    ("name", "ja", "en"),
    [
        (Text(ja="リード", en="Leads"), "リード", "Leads"),
        (Text(ja="リード"), "リード", "リード"),
        (Text(ja="", en="Leads"), "Leads", "Leads"),
    ],
)
def test_a_name_missing_in_one_language_is_said_in_the_other(name, ja, en):
    thing = SimpleNamespace(name=name)

    assert words.name(thing) == ja
    with words.speaking("en"):
        assert words.name(thing) == en


def test_an_error_is_a_sentence_with_its_facts_and_facts_are_never_formats():
    with words.speaking("en"):
        said = words.error(KpiError("x", "{name} is not {number}.", name="{0.__class__}", number=float("inf")))

    assert said == "{0.__class__} is not –."


@pytest.mark.parametrize("payload", HOSTILE)
def test_escaped_text_has_no_bare_punctuation_and_one_line(payload):
    escaped = words.md(payload)

    assert not re.search(r"[!-/:-@\[-`{-~]", re.sub(r"\\[!-/:-@\[-`{-~]", "", escaped))
    assert "\n" not in escaped


@given(some.text())
def test_escaped_text_says_what_was_typed(text):
    said = re.sub(r"\\([!-/:-@\[-`{-~])", r"\1", words.md(text))

    assert said.replace("\u2060", "") == " ".join(text.split()).replace("\u2060", "")


@pytest.mark.browser
def test_escaped_text_is_shown_as_typed_by_streamlit(tmp_path):
    """Each payload in a paragraph, a button and a colour: no element is made of it, nothing is fetched."""
    script = tmp_path / "hostile.py"
    script.write_text(
        f"import streamlit as st\nfrom workbench.words import md\nfor i, text in enumerate({HOSTILE!r}):\n"
        "    with st.container(key=f'box{i}'):\n"
        "        st.markdown(md(text))\n        st.markdown(f':red[{md(text)}]')\n"
        "        st.button(md(text), key=f'b{i}')\n",
        encoding="utf-8",
    )
    made = "box => [...box.querySelectorAll('a,img,script,code,h1,ul,ol,table,blockquote,hr,em,del,.katex,svg')].length"

    with serve(str(script), folder=Path(tmp_path)) as address, chromium() as browser:
        page, fetched = browser.new_page(), []
        page.on("request", lambda request: fetched.append(request.url))
        page.goto(address)
        page.locator(f".st-key-b{len(HOSTILE) - 1} button").wait_for()
        boxes = [page.locator(f".st-key-box{i}") for i in range(len(HOSTILE))]
        shown = [box.inner_text().replace("\u2060", "").split("\n") for box in boxes]
        elements = [box.evaluate(made) for box in boxes]

    assert [{*lines} - {""} for lines in shown] == [{" ".join(text.split())} for text in HOSTILE]
    assert not any(elements)
    assert not [url for url in fetched if "evil" in url]


def test_one_is_said_as_one():
    plan = samples.sample_plan()
    moved = plan.replace({"metrics.cvr.value": 0.013})
    both = moved.replace({"metrics.visitors.value": 410_000})
    with words.speaking("en"):
        said = [sentences.bridge(one, plan, whatif.changed(one, plan)) for one in (moved, both)]
        spread = sentences.least_effort(plan, goal.least_effort(plan, ["cvr"]))
        months = [changes_spelling.months(number, None) for number in (1, 1.5)]
    assert said[0].endswith("all of it from one lever: Website conversion rate.")
    assert "split over 2 levers" in said[1]
    assert spread.startswith("One lever reaches the goal: it has to move by ")
    assert months == ["1 month", "1.5 months"]
