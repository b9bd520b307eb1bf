"""A module as text: its structure, the shapes of its parameters, and how many there are."""

from __future__ import annotations

from typing import TYPE_CHECKING

from autograd_core.errors import counted

if TYPE_CHECKING:
    from .module import Module

__all__ = ["show"]


def show(module: Module) -> str:
    """Return one line for a module without sub-modules, else a line for each, and the sum.

    >>> from autograd_core import nn
    >>> nn.Sequential(nn.Linear(64, 30), nn.Sigmoid(), nn.Linear(30, 10))
    Sequential(
      (0): Linear(in_features=64, out_features=30, bias=True)  # 1,950: weight (30, 64), bias (30,)
      (1): Sigmoid()
      (2): Linear(in_features=30, out_features=10, bias=True)  #   310: weight (10, 30), bias (10,)
    )  # 2,260 parameters in 4 arrays, float32, 8.8 KiB
    """
    lines = _lines(module, "", "")
    counts = [f"{n:,}" for _, n, _ in lines if n is not None]
    if len(lines) == 1:
        text, n, shapes = lines[0]
        return text if n is None else f"{text}  # {counted(n, 'parameter')}: {shapes}"
    wide = max((len(text) for text, n, _ in lines if n is not None), default=0)
    most = max(map(len, counts), default=0)
    shown = [
        text if n is None else f"{text:<{wide}}  # {n:>{most},}: {shapes}"
        for text, n, shapes in lines
    ]
    parameters = list(module.parameters())
    if parameters:
        total = sum(p.size for p in parameters)
        dtypes = ", ".join(sorted({str(p.dtype) for p in parameters}))
        memory = _bytes(sum(p.data.nbytes for p in parameters))
        frozen = sum(p.size for p in parameters if not p.requires_grad)
        shown[-1] += (
            f"  # {total:,} parameters in {len(parameters)} arrays, {dtypes}, {memory}"
            + f", {frozen:,} of them frozen" * bool(frozen)
        )
    return "\n".join(shown)


def _lines(module: Module, label: str, indent: str) -> list[tuple[str, int | None, str]]:
    """Return for each line its text, and how many parameters it names with which shapes."""
    name, extra = type(module).__name__, module.extra_repr()
    own = [(key, p) for key, p in module.named_parameters(recurse=False)]
    count = sum(p.size for _, p in own) if own else None
    shapes = ", ".join(f"{key} {tuple(p.shape)}" for key, p in own)
    children = module._members()
    if not children:
        return [(f"{indent}{label}{name}({extra})", count, shapes)]
    lines = [(f"{indent}{label}{name}({extra}", count, shapes)]
    for key, child in children:
        lines += _lines(child, f"({key}): ", indent + "  ")
    return [*lines, (f"{indent})", None, "")]


def _bytes(n: float) -> str:
    for unit in ("bytes", "KiB", "MiB"):
        if n < 1024:
            return f"{n:.0f} {unit}" if unit == "bytes" else f"{n:.1f} {unit}"
        n /= 1024
    return f"{n:.1f} GiB"
