"""Foreign plan files are read in a process apart: a plan or a sentence, within the limits, whatever the file."""

import gc
import threading
from pathlib import Path

import pytest

from kpi_core.errors import KpiError
from kpi_core.plan import Plan
from tests import hostile_files
from workbench import files, foreign_files, plan_reader, samples

SAMPLE = samples.sample_plan()
CASES = Path(__file__).parents[1] / "cases"
GROWTH = 150_000_000  # bytes the server may need while it takes up what was read


@pytest.fixture
def reader_that():
    """Have files read by readers that do something else with a file, written in Python."""
    start = foreign_files._START

    def use(code):
        leave()
        foreign_files._START = start.removesuffix("plan_reader.") + f"\n{code}\nplan_reader."

    def leave():
        for reader in foreign_files._readers:
            reader.process.kill()
            reader.process.wait()
            reader.control.close()
        foreign_files._readers.clear()

    yield use
    foreign_files._START = start
    leave()


def memory(field):
    """Return a number of bytes the system says about this process."""
    lines = Path("/proc/self/status").read_text("ascii", errors="replace").splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(field))


def code_of(contents):
    with pytest.raises(KpiError) as caught:
        foreign_files.read(contents)
    return caught.value.code


def test_the_corpus_is_large():
    assert len(hostile_files.FILES) >= 90


@pytest.mark.parametrize("name", hostile_files.FILES)
def test_a_hostile_file_is_a_plan_or_a_few_sentences_within_the_limits(name):
    contents = hostile_files.FILES[name]()
    assert len(contents) <= files.MAX_BYTES
    gc.collect()
    peak_counter = Path("/proc/self/clear_refs")
    if peak_counter.exists():
        peak_counter.write_text("5")  # the peak is counted from here
    before = memory("VmRSS:") if peak_counter.exists() else 0

    answer = foreign_files.ask(contents)
    try:
        plan = foreign_files.plan_of(answer)
    except KpiError as error:
        problems = error.facts.get("problems", (error,))
        assert len(problems) <= 50
        assert sum(len(str(problem)) for problem in problems) < 50_000
    else:
        assert isinstance(plan, Plan)

    assert answer.peak <= plan_reader.MEMORY
    assert answer.seconds <= plan_reader.SECONDS
    if peak_counter.exists():
        assert memory("VmHWM:") - before <= GROWTH


def test_a_reader_that_takes_too_much_memory_is_refused_it(reader_that):
    reader_that("plan_reader.answered = lambda contents: {'plan': len(bytearray(600 * 2**20))}")
    assert code_of(b"x") == "file_too_heavy"


def test_a_reader_that_takes_too_long_is_ended(reader_that):
    reader_that("import itertools\nplan_reader.SECONDS = 1\nplan_reader.answered = lambda _: all(itertools.repeat(1))")
    assert code_of(b"x") == "file_too_heavy"


def test_a_reader_that_waits_for_ever_is_ended(reader_that):
    reader_that("import time\nplan_reader.SECONDS = 1\nplan_reader.answered = lambda contents: time.sleep(600)")
    assert code_of(b"x") == "file_too_heavy"


def test_a_reader_with_a_fault_says_so_and_no_more(reader_that, caplog):
    reader_that("def from_text(text): raise ZeroDivisionError(text)\nplan_reader.Plan.from_text = from_text")

    assert code_of(b"secret words") == "file_reader_failed"
    assert "ZeroDivisionError" in caplog.text
    assert "secret words" not in caplog.text


def test_a_reader_knows_nothing_of_the_server(reader_that, monkeypatch):
    monkeypatch.setenv("GYAKUSAN_DATABASE_URL", "postgresql://secret")
    reader_that(
        "import os\nplan_reader.answered = lambda contents: {'plan': {"
        "'environment': dict(os.environ), 'modules': list(sys.modules), 'files': len(os.listdir('/proc/self/fd'))}}"
    )

    seen = foreign_files.ask(b"x").plan

    assert set(seen["environment"]) <= {*foreign_files._ENVIRONMENT, "LC_CTYPE"}
    assert not {"streamlit", "sqlalchemy", "workbench.session", "pandas"} & set(seen["modules"])
    assert seen["files"] <= 6  # 0, 1, 2, the socket of the file, and the folder that is being listed


@pytest.mark.parametrize("answer", [b"", b"{", b"[]", b"null", b"\x80\x04K\x01.", b'{"plan'])
def test_an_answer_that_is_none_is_never_taken_for_a_plan(answer):
    with pytest.raises(KpiError) as caught:
        foreign_files.plan_of(foreign_files._understood(answer))

    assert caught.value.code == "file_too_heavy"


def test_an_answer_without_end_is_not_taken_up(reader_that, monkeypatch):
    monkeypatch.setattr(foreign_files, "MAX_ANSWER", 1_000_000)
    reader_that("plan_reader.answered = lambda contents: {'plan': 'x' * 100_000_000}")

    assert code_of(b"x") == "file_too_heavy"


def test_a_reader_that_has_ended_is_started_anew():
    foreign_files.warm()
    (reader,) = foreign_files._readers
    reader.process.kill()

    assert foreign_files.read(SAMPLE.to_json().encode()) == SAMPLE


def test_a_reader_nobody_gives_a_file_ends(reader_that):
    reader_that("plan_reader.IDLE_SECONDS = 0.01")
    foreign_files.warm()
    (reader,) = foreign_files._readers

    assert reader.process.wait(timeout=120) == 0


def test_a_reader_ends_with_the_server():
    foreign_files.warm()
    reader = foreign_files._readers.pop()
    reader.control.close()

    assert reader.process.wait(timeout=120) == 0


def test_a_reader_that_does_not_start_is_told_as_busy(reader_that):
    reader_that("sys.exit(1)")
    assert code_of(b"x") == "file_reader_busy"


def test_many_files_at_once_wait_for_their_turn():
    found = []
    text = SAMPLE.to_yaml().encode()
    threads = [threading.Thread(target=lambda: found.append(foreign_files.read(text))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert found == [SAMPLE] * 8


def test_a_file_whose_turn_does_not_come_is_told_to_try_again(monkeypatch):
    monkeypatch.setattr(foreign_files, "WAIT_SECONDS", 0.01)
    monkeypatch.setattr(foreign_files, "_turns", threading.BoundedSemaphore(1))

    with foreign_files._turns:
        assert code_of(b"x") == "file_reader_busy"


def test_where_no_process_can_be_forked_a_file_is_read_all_the_same(monkeypatch):
    monkeypatch.setattr(foreign_files, "_CAN_FORK", False)

    assert foreign_files.read(SAMPLE.to_yaml().encode()) == SAMPLE
    assert code_of((CASES / "pct.yaml").read_bytes()) == "plan_invalid"


def test_an_error_comes_back_with_all_its_facts():
    contents = (CASES / "pct.yaml").read_bytes()
    with pytest.raises(KpiError) as apart:
        foreign_files.read(contents)
    with pytest.raises(KpiError) as beside:
        Plan.from_text(contents.decode())

    def bare(error):
        facts = {**error.facts, "problems": [problem.args for problem in error.facts["problems"]]}
        return error.code, error.message, facts

    assert bare(apart.value) == bare(beside.value)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp932"])
def test_a_file_is_read_in_the_encodings_that_japanese_systems_write(encoding):
    text = (CASES / "cp932.yaml").read_bytes().decode("cp932")

    assert files.read(text.encode(encoding)) == Plan.from_text(text)
    assert Plan.from_text(text).metrics["rate"].name.ja == "率"
