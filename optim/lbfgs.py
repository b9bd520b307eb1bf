"""L-BFGS: a quasi-Newton method that remembers the last steps instead of a matrix."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy import ndarray

from autograd_core.errors import message
from autograd_core.interrupts import deferred
from autograd_core.node import strip

from .groups import Group, gradients
from .line_search import LineSearch, strong_wolfe
from .optimizer import Params
from .vector import VectorOptimizer

__all__ = ["LBFGS"]

Array = ndarray[Any, Any]


class LBFGS(VectorOptimizer):
    """Limited-memory BFGS: ``x <- x - t H g``, where H approximates the inverse Hessian.

    H is never formed. It follows from the last pairs of steps ``s = x' - x`` and changes of the gradient
    ``y = g' - g``, so that ``H y = s`` for the last of them. One call of ``step`` makes up to ``max_iter``
    iterations; it is meant for a loss that is the same at each evaluation, thus for the whole data set or
    one batch per ``step``.

    Args:
        params: the parameters; all are in one group.
        lr: the step t, or with a line search its first trial. (The very first step is
            ``min(1, 1 / |g|_1)`` times it.)
        max_iter: iterations per call of ``step``.
        max_eval: evaluations of the loss per call; 5/4 of ``max_iter`` by default.
        tolerance_grad: stop when no number of g is larger.
        tolerance_change: stop when neither x nor the loss changes by more.
        history_size: the number of pairs.
        line_search_fn: ``"strong_wolfe"`` (see :func:`strong_wolfe`), or None: always t = lr.

    Raises:
        ValueError: an option that makes no sense, or several groups of parameters.

    ``step`` needs a closure that clears the gradients, computes the loss, calls ``backward()`` and returns
    the loss. Where the closure raises, also at Ctrl-C, the parameters are again those of the last iteration.

    Source: D. Liu and J. Nocedal, "On the limited memory BFGS method for large scale optimization", 1989;
    J. Nocedal and S. Wright, Numerical Optimization, 2006, algorithm 7.4. Iterations, stopping rules and
    defaults are PyTorch's.

    >>> import numpy as np
    >>> from autograd_core import nn, optim
    >>> x = nn.Parameter(np.array([-1.2, 1.0]))
    >>> optimizer = optim.LBFGS([x], max_iter=100, line_search_fn="strong_wolfe")
    >>> def closure():
    ...     optimizer.zero_grad()
    ...     loss = (1 - x[0]) ** 2 + 100 * (x[1] - x[0] ** 2) ** 2
    ...     loss.backward()
    ...     return loss
    >>> optimizer.step(closure).item()
    24.2
    >>> x.numpy().round(6)
    array([1., 1.])
    """

    vectors = ("d", "prev_flat_grad", "old_dirs", "old_stps")
    numbers = ("t", "prev_loss", "n_iter", "func_evals", "H_diag", "ro")

    def __init__(
        self,
        params: Params,
        lr: float = 1,
        max_iter: int = 20,
        max_eval: int | None = None,
        tolerance_grad: float = 1e-7,
        tolerance_change: float = 1e-9,
        history_size: int = 100,
        line_search_fn: str | None = None,
    ) -> None:
        options = {
            "lr": lr, "max_iter": max_iter, "max_eval": max_iter * 5 // 4 if max_eval is None else max_eval,
            "tolerance_grad": tolerance_grad, "tolerance_change": tolerance_change,
            "history_size": history_size, "line_search_fn": line_search_fn,
        }  # fmt: skip
        super().__init__(params, options)

    def check(self, group: Group) -> None:
        super().check(group)
        for name in ("max_iter", "max_eval", "history_size"):
            if not group[name] >= 1:
                raise ValueError(message("LBFGS", f"{name}={group[name]}", "a number of at least 1"))
        if group["line_search_fn"] not in (None, "strong_wolfe"):
            raise ValueError(message("LBFGS", f"line_search_fn={group['line_search_fn']!r}",
                                     "'strong_wolfe' or None"))  # fmt: skip

    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Make up to ``max_iter`` iterations.

        Args:
            closure: clears the gradients, computes the loss, calls ``backward()`` on it and returns it.

        Returns:
            what the closure returned at its first call: the loss before the step.

        Raises:
            TypeError: no closure.
            ValueError: after the closure no parameter has a gradient.
            FloatingPointError: the first gradient is not finite; nothing has been changed.
        """
        self.see_values()
        group = self.param_groups[0]
        change, searches = group["tolerance_change"], group["line_search_fn"] is not None
        first, loss, g = self.evaluate(closure)
        if not np.isfinite(g).all():
            raise FloatingPointError(message(
                "LBFGS.step", f"a gradient that is not finite, and the loss {loss}", "finite numbers",
                "a smaller lr, or line_search_fn='strong_wolfe'"))  # fmt: skip
        evaluations = 1
        self.count(func_evals=1)
        if abs(g).max() <= group["tolerance_grad"]:
            return first
        for iteration in range(1, group["max_iter"] + 1):
            t = float(group["lr"])
            if not self.memory.get("n_iter"):
                t *= min(1.0, 1 / float(abs(g).sum()))
            d, history = self.direction(g)
            slope, before = float(g @ d), loss
            kept = {"d": d, "prev_flat_grad": g, "prev_loss": loss, **history}
            if slope > -change:
                self.advance(0.0, d, {**kept, "t": t})
                break
            spent = 0
            if searches:
                found = self.search(closure, t, d, (loss, slope, g), group["max_eval"] - evaluations)
                t, loss, g, spent = found.step, found.value, found.rest[0], found.evaluations
            self.advance(t, d, {**kept, "t": t})
            if not searches and iteration < group["max_iter"]:
                _, loss, g = self.evaluate(closure)
                spent = 1
            evaluations += spent
            self.count(func_evals=spent)
            if (
                evaluations >= group["max_eval"]
                or abs(g).max() <= group["tolerance_grad"]
                or abs(d * t).max() <= change
                or abs(loss - before) < change
                or not np.isfinite(g).all()  # no direction follows; the next call says so
            ):
                break
        return first

    def evaluate(self, closure: Callable[[], Any] | None) -> tuple[Any, float, Array]:
        """Return the loss, as it came and as a number, and the gradient."""
        loss = self.evaluated(closure)
        slopes = gradients(self.params)
        if all(p is None for p in slopes):
            raise ValueError(message("LBFGS.step", "a closure after which no parameter has a gradient",
                                     "one that calls loss.backward()"))  # fmt: skip
        g = self.flat([s if p.requires_grad else None for p, s in zip(self.params, slopes, strict=True)])
        return loss, np.asarray(strip(loss)).item(), g

    def search(self, closure: Any, t: float, d: Array, start: Any, max_iter: int) -> LineSearch:
        """Search along d, and leave the parameters where they were."""
        values = self.copies()

        def phi(t: float) -> tuple[float, float, Array]:
            try:
                self.move(t, d)
                _, loss, g = self.evaluate(closure)
            finally:
                self.put(values)
            return loss, float(g @ d), g

        shortest = self.param_groups[0]["tolerance_change"] / float(abs(d).max())
        return strong_wolfe(phi, t, start, tolerance=shortest, max_iter=max_iter)

    def advance(self, t: float, d: Array, kept: dict[str, Any]) -> None:
        """Take the step and remember it: both, or with an interruption neither."""
        with deferred():
            if t:
                self.move(t, d)
            self.remember(kept)
            self.count(n_iter=1)

    def count(self, **more: int) -> None:
        self.remember({name: int(self.memory.get(name, 0)) + n for name, n in more.items()})

    # -- the approximate inverse Hessian ------------------------------------------------------------

    def direction(self, g: Array) -> tuple[Array, dict[str, Any]]:
        """Return ``-H g``, and the history with the last step in it."""
        memory = self.memory
        if "d" not in memory:
            return -g, {}
        y, s = g - memory["prev_flat_grad"], memory["d"] * float(memory["t"])
        frozen = self.frozen()
        if frozen is not None:
            y[frozen] = s[frozen] = 0
        history = _History(memory, self.param_groups[0]["history_size"], g)
        scale, ys = float(memory.get("H_diag", 1)), float(y @ s)
        if ys > 1e-10:
            scale = ys / float(y @ y)
            history.append(y, s, ys)
        d = history.times(-g, scale)
        if frozen is not None:
            d[frozen] = 0
        return d, {**history.arrays(), "H_diag": scale}

    # -- its state as data ----------------------------------------------------------------------------

    def state_dict(self) -> dict[str, Any]:
        """Return the options and copies of the state; the rows of the history are in order of time."""
        found = super().state_dict()
        for arrays in found["state"].values():
            if "pairs" in arrays:
                order = _order(int(arrays.pop("pairs")), len(arrays["ro"]))
                for name in ("old_dirs", "old_stps", "ro"):
                    arrays[name] = arrays[name][order]
        return found


