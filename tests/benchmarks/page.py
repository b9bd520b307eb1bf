"""The results of one run as Markdown, written into ``README.md`` of this folder between two marks.

``python -m tests.benchmarks page FILE.json``, where ``bench --json FILE.json`` made the file. A figure
``scaling.png`` in this folder is shown below the table.
"""

from __future__ import annotations

import json
from argparse import ArgumentParser
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from .bench import COLUMNS, TARGET, UNITS, reached, unit_of, verdict
from .table import number
from .workloads import COMPILED, CONTESTANTS, EAGER

FOLDER = Path(__file__).parent
PAGE, FIGURE = FOLDER / "README.md", "scaling.png"
MARKS = ("<!-- results: written by `page` -->", "<!-- end of the results -->")
SEVERAL = "; "


def table(titles: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterable[str]:
    """Yield a table of Markdown: a column of text, and others of numbers."""
    yield f"| {' | '.join(titles)} |"
    yield "|---" + "|---:" * (len(titles) - 1) + "|"
    for row in rows:
        yield f"| {' | '.join(row)} |"


def entry(row: dict[str, Any], name: str, unit: str) -> str:
    """Return a time, with ~ where it is noisy, and the number of PyTorch's threads."""
    if name in row["errors"]:
        return "error"
    if name not in row["seconds"]:
        return "see note" if name in row["notes"] else ""
    noisy = "~" if row["spread"][name] > 0.2 else ""
    threads = f" /{row['threads'][name]}" if name in row["threads"] else ""
    return noisy + number(row["seconds"][name] * UNITS[unit]) + threads


def render(result: dict[str, Any]) -> str:
    """Return the run as Markdown: times and ratios, memory, use of the machine, notes."""
    machine, rows = result["machine"], result["rows"]
    names = [" ".join(titles).replace(". ", ".") for titles in COLUMNS.values()]
    units = [unit_of(row) for row in rows]
    lines = [
        f"{machine['processor']}, {machine['cores']} cores, {machine['system']}, {machine['when']}; "
        f"load {machine['load_before']:.1f} before, {machine['load_after']:.1f} after. "
        f"Python {machine['python']}, {', '.join(machine['versions'])}, {machine['blas']}.", "",
        "Time of a step, and ours over the better of PyTorch eager and JAX jit:", "",
    ]  # fmt: skip
    lines += table(["", *names, "eager:", "compiled:", "target", "reached"], (
        [f"{row['title']}, {unit}", *(entry(row, name, unit) for name in COLUMNS), verdict(row, EAGER),
         verdict(row, COMPILED), number(row["target"]) if row["target"] else "", reached(row)]
        for row, unit in zip(rows, units, strict=True)))  # fmt: skip
    for ours, mean in result["means"].items():
        said = "reached" if mean["mean"] <= TARGET else "not reached"
        lines += ["", f"Geometric mean of {mean['rows']} of {len(rows)} rows, {ours}: **{mean['mean']:.2f}** "
                      f"(at most {TARGET:g}: {said})."]  # fmt: skip
    for row, unit in zip(rows, units, strict=True):
        if others := [f"{name} {entry(row, name, unit)} {unit}" for name in CONTESTANTS
                      if name not in COLUMNS and name in row["seconds"]]:  # fmt: skip
            lines += ["", f"{row['title']}, further libraries: {SEVERAL.join(others)}."]
    if measured := [row for row in rows if row.get("memory")]:
        lines += ["", "Memory over the imported libraries, MiB:", ""]
        lines += table(["", *names], ([row["title"], *(number(row["memory"].get(name)) for name in COLUMNS)]
                                      for row in measured))  # fmt: skip
    if counted := [row for row in rows if row["fraction"]]:
        lines += ["", "Operations of the matrix products by time, in % of what a large product reaches:", ""]
        lines += table(["", "million operations", "limit, GFLOP/s", *names], (
            [row["title"], number(row["flops"] / 1e6), f"{row['limit'] / 1e9:.0f}",
             *(number(100 * row["fraction"][name]) if name in row["fraction"] else "" for name in COLUMNS)]
            for row in counted))  # fmt: skip
    remarks = [f"- {row['title']}, {name}: {text.replace('|', '/')}" for row in rows
               for name, text in {**row["errors"], **row["notes"]}.items()]  # fmt: skip
    if remarks:
        lines += ["", "Notes:", "", *remarks]
    return "\n".join(lines)


def main(arguments: Sequence[str]) -> None:
    parser = ArgumentParser("python -m tests.benchmarks page", description="write results into the page")
    parser.add_argument("file", type=Path, help="what `bench --json FILE` wrote")
    parser.add_argument("--page", type=Path, default=PAGE, help="with the two marks (default: this README)")
    given = parser.parse_args(arguments)
    before, rest = given.page.read_text().split(MARKS[0])
    after = rest.split(MARKS[1])[1]
    section = render(json.loads(given.file.read_text()))
    if (given.page.parent / FIGURE).exists():
        section += f"\n\n![time of a step by batch, width, depth and length]({FIGURE})"
    given.page.write_text(f"{before}{MARKS[0]}\n{section}\n{MARKS[1]}{after}")
    print(given.page)


if __name__ == "__main__":
    import sys

    main(sys.argv[1:])
