"""What the README says is so: its commands exist, its Python runs and prints what it claims."""

import io
import re
from contextlib import redirect_stdout
from pathlib import Path

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def test_every_command_of_the_readme_is_a_target_of_the_makefile():
    targets = re.findall(r"^(\w+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)

    named = set(re.findall(r"make (\w+)", README))

    assert {"run", "test"} <= named <= set(targets)


def test_ci_runs_the_readmes_command():
    assert "make test" in (ROOT / ".ci/run").read_text(encoding="utf-8")


def test_the_readmes_python_prints_what_it_says(monkeypatch):
    monkeypatch.chdir(ROOT)
    code = re.search(r"```python\n(.*?)```", README, re.DOTALL).group(1)
    claimed = re.search(r"# (\(.*\))", code).group(1)

    with redirect_stdout(io.StringIO()) as printed:
        exec(code, {})

    assert printed.getvalue().strip() == claimed


def test_every_picture_and_file_the_readme_names_exists():
    for name in re.findall(r"\]\((?!http)([^)]+)\)", README):
        assert (ROOT / name).exists(), name