def _order(pairs: int, rows: int) -> list[int]:
    """Return the rows that are in use, the oldest first, when row n holds pair n, n + rows, ..."""
    return [n % rows for n in range(max(pairs - rows, 0), pairs)]


class _History:
    """The last pairs of gradients' changes y and steps s: rows of two arrays, in a ring.

    Writing a row touches nothing that the state refers to by ``pairs``, except the oldest pair, which is to
    be forgotten.
    """

    def __init__(self, memory: Mapping[str, Array], size: int, like: Array) -> None:
        empty = np.zeros((0, like.size), like.dtype)
        dirs, steps = memory.get("old_dirs", empty), memory.get("old_stps", empty)
        ro = memory.get("ro", np.zeros(0))
        self.pairs = int(memory.get("pairs", len(ro)))
        if len(ro) != size or dirs.dtype != like.dtype:
            order = _order(self.pairs, len(ro))[-size:]
            self.pairs = len(order)
            old = dirs[order], steps[order], ro[order]
            dirs, steps = (np.zeros((size, like.size), like.dtype) for _ in range(2))  # pages come when used
            ro = np.zeros(size)
            for new, rows in zip((dirs, steps, ro), old, strict=True):
                new[: self.pairs] = rows
        self.dirs, self.steps, self.ro = dirs, steps, ro

    def append(self, y: Array, s: Array, ys: float) -> None:
        row = self.pairs % len(self.ro)
        self.dirs[row], self.steps[row], self.ro[row] = y, s, 1 / ys
        self.pairs += 1

    def times(self, q: Array, scale: float) -> Array:
        """Return H q by two loops over the pairs, when H starts as ``scale`` times the identity."""
        order = _order(self.pairs, len(self.ro))
        shares: dict[int, float] = {}
        for i in reversed(order):
            shares[i] = float(self.steps[i] @ q) * float(self.ro[i])
            q = q - shares[i] * self.dirs[i]
        q = q * scale
        for i in order:
            q = q + (shares[i] - float(self.dirs[i] @ q) * float(self.ro[i])) * self.steps[i]
        return q

    def arrays(self) -> dict[str, Array]:
        return {"old_dirs": self.dirs, "old_stps": self.steps, "ro": self.ro, "pairs": np.array(self.pairs)}
