"""Keep `locales/ja.po` in step with the sentences in the code: `python -m workbench.words_catalogue [--check]`.

Every string inside `_()` and every message of a `KpiError` is a sentence people read.
Without `--check` the file is brought up to date and keeps its translations; with it, whatever
is missing, left over, empty or has other blanks than the English is listed and the exit is 1.
"""

from __future__ import annotations

import string
import sys
from collections.abc import Iterator
from pathlib import Path

from babel.messages import Catalog, pofile
from babel.messages.extract import extract_from_dir

_ROOT = Path(__file__).parents[1]
_PO = _ROOT / "workbench" / "locales" / "ja.po"
_KEYWORDS: dict[str, tuple[int, ...] | None] = {"_": None, "KpiError": (2,)}


def sentences() -> set[str]:
    """Return every English sentence in the code."""
    found: set[str] = set()
    for folder in ("kpi_core", "workbench", "pages"):
        extracted = extract_from_dir(_ROOT / folder, [("**.py", "python")], keywords=_KEYWORDS)
        found.update(str(message[2]) for message in extracted if message[2])
    return found


def faults() -> Iterator[str]:
    """Yield what is wrong with the Japanese, one line each."""
    said = {str(message.id): str(message.string or "") for message in _read() if message.id}
    code = sentences()
    yield from (f"not in ja.po: {sentence}" for sentence in sorted(code - set(said)))
    yield from (f"in ja.po but no longer in the code: {sentence}" for sentence in sorted(set(said) - code))
    for english, japanese in sorted(said.items()):
        if not japanese:
            yield f"not translated: {english}"
        elif _blanks(english) != _blanks(japanese):
            yield f"other blanks in Japanese: {english}"


def _blanks(text: str) -> set[str]:
    return {name for _literal, name, _spec, _conversion in string.Formatter().parse(text) if name}


def _read() -> Catalog:
    with _PO.open("rb") as file:
        return pofile.read_po(file, locale="ja")


def update() -> None:
    """Write the file anew: the code's sentences in alphabetical order, with the Japanese they had."""
    known = {str(message.id): str(message.string or "") for message in _read()}
    catalogue = Catalog(locale="ja", project="gyakusan", charset="utf-8", fuzzy=False)
    for sentence in sorted(sentences()):
        catalogue.add(sentence, known.get(sentence, ""))
    with _PO.open("wb") as file:
        pofile.write_po(file, catalogue, width=0, omit_header=True)
    header = 'msgid ""\nmsgstr ""\n"Language: ja\\n"\n"Content-Type: text/plain; charset=UTF-8\\n"\n\n'
    _PO.write_text(header + _PO.read_text(encoding="utf-8").lstrip(), encoding="utf-8")


if __name__ == "__main__":
    if "--check" not in sys.argv:
        update()
    found = list(faults())
    sys.stderr.writelines(f"{fault}\n" for fault in found)
    sys.exit(1 if found and "--check" in sys.argv else 0)
