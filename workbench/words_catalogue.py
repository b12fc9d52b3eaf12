"""The catalogue of sentences: a developer's tool that keeps `locales/ja.po` in step with the code.

    python -m workbench.words_catalogue            put new sentences into ja.po, keep translations
    python -m workbench.words_catalogue --prune    the same, and forget what no code says any more
    python -m workbench.words_catalogue --check    change nothing; list what is missing, exit 1 if anything is

A sentence is the first argument of `_()` or the second of `KpiError()`. Babel keeps the catalogue,
but its own extractor glues the two sentences of `"…" if found else "…"` into one that is never
looked up; Python's grammar reads them here.
"""

from __future__ import annotations

import argparse
import ast
import io
import re
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from babel.messages.catalog import Catalog, Message
from babel.messages.pofile import read_po, write_po

ROOT = Path(__file__).parents[1]
PO = Path("workbench", "locales", "ja.po")
SOURCES = ("app.py", "kpi_core", "pages", "workbench")
KEYWORDS = {"_": 0, "KpiError": 1}  # which argument is the sentence

_BLANK = re.compile(r"{(\w*)[^{}]*}")
_HEADER = r"""msgid ""
msgstr ""
"Project-Id-Version: gyakusan\n"
"Language: ja\n"
"Content-Type: text/plain; charset=UTF-8\n"
"Content-Transfer-Encoding: 8bit\n"
"""


class Sentence(NamedTuple):
    """A sentence of the code and where it stands; `text` is None if it cannot be read from the code."""

    path: str
    line: int
    text: str | None


def sentences(root: Path = ROOT) -> list[Sentence]:
    """Return every sentence of the app's code, file by file in reading order."""
    files = [file for source in SOURCES for file in _python(root / source)]
    return [
        Sentence(file.relative_to(root).as_posix(), line, text)
        for file in files
        for line, text in sorted(said(file.read_text(encoding="utf-8")), key=lambda found: found[0])
    ]


def said(source: str) -> Iterator[tuple[int, str | None]]:
    """Yield line and text of each sentence in Python source; None for an f-string, which has no translation.

    >>> list(said('_("Hello") + _("One" if one else "Many")'))
    [(1, 'Hello'), (1, 'One'), (1, 'Many')]
    """
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call):
            place = KEYWORDS.get(getattr(node.func, "id", getattr(node.func, "attr", "")), len(node.args))
            yield from (found for argument in node.args[place : place + 1] for found in _literals(argument))


def update(root: Path = ROOT, *, prune: bool = False) -> Catalog:
    """Write the code's sentences into ja.po, in the order of the code, with the translations they have."""
    old, new = _read(root), Catalog(locale="ja")
    for sentence in sentences(root):
        if sentence.text:
            known = old.get(sentence.text) or old.obsolete.get(sentence.text)
            notes = known.user_comments if known and sentence.text not in new else ()
            translation = known.string if known else ""
            new.add(sentence.text, translation, [(sentence.path, sentence.line)], user_comments=notes)
    if not prune:
        gone = [entry for entry in [*_entries(old), *old.obsolete.values()] if entry.id not in new and entry.string]
        new.obsolete.update({str(entry.id): _without_places(entry) for entry in gone})
    _write(root, new)
    return new


def problems(root: Path = ROOT) -> list[str]:
    """Return what is wrong between the code and ja.po, one line each; nothing if every sentence has its twin."""
    catalogue, found = _read(root), sentences(root)
    wanted = {one.text: f"{one.path}:{one.line}" for one in reversed(found) if one.text}
    kept = {str(entry.id): entry for entry in _entries(catalogue)}
    return [
        *(f"f-string, cannot be translated: {one.path}:{one.line}" for one in found if one.text is None),
        *(f"missing from ja.po: {wanted[text]}: {text}" for text in reversed(wanted) if text not in kept),
        *(f"not translated: {text}" for text, entry in kept.items() if entry.fuzzy or not str(entry.string).strip()),
        *(f"obsolete: {text}" for text in [*(text for text in kept if text not in wanted), *catalogue.obsolete]),
        *(f"other blanks: {text} → {entry.string}" for text, entry in kept.items() if _blanks_differ(entry)),
    ]


def main(arguments: list[str] | None = None) -> int:
    """Run the tool and return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m workbench.words_catalogue", description="Keep ja.po in step.")
    parser.add_argument("--check", action="store_true", help="list what is missing and change nothing")
    parser.add_argument("--prune", action="store_true", help="forget sentences that no code says any more")
    chosen = parser.parse_args(arguments)
    if not chosen.check:
        update(prune=chosen.prune)
    wrong = problems()
    sys.stdout.writelines(f"{line}\n" for line in wrong)
    sys.stdout.write(f"{len(wrong)} to do in {PO.as_posix()}\n")
    return 1 if chosen.check and wrong else 0


def _python(source: Path) -> list[Path]:
    return sorted(source.rglob("*.py")) if source.is_dir() else [source] if source.exists() else []


def _literals(node: ast.expr) -> Iterator[tuple[int, str | None]]:
    if isinstance(node, ast.IfExp):
        yield from _literals(node.body)
        yield from _literals(node.orelse)
    elif isinstance(node, ast.JoinedStr):
        yield node.lineno, None
    elif isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.lineno, node.value


def _entries(catalogue: Catalog) -> Iterable[Message]:
    return [entry for entry in catalogue if entry.id]  # the one without an id is the header


def _without_places(entry: Message) -> Message:
    return Message(entry.id, entry.string, user_comments=entry.user_comments)


def _blanks_differ(entry: Message) -> bool:
    blanks = [set(_BLANK.findall(str(text))) for text in (entry.id, entry.string)]
    return bool(entry.string) and blanks[0] != blanks[1]


def _read(root: Path) -> Catalog:
    with (root / PO).open("rb") as file:
        return read_po(file, locale="ja")


def _write(root: Path, catalogue: Catalog) -> None:
    body = io.BytesIO()
    write_po(body, catalogue, width=0, omit_header=True, include_lineno=False)
    (root / PO).write_text(f"{_HEADER}\n{body.getvalue().decode('utf-8')}", encoding="utf-8")


if __name__ == "__main__":
    raise SystemExit(main())
