"""Plan files from outside: the slowest and the largest of the hostile ones beside a plain reading of the sample."""

from __future__ import annotations

from collections.abc import Iterator

from tests import hostile_files
from tests.bench.timing import line, medians
from workbench import foreign_files, plan_reader


def lines() -> Iterator[str]:
    """Yield the report's lines."""
    sample = hostile_files.TEXT.encode()
    foreign_files.read(sample)  # the reader has started
    answers = {name: foreign_files.ask(build()) for name, build in hostile_files.FILES.items()}
    plain = foreign_files.ask(sample)
    unread = [name for name, answer in answers.items() if answer.error and answer.error.code == "file_too_heavy"]
    slowest, largest = (max(answers, key=lambda name: getattr(answers[name], what)) for what in ("seconds", "peak"))
    yield (
        f"{len(answers)} hostile plan files, the slowest ({slowest}): {answers[slowest].seconds:.2f} s CPU;"
        f" the sample plan: {plain.seconds:.3f} s; ratio {answers[slowest].seconds / plain.seconds:.0f};"
        f" ended at the limit: {', '.join(unread) or 'none'} (promise: <= {plan_reader.SECONDS} s)"
    )
    yield (
        f"{len(answers)} hostile plan files, the largest ({largest}): {answers[largest].peak / 2**20:.0f} MB;"
        f" the sample plan: {plain.peak / 2**20:.0f} MB; ratio {answers[largest].peak / plain.peak:.2f}"
        f" (promise: <= {plan_reader.MEMORY / 2**20:.0f} MB)"
    )
    ours, rival = medians(
        lambda: foreign_files.read(sample), lambda: plan_reader.Plan.from_text(plan_reader.decoded(sample))
    )
    yield line("the sample plan read apart", ours, rival, against="read in the server", promise="<= 0.5 s")
