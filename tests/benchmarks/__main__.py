"""Measure, and print: ``python -m tests.benchmarks``, or with the name of a row, a command or a measurement.

    bench [ROW ...]     the one table, the default; a row's name alone does as well: ``mlp``, ``networks``
    scaling --out DIR   how time grows with batch, width, depth and length, as a figure
    page FILE.json      the table of a run of ``bench --json FILE.json``, written into README.md beside this
    chain, value, ...   a closer look at one thing each (DETAILS below)
    details             all of these
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from importlib import import_module

from .table import Row, footer, header

DETAILS = {  # name -> module, whose rows() it prints
    "elementwise": "elementwise", "chain": "chain", "value": "scalars", "operations": "operations",
    "memory": "memory", "import": "imports", "pictures": "pictures", "convolution": "layers_convolution",
    "recurrent": "layers_recurrent", "attention": "layers_attention", "loading": "loading",
    "training": "training", "optimizers": "optimizers",
}  # fmt: skip
COMMANDS = {"bench": "bench", "scaling": "scaling", "page": "page"}


def details(names: Iterable[str]) -> None:
    """Print the table of these measurements."""
    for line in header():
        print(line, flush=True)
    for name in names:
        rows: Callable[[], Iterable[Row]] = import_module(f".{DETAILS[name]}", __package__).rows
        for row in rows():
            for line in row.lines():
                print(line, flush=True)
    for line in footer():
        print(line)


def main(arguments: list[str]) -> None:
    """Do what the first argument says."""
    first, *rest = arguments or ["bench"]
    if first in ("-h", "--help"):
        print(__doc__)
    elif first == "details":
        details(DETAILS)
    elif first in DETAILS:
        if unknown := set(rest) - DETAILS.keys():
            sys.exit(f"no measurement {min(unknown)!r}; there are {', '.join(DETAILS)}")
        details(arguments)
    elif first in COMMANDS:
        import_module(f".{COMMANDS[first]}", __package__).main(rest)
    else:
        import_module(".bench", __package__).main(arguments)


if __name__ == "__main__":
    main(sys.argv[1:])
