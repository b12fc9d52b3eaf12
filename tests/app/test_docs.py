"""What the README says is so: its commands exist, its Python runs and prints what it claims."""

import io
import re
from contextlib import redirect_stdout
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def test_every_command_of_the_readme_is_a_target_of_the_makefile():
    targets = re.findall(r"^(\w+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)

    named = set(re.findall(r"make (\w+)", README))

    assert {"run", "test"} <= named <= set(targets)


def test_ci_runs_the_readmes_command():
    assert "make test" in (ROOT / ".ci/run").read_text(encoding="utf-8")


@pytest.mark.parametrize("code", re.findall(r"```python\n(.*?)```", README, re.DOTALL))
def test_the_readmes_python_prints_what_it_says(code, monkeypatch):
    """What stands behind # on a line that prints is what it prints; a note after a colon aside."""
    monkeypatch.chdir(ROOT)
    claimed = [note.split(": ")[0].strip() for note in re.findall(r"^print.*# (.*)$", code, re.MULTILINE)]

    with redirect_stdout(io.StringIO()) as printed:
        exec(code, {})

    assert claimed
    assert printed.getvalue().splitlines() == claimed


def test_every_picture_and_file_the_readme_names_exists():
    for name in re.findall(r"\]\((?!http)([^)]+)\)", README):
        assert (ROOT / name).exists(), name
