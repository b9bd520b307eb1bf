"""Print one table of all measurements, or of those named: ``python -m tests.benchmarks chain``."""

from __future__ import annotations

import sys

from . import (
    arrays,
    chain,
    elementwise,
    imports,
    layers_attention,
    layers_convolution,
    layers_recurrent,
    loading,
    memory,
    mlp,
    networks,
    operations,
    optimizers,
    pictures,
    scalars,
    training,
)
from .table import footer, header

WORKLOADS = {
    "elementwise": elementwise.rows, "chain": chain.rows, "mlp": mlp.rows, "adam": mlp.wide_rows,
    "value": scalars.rows, "million": arrays.rows, "operations": operations.rows,
    "memory": memory.rows, "import": imports.rows, "pictures": pictures.rows, "networks": networks.rows,
    "convolution": layers_convolution.rows, "recurrent": layers_recurrent.rows,
    "attention": layers_attention.rows, "loading": loading.rows,
    "training": training.rows, "optimizers": optimizers.rows,
}  # fmt: skip


def main(names: list[str]) -> None:
    """Measure the workloads of these names, all by default."""
    if unknown := set(names) - WORKLOADS.keys():
        sys.exit(f"no workload {min(unknown)!r}; there are {', '.join(WORKLOADS)}")
    for line in header():
        print(line, flush=True)
    for name in names or WORKLOADS:
        for row in WORKLOADS[name]():
            for line in row.lines():
                print(line, flush=True)
    for line in footer():
        print(line)


if __name__ == "__main__":
    main(sys.argv[1:])
