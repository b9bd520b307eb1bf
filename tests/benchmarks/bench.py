"""The table: each workload's step by every library in the same run, in time, memory and use of the machine.

``python -m tests.benchmarks bench [ROW ...] [--minutes 7] [--json FILE] [--without memory torch.compile]``.
Rows run one after another, each in a process of its own (:mod:`contest`); then the memory of its
contestants is measured, each in a process of its own (:mod:`memory`).
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from argparse import ArgumentParser
from collections.abc import Iterable, Sequence
from pathlib import Path
from time import perf_counter
from typing import Any

from .machine import facts, geometric_mean
from .measure import THREADS
from .memory import measured
from .table import number
from .workloads import COMPILED, CONTESTANTS, EAGER, GROUPS, JAX, TORCH, TORCH_COMPILE, WORKLOADS

NAME, CELL, TARGET = 50, 11, 0.8  # widths, and what the geometric mean of all rows is to reach
PATIENCE = 600  # seconds for a row
LONG = 10  # seconds to build a contestant
COLUMNS = {  # contestants with a column, and its two titles; others have a line of their own
    EAGER: ("ours", "eager"), COMPILED: ("ours", "compiled"), TORCH: ("PyTorch", "eager/t"),
    TORCH_COMPILE: ("torch.", "compile/t"), JAX: ("JAX", "jit"),
}  # fmt: skip
UNITS = {"us": 1e6, "ms": 1e3, "s": 1.0}


def selected(names: Sequence[str]) -> list[str]:
    """Return the rows of these names, of groups, or of a beginning: ``mlp`` is ``mlp-128`` too."""
    if not names:
        return list(WORKLOADS)
    keys: set[str] = set()
    for name in names:
        found = GROUPS.get(name) or [key for key in WORKLOADS if key == name or key.startswith(f"{name}-")]
        if not found:
            sys.exit(f"no row {name!r}; there are {', '.join(WORKLOADS)} and {', '.join(GROUPS)}")
        keys.update(found)
    return [key for key in WORKLOADS if key in keys]


def measure(key: str, share: float, without: Sequence[str], more: Sequence[str] = ()) -> dict[str, Any]:
    """Return a row that a new process measured; if that fails, a row that says so."""
    command = [sys.executable, "-m", "tests.benchmarks.contest", key, "--share", str(share), *more]
    try:
        command += ["--without", *without]
        done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE)
        if done.returncode == 0:
            return dict(json.loads(done.stdout.splitlines()[-1]))
        said = [f"exit {done.returncode}", *done.stderr.strip().splitlines()][-1]
    except subprocess.TimeoutExpired:
        said = f"not ready after {PATIENCE} s"
    row: dict[str, Any] = {"key": key, "title": WORKLOADS[key]().title, "target": None, "flops": 0}
    row |= {name: {} for name in ("seconds", "spread", "threads", "notes", "fraction", "ratio")}
    return row | {"errors": {"row": said}}


def memory(row: dict[str, Any], until: float) -> dict[str, float]:
    """Return the memory of who was timed, in MiB; of who compiles for long only while there is time."""
    found = {}
    for name in row["seconds"]:
        if row["built"][name] > LONG and perf_counter() + row["built"][name] > until:
            continue
        try:
            found[name] = measured(row["key"], name)
        except subprocess.SubprocessError as error:
            said = (getattr(error, "stderr", "") or str(error)).strip().splitlines()[-1]
            row["notes"][name] = f"memory: {said}"[:200]
    return found


# -- printing --------------------------------------------------------------------------------------


def unit_of(row: dict[str, Any]) -> str:
    slowest = max(row["seconds"].values(), default=1.0)
    return "us" if slowest < 1e-3 else "ms" if slowest < 10 else "s"


def verdict(row: dict[str, Any], ours: str) -> str:
    """Return how many times the better yardstick's time ours takes."""
    return number(row["ratio"][ours]) if ours in row["ratio"] else "-"


def reached(row: dict[str, Any]) -> str:
    """Return whether the better of our two reaches the target."""
    if not row["target"] or not row["ratio"]:
        return ""
    return "yes" if min(row["ratio"].values()) <= row["target"] else "NO"


def lines(row: dict[str, Any]) -> Iterable[str]:
    unit = unit_of(row)
    times = {}
    for name, value in row["seconds"].items():
        noisy = "~" if row["spread"][name] > 0.2 else ""
        threads = f"/{row['threads'][name]}" if name in row["threads"] else ""
        times[name] = noisy + number(value * UNITS[unit]) + threads
    for name in row["errors"]:
        times[name] = "ERROR"
    for name in row["notes"]:
        times.setdefault(name, "note")
    ours = (verdict(row, EAGER), verdict(row, COMPILED), row["target"] or "", reached(row))
    used = {name: number(value) for name, value in row.get("memory", {}).items()}
    yield ""
    yield cells(f"{row['title']}, {unit}", times) + "".join(f"{text:>10}" for text in ours)
    if used:
        yield cells("  memory, MiB", used)
    if row["fraction"]:
        fraction = {name: number(100 * value) for name, value in row["fraction"].items()}
        yield cells(f"  % of the product's {row['limit'] / 1e9:.0f} GFLOP/s", fraction)
    others = [f"{name} {times[name]} {unit}" + (f", {used[name]} MiB" if name in used else "")
              for name in times if name not in COLUMNS and name in CONTESTANTS]  # fmt: skip
    if others:
        yield f"  {'; '.join(others)}"
    for name, text in row["errors"].items():
        yield f"  ERROR, {name}: {text}"
    for name, text in row["notes"].items():
        yield f"  note, {name}: {text}"


