"""How the time of a training step grows with batch, width, depth and length: one figure, four panels.

``python -m tests.benchmarks scaling --out FOLDER`` measures, and leaves ``scaling.json`` and ``scaling.png``;
``--draw`` draws again from what ``scaling.json`` has. It needs matplotlib.
"""

from __future__ import annotations

import json
import math
import sys
from argparse import ArgumentParser
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from .contest import Contest
from .machine import facts
from .workloads import COMPILED, EAGER, JAX, TORCH, TORCH_COMPILE, Workload
from .workloads.perceptrons import relu
from .workloads.sequences import recurrent


class Panel(NamedTuple):
    """What grows, what stays, and the sizes."""

    title: str
    axis: str
    make: Callable[[int], Workload]
    sizes: tuple[int, ...]


PANELS = {
    "batch": Panel("MLP 784-512-256-10", "batch (images)",
                   lambda n: relu((784, 512, 256, 10), n).workload(), (1, 4, 16, 64, 256, 1024)),
    "width": Panel("MLP 64-w-w-10, batch 64", "width w (units of a layer)",
                   lambda n: relu((64, n, n, 10), 64).workload(), (8, 32, 128, 512, 2048)),
    "depth": Panel("MLP of 64 units, batch 32", "depth (hidden layers)",
                   lambda n: relu((*[64] * (n + 1), 10), 32).workload(), (1, 4, 16, 64)),
    "length": Panel("LSTM of 64 units, batch 16", "length (time steps)",
                    lambda n: recurrent("LSTM", n, 16, 64).workload(), (1, 4, 16, 64, 256)),
}  # fmt: skip
STYLES: dict[str, tuple[str, dict[str, Any]]] = {  # label, and colours that the colour-blind tell apart
    EAGER: ("ours, eager", {"color": "#56b4e9", "marker": "o"}),
    COMPILED: ("ours, compiled", {"color": "#0072b2", "marker": "s"}),
    TORCH: ("PyTorch eager, 1 or 2 threads", {"color": "#d55e00", "marker": "^"}),
    JAX: ("JAX jit", {"color": "#009e73", "marker": "D"}),
}


def measure(seconds: float, sizes: int) -> dict[str, Any]:
    """Return the row of each size of each panel; say on the way what goes wrong."""
    found: dict[str, Any] = {"machine": facts(), "panels": {}}
    for name, panel in PANELS.items():
        rows = found["panels"][name] = []
        for size in panel.sizes[:sizes]:
            row = Contest(panel.make(size), (TORCH_COMPILE,)).race(seconds, 5)
            rows.append({"size": size, **row})
            times = ", ".join(f"{who} {value * 1e3:.3f} ms" for who, value in row["seconds"].items())
            print(f"{name} {size}: {times}", flush=True)
            for who, text in {**row["errors"], **row["notes"]}.items():
                print(f"  {who}: {text}", file=sys.stderr)
    return found


def draw(found: dict[str, Any], file: Path) -> None:
    """Draw the four panels, logarithmic both ways."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot
    from matplotlib.ticker import FuncFormatter, NullFormatter

    figure, grid = pyplot.subplots(2, 2, figsize=(11, 8.5), layout="constrained")
    handles: dict[str, Any] = {}
    plain = FuncFormatter(lambda value, _: f"{value:g}")
    for axes, (name, panel) in zip(grid.flat, PANELS.items(), strict=True):
        rows = found["panels"][name]
        for who, (label, style) in STYLES.items():
            # where it failed, the line is broken
            points = [(row["size"], row["seconds"].get(who, math.nan) * 1e3) for row in rows]
            if any(who in row["seconds"] for row in rows):
                handles[label] = axes.plot(*zip(*points, strict=True), **style, lw=1.8, ms=6)[0]
        least = [(row["size"], row["flops"] / row["limit"] * 1e3) for row in rows]
        label = "its matrix products alone, at this machine's measured limit"
        times = [value * 1e3 for row in rows for who, value in row["seconds"].items() if who in STYLES]
        handles[label] = axes.plot(*zip(*least, strict=True), color="0.55", ls=":", lw=1.5)[0]
        axes.set(xscale="log", yscale="log", title=panel.title, xlabel=panel.axis,
                 ylabel="time of a training step (ms)")  # fmt: skip
        axes.set_ylim(min(times) / 4, max(times) * 2)
        axes.set_xticks([row["size"] for row in rows])
        axes.xaxis.set_major_formatter(plain)
        axes.xaxis.set_minor_formatter(NullFormatter())
        axes.minorticks_off()
        axes.yaxis.set_major_formatter(plain)
        axes.grid(alpha=0.3)
        axes.spines[["top", "right"]].set_visible(False)
    figure.legend(handles.values(), handles.keys(), loc="outside lower center", ncols=3, frameon=False)
    machine = found["machine"]
    figure.suptitle(f"Training steps with Adam, float32, warm, medians; {machine['processor']}, "
                    f"{machine['cores']} cores, {machine['when'][:10]}\n", fontsize=11)  # fmt: skip
    figure.savefig(file, dpi=110)
    pyplot.close(figure)


def main(arguments: Sequence[str]) -> None:
    parser = ArgumentParser("python -m tests.benchmarks scaling", description="time by size: a figure")
    parser.add_argument("--out", type=Path, default=Path("out"), help="the folder (default: out)")
    parser.add_argument("--seconds", type=float, default=1.5, help="to measure each point (default 1.5)")
    parser.add_argument("--sizes", type=int, default=99, help="only so many points of each panel")
    parser.add_argument("--draw", action="store_true", help="do not measure: draw scaling.json again")
    given = parser.parse_args(arguments)
    given.out.mkdir(parents=True, exist_ok=True)
    file = given.out / "scaling.json"
    if not given.draw:
        file.write_text(json.dumps(measure(given.seconds, given.sizes), indent=1) + "\n")
    draw(json.loads(file.read_text()), given.out / "scaling.png")
    print(file.with_suffix(".png"))
