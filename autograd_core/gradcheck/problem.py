"""What is checked, whatever was given: a function of a flat list of float64 arrays."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .. import random
from ..errors import message

__all__ = ["Array", "Problem", "norm", "refuse", "replayed"]

Array = NDArray[np.float64]
Pullback = Callable[[Sequence[Any]], list[Any]]
RTOL = {8: 1e-7, 4: 5e-3, 2: 0.1}  # bytes of an output's element: relative tolerance


def refuse(kind: type[Exception], got: str, expected: str, hint: str = "") -> Exception:
    """Build an error about what cannot be checked."""
    return kind(message("check_gradients", got, expected, hint))


def norm(x: Any) -> float:
    """Return the Euclidean norm, also of numbers whose squares overflow."""
    largest = float(np.max(np.abs(x), initial=0.0))
    return largest * float(np.linalg.norm(x / largest)) if largest else 0.0


@contextmanager
def replayed(state: Any) -> Iterator[None]:
    """Let the library's generator draw what it drew before, and ignore floating-point errors."""
    after = random.get_state()
    random.set_state(state)
    try:
        with np.errstate(all="ignore"):
            yield
    finally:
        random.set_state(after)


@dataclass
class Problem:
    """A function to check at ``xs``, and a random direction ``u`` for each of its outputs.

    ``evaluate`` maps arrays to outputs; ``pullback`` maps arrays to a function from cotangents to
    gradients, one per array, as the code under test gives them (any shape, any dtype, or None).
    """

    names: list[str]
    xs: list[Array]  # the inputs that are differentiated
    evaluate: Callable[[Sequence[Any]], list[Any]]
    pullback: Callable[[Sequence[Any]], Pullback]
    push: Callable[[Sequence[Any], Sequence[Any]], list[Any]] | None = None  # forward mode
    accumulated: Callable[[Sequence[Any]], list[Any]] | None = None  # cotangents -> .grad - 1
    native: tuple[list[Any], Callable[[Sequence[Any]], Pullback]] | None = None  # as it was given
    higher: Callable[[list[Any]], Problem] | None = None  # the problem one order up
    rearranged: bool = False  # whether arrays in other layouts can be handed to it
    state: str = ""  # "train" or "eval", if these differ
    notes: list[str] = field(default_factory=list)
    us: list[Any] = field(default_factory=list)  # zeros for outputs that are not floating
    ys: list[Array] = field(default_factory=list)  # the floating outputs at xs
    floating: list[Array] = field(default_factory=list)  # their directions
    size: float = 0.0  # of u * f(x): rounding noise is this times eps
    unit: float = 1.0  # what gradients are divided by when they are told: u, if it is one number
    rtol: float = RTOL[8]
    eps: float = float(np.finfo(float).eps)
    evaluations: int = 0
    draws: Any = field(default_factory=random.get_state)

    def outputs(self, xs: Sequence[Any]) -> list[Any]:
        """Evaluate; the same random numbers are drawn each time."""
        self.evaluations += 1
        with replayed(self.draws):
            return self.evaluate(xs)

    def values(self, xs: Sequence[Any]) -> list[Array]:
        """Evaluate on copies, and return the floating outputs in float64."""
        ys = [np.asarray(y) for y in self.outputs([np.array(x) for x in xs])]
        return [y.astype(float) for y in ys if y.dtype.kind == "f"]

    def back(self, xs: Sequence[Any]) -> Pullback:
        """Run forward, and return the way back."""
        self.evaluations += 1
        with replayed(self.draws):
            pull = self.pullback(xs)

        def again(us: Sequence[Any]) -> list[Any]:
            with replayed(self.draws):
                return pull(us)

        return again

    def gradients(self, us: Sequence[Any] | None = None) -> list[Any]:
        """Return J^T u as it is given, from a fresh forward pass."""
        us = self.us if us is None else us
        return self.back([np.array(x) for x in self.xs])([np.array(u) for u in us])

    def prepare(self, rng: np.random.Generator, rtol: float | None) -> None:
        """Look at the outputs, refuse what cannot be checked, and draw the directions."""
        ys = self.outputs([np.array(x) for x in self.xs])
        for y in ys:
            if not isinstance(y, (np.ndarray, np.generic, float, int)):
                raise refuse(TypeError, f"a function that returns {type(y).__name__}",
                             "an array or Tensor, or a nest of them", "return y")  # fmt: skip
        ys = [np.asarray(y) for y in ys]
        floating = [y for y in ys if y.dtype.kind == "f"]
        if not floating or any(y.dtype.kind == "c" for y in ys):
            raise refuse(TypeError, "outputs of dtype " + ", ".join(str(y.dtype) for y in ys),
                         "a floating output")  # fmt: skip
        if not all(np.isfinite(y).all() for y in floating):
            raise refuse(ValueError, "an output that is nan or infinite", "numbers", "other inputs")
        coarse = min((y.dtype for y in floating), key=lambda dtype: dtype.itemsize)
        self.eps = max(float(np.finfo(coarse).eps), self.eps)
        self.rtol = RTOL[min(coarse.itemsize, 8)] if rtol is None else rtol
        for y in ys:
            u = rng.standard_normal(y.shape) if y.dtype.kind == "f" else np.zeros(y.shape)
            u = u.astype(y.dtype) if y.dtype.kind == "f" else u  # gradients come in its dtype
            self.us.append(u)
            if y.dtype.kind == "f":
                self.ys.append(y.astype(float))
                self.floating.append(u.astype(float))
                self.size += norm(u * y)
        if len(ys) == 1 == ys[0].size:
            self.unit = float(self.us[0].item())

    def forward(self, vs: Sequence[Any]) -> float:
        """Return u . (J v) as forward mode gives it."""
        assert self.push is not None
        with replayed(self.draws):
            ts = self.push(self.xs, vs)
        return float(sum(np.vdot(u, t) for u, t in zip(self.us, ts, strict=True)))