def cells(first: str, values: dict[str, str]) -> str:
    return f"{first:<{NAME}}" + "".join(f"{values.get(name, '-'):>{CELL}}" for name in COLUMNS)


def header(machine: dict[str, Any]) -> Iterable[str]:
    load = f"load {machine['load_before']:.1f}"
    yield f"{machine['processor']}, {machine['cores']} cores, {load}; {machine['when']}"
    yield f"Python {machine['python']}, {', '.join(machine['versions'])}, {machine['blas']}"
    yield ""
    more = (("eager:", "the"), ("compiled:", "better"), ("", "target"), ("", "reached?"))
    for i, first in enumerate(("", "time of a step")):
        yield cells(first, {name: titles[i] for name, titles in COLUMNS.items()}) + "".join(
            f"{titles[i]:>10}" for titles in more)  # fmt: skip


def means(rows: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Return the geometric mean of each of ours over the rows that it has, and how many these are."""
    found = {}
    for ours in (EAGER, COMPILED):
        if ratios := [row["ratio"][ours] for row in rows if ours in row["ratio"]]:
            found[ours] = {"mean": geometric_mean(ratios), "rows": len(ratios), "target": TARGET}
    return found


def footer(rows: Sequence[dict[str, Any]]) -> Iterable[str]:
    yield ""
    for ours, mean in means(rows).items():
        said = "yes" if mean["mean"] <= TARGET else "NO"
        yield (f"geometric mean of {mean['rows']} of {len(rows)} rows, {ours} over the better of PyTorch "
               f"eager and JAX jit: {mean['mean']:.2f} (at most {TARGET:g}: {said})")  # fmt: skip
    rates = [row[name] / 1e9 for row in rows for name in ("limit", "usual") if name in row]
    if rates and min(rates) < 0.8 * max(rates):
        yield (f"THE MACHINE WAS NOT QUIET: its product ran at {min(rates):.0f} to {max(rates):.0f} "
               "GFLOP/s. Measure again.")  # fmt: skip
    yield ""
    yield "eager: and compiled: are ours over the better of PyTorch eager and JAX jit, round by round."
    yield f"/t: at t threads; PyTorch eager is taken at the better of {' and '.join(map(str, THREADS))}."
    yield "~: the quartiles are more than a fifth of the median apart. -: takes no part, or was left out."
    yield "Memory is peak resident memory over the imported libraries, the compiling of this size included."
    yield f"At the end: load of the last minute {os.getloadavg()[0]:.1f}."


def main(arguments: Sequence[str]) -> None:
    parser = ArgumentParser("python -m tests.benchmarks bench", description="one table, every library")
    parser.add_argument("rows", nargs="*", help=f"{', '.join(WORKLOADS)}; {', '.join(GROUPS)}")
    parser.add_argument("--minutes", type=float, default=7.0, help="for the whole table, about (default 7)")
    parser.add_argument("--json", type=Path, help="write the results to this file too")
    parser.add_argument("--without", nargs="*", default=[], help=f"memory; {', '.join(CONTESTANTS)}")
    parser.add_argument("--rounds", type=int, default=5, help="at least so many (default 5)")
    parser.add_argument("--small", action="store_true", help="on hardly any data: to try the command")
    given = parser.parse_args(arguments)
    if unknown := set(given.without) - {*CONTESTANTS, "memory"}:
        sys.exit(f"--without {min(unknown)!r}: there are memory, {', '.join(CONTESTANTS)}")
    keys, machine, rows = selected(given.rows), facts(), []
    more = ["--rounds", str(given.rounds), *["--small"] * given.small]
    end = perf_counter() + 60 * given.minutes * len(keys) / len(WORKLOADS)
    for line in header(machine):
        print(line, flush=True)
    for i, key in enumerate(keys):
        share = max(0.0, end - perf_counter()) / (len(keys) - i)
        until = perf_counter() + share
        # memory takes about a quarter of the time
        row = measure(key, share * (1.0 if "memory" in given.without else 0.75), given.without, more)
        if "memory" not in given.without:
            row["memory"] = memory(row, until)
        rows.append(row)
        for line in lines(row):
            print(line, flush=True)
        if given.json:  # after each row, so that a run that is stopped leaves what it has
            machine["load_after"] = os.getloadavg()[0]
            result = {"machine": machine, "rows": rows, "means": means(rows)}
            given.json.write_text(json.dumps(result, indent=1) + "\n")
    for line in footer(rows):
        print(line)
