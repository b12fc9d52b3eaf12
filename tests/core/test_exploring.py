"""Random examples are the same each time; exploring prints the seed that repeats it, the same for every worker."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

RECORDS = """
from pathlib import Path
from hypothesis import given, strategies as st

def record(name, number):
    with (Path(__file__).parent / name).open("a") as file:
        file.write(f"{number}\\n")

@given(st.integers())
def test_one(number):
    record("one", number)

@given(st.integers())
def test_other(number):
    record("other", number)

def test_plain():
    record("plain", 0)
"""


@pytest.fixture
def examples(tmp_path):
    """Return what a run with some options draws, and what it prints."""
    shutil.copy(Path(__file__).parents[1] / "conftest.py", tmp_path)
    (tmp_path / "test_records.py").write_text(RECORDS)
    (tmp_path / "pytest.ini").write_text("[pytest]\nmarkers = long: in full\n")

    def run(*options):
        for name in ("one", "other", "plain"):
            (tmp_path / name).unlink(missing_ok=True)
        command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", *options, "test_records.py"]
        said = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
        assert said.returncode == 0, said.stdout + said.stderr
        drawn = {
            name: (tmp_path / name).read_text().split()
            for name in ("one", "other", "plain")
            if (tmp_path / name).exists()
        }
        return drawn, said.stdout

    return run


def test_examples_are_the_same_each_time(examples):
    first, said = examples("-m", "not long")

    assert "the same each time" in said
    assert first == examples("-m", "not long")[0]
    assert first.keys() == {"one", "other", "plain"}


def test_exploring_draws_others_and_its_seed_repeats_it_in_both_workers(examples):
    first, said = examples("-m", "long", "-n", "2")
    seed = re.search(r"--hypothesis-seed=(\d+)", said).group(1)

    again, repeated = examples("-m", "long", "-n", "2", f"--hypothesis-seed={seed}")
    others, _ = examples("-m", "long")

    assert first == again
    assert f"--hypothesis-seed={seed}" in repeated
    assert first != others
    assert first.keys() == {"one", "other"}  # tests without random examples are as they are
    assert len(first["one"]) >= 500
