"""Solve knapsack files in OR-Library's `mknap` format with the search that chooses KSFs.

python -m workbench.mknap mknap1.txt
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from kpi_core.errors import KpiError
from kpi_core.focus import mknap


def report(text: str) -> Iterator[str]:
    """Yield a line for each problem of a file."""
    for at, problem in enumerate(mknap.read(text), 1):
        found = mknap.solve(problem)
        proof = "proven optimal" if found.bound == found.value else f"not proven, at most {found.bound:.10g}"
        known = f"; best known {problem.known:.10g}" if problem.known else ""
        items = " ".join(str(item + 1) for item in found.items)
        yield f"problem {at}: {found.value:.10g} ({proof}{known}), items {items}"


def main(files: Sequence[str]) -> int:
    """Solve every file named, or what is piped in."""
    try:
        for text in [Path(file).read_text(encoding="utf-8") for file in files] or [sys.stdin.read()]:
            for line in report(text):
                sys.stdout.write(f"{line}\n")
                sys.stdout.flush()
    except (KpiError, OSError, UnicodeDecodeError) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
