"""Gradients compared with finite differences: is the chain rule that I wrote right?

A random Gaussian direction ``u`` in the space of outputs turns any function into one number,
``u . f(x)``. Its gradient by reverse mode is compared, element by element or along random
directions, with

    d/dx_i u . f(x)  =  lim  u . (f(x + h e_i) - f(x - h e_i)) / 2h      as h -> 0

in float64, whatever the precision of the inputs. Forward mode is held against reverse mode by
``u . (J v) = (J^T u) . v``. Before that, what needs no numbers is looked at (:mod:`free`); after
it, what is wrong is named in words (:mod:`diagnose`).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

import numpy as np

from ..errors import NotDifferentiableError, message
from .compare import along, each_element, expected_gradient, judge, random_directions
from .diagnose import Argument, Evidence, Hint, diagnose
from .differences import typical
from .free import free_checks, layouts, precision
from .problem import Problem
from .report import Comparison, Fault, Report, Row, failure
from .subjects import problems_of

__all__ = ["Comparison", "Fault", "Hint", "Report", "Row", "check_gradients"]

FEW = 64  # an argument of at most this many elements is checked element by element,
BUDGET = 256  # while these are not many more in all


def check_gradients(
    f: Callable[..., Any],
    *inputs: Any,
    vjp: Callable[..., Any] | None = None,
    wrt: Any = "all",
    order: int = 1,
    modes: Literal["both", "reverse", "forward"] = "both",
    rtol: float | None = None,
    directions: int = 3,
    on_kink: Literal["subgradient", "raise"] = "subgradient",
    allow_inconclusive: bool = False,
    seed: int = 0,
) -> Report:
    """Compare the gradients of a function, or of a Module, with finite differences.

    Args:
        f: a function of Tensors that returns a Tensor (or a nest of them); a Module, of which every
            parameter is checked besides the inputs, in train and in eval mode; with ``vjp`` a plain
            function of arrays; or PyTorch's: a ``torch.autograd.Function``, a ``torch.nn.Module``,
            a function of torch tensors. It is evaluated on float64 copies; neither the inputs nor
            the Module are touched.
        inputs: Tensors, arrays, numbers, or nests of them. What is not floating is held fixed.
        vjp: a backward written by hand, ``vjp(g, *inputs)`` with g = dL/df, that returns dL/dx of
            the only input or a tuple of one (or None) per input; or the method ``vjp(g)`` of a
            layer that remembers what ``f`` saw.
        wrt: ``"all"``, ``"inputs"``, ``"parameters"``, the name or the position of an argument,
            the dotted name of a parameter or of a submodule, or a list of these.
        order: 2 also checks the gradient's own gradient, and so on.
        modes: ``"reverse"``, ``"forward"``, or ``"both"`` (where an operation has no forward
            rule, forward mode is then passed over, with a note in the report).
        rtol: largest relative error allowed; by default 1e-7 (5e-3 if ``f`` returns float32).
        directions: how many random directions a large argument is checked along.
        on_kink: whether a value between the derivatives on the two sides of a kink passes, as a
            ``"subgradient"``, or not (``"raise"``).
        allow_inconclusive: let pass what finite differences can neither confirm nor refute.
        seed: of the random directions.

    Returns:
        a :class:`Report`, with ``passed``, ``max_error``, ``rows`` and ``hints``; it prints as a
        table.

    Raises:
        GradientError: a gradient is wrong, or cannot be confirmed; the text says which and what
            may be the cause, ``.report`` holds the Report.
        TypeError: there is nothing to check: no floating input, or no floating output.
        ValueError: ``f`` is not finite at these inputs.

    >>> import numpy as np
    >>> from autograd_core.gradcheck import check_gradients
    >>> report = check_gradients(lambda x, y: np.sin(x) * y, np.array([0.5, 1.0]), 2.0)
    >>> report.passed, [row.argument for row in report.rows if row.mode == "reverse"]
    (True, ['x', 'y'])

    A layer in NumPy, with its backward:

    >>> W = np.array([[1.0, 2.0], [3.0, 5.0]])
    >>> def backward(g, x, w):
    ...     return g @ w, g.T @ x  # of x @ w.T
    >>> check_gradients(lambda x, w: x @ w.T, np.ones((3, 2)), W, vjp=backward).passed
    True
    >>> try:
    ...     check_gradients(lambda x, w: x @ w.T, np.ones((3, 2)), W, vjp=lambda g, x, w: (g @ w.T, g.T @ x))
    ... except AssertionError as error:
    ...     print(error.report.hints[0].kind)
    transposed
    """
    if modes not in ("both", "reverse", "forward"):
        raise ValueError(message("check_gradients", f"modes={modes!r}",
                                 "'both', 'reverse' or 'forward'"))  # fmt: skip
    if on_kink not in ("subgradient", "raise"):
        raise ValueError(message("check_gradients", f"on_kink={on_kink!r}",
                                 "'subgradient' or 'raise'"))  # fmt: skip
    for name, number in (("order", order), ("directions", directions)):
        if not isinstance(number, int) or number < 1:
            raise ValueError(message("check_gradients", f"{name}={number!r}", "1, 2, ..."))
    for name, value, least in (("rtol", rtol, 0.0), ("seed", seed, -1)):
        if value is not None and not value > least:
            raise ValueError(message("check_gradients", f"{name}={value!r}", f"above {least:g}"))
    report = Report(getattr(f, "__name__", type(f).__name__), seed)
    failing = {"wrong"} | ({"kink"} if on_kink == "raise" else set()) | (
        set() if allow_inconclusive else {"inconclusive"})  # fmt: skip
    checker = _Checker(report, modes, rtol, directions, frozenset(failing))
    problems = problems_of(f, inputs, wrt, vjp)
    if order > 1 and problems[0].higher is None:
        raise ValueError(message("check_gradients", f"order={order} of a backward written by hand",
                                 "order=1: its own gradient is not known"))  # fmt: skip
    first: list[Any] | None = None
    for problem in problems:
        rows = len(report.rows)
        report.notes += [note for note in problem.notes if note not in report.notes]
        first = checker.check(problem, order, np.random.default_rng((seed, 7)), first)
        if not report.passed:
            raise failure(report) from report.stopped
        if problem is not problems[0] and len(report.rows) == rows:  # the modes do the same
            for row in report.rows:
                row.state = ""
    return report


class _Checker:
    """The options of one call, and what it has found."""

    def __init__(
        self, report: Report, modes: str, rtol: float | None, directions: int,
        failing: frozenset[str],
    ) -> None:  # fmt: skip
        self.report, self.modes, self.rtol = report, modes, rtol
        self.directions, self.failing = directions, failing

    def check(
        self, problem: Problem, order: int, rng: np.random.Generator, before: list[Any] | None
    ) -> list[Any] | None:
        """Check one problem and its higher orders; return its outputs and gradients.

        ``before`` is what the other mode of a Module gave: the same again needs no second look.
        """
        facts = None
        for n in range(1, order + 1):
            problem.prepare(rng, self.rtol)
            gradients = None
            if self.modes != "forward":
                gradients = free_checks(problem, self.report, rng) if n == 1 else self._plain(problem)
                if gradients is not None and n == 1:
                    facts = [*problem.ys, *gradients]
                    if before is not None and _equal(before, facts):
                        return facts
                if gradients is not None:
                    self._reverse(problem, n, gradients, rng)
                if gradients is not None and n == 1 and self.report.passed:
                    precision(problem, self.report, gradients)
                    layouts(problem, self.report, gradients)
            if self.modes != "reverse" and problem.push is not None and self.report.passed:
                self._forward(problem, n, gradients, rng)
            self.report.evaluations += problem.evaluations
            if not self.report.passed:
                return None
            if n < order:
                assert problem.higher is not None
                state = problem.state
                problem = problem.higher([np.array(u) for u in problem.us])
                problem.state = state
        return facts

    def _plain(self, problem: Problem) -> list[Any] | None:
        try:
            return problem.gradients()
        except NotDifferentiableError:
            raise
        except Exception as error:  # of the rules: the forward pass has just been through
            self.report.stopped = error
            text = f"{type(error).__name__} from a backward of higher order: {error}"
            self.report.faults.append(Fault("", problem.state, Hint("raises", text)))
            return None

    def _reverse(
        self, problem: Problem, order: int, gradients: list[Any], rng: np.random.Generator
    ) -> None:
        """Add a row for each argument: reverse mode against finite differences."""
        count = len(problem.xs)
        few = min(FEW, max(4, BUDGET // count))
        for k, (x, g) in enumerate(zip(problem.xs, gradients, strict=True)):
            row = Row(problem.names[k], x.shape, "reverse", order, x.size <= few,
                      state=problem.state, failing=self.failing)  # fmt: skip
            self.report.rows.append(row)
            shaped = np.zeros(x.shape) if g is None else np.asarray(g, float)
            if shaped.shape == x.shape:
                row.comparisons = (
                    each_element(problem, k, shaped, np.ndindex(x.shape)) if row.every
                    else random_directions(problem, k, shaped,
                                           self.directions if count <= 32 else 1, rng)
                )  # fmt: skip
                if not row.passed:
                    row.hint = self._hint(problem, k, gradients, row)
                elif g is None or (not shaped.any() and x.size):
                    text = f"{row.argument!r} has no influence here: its gradient is 0"
                    if text not in self.report.notes:
                        self.report.notes.append(text)
            else:  # there is no number to compare, but there may be a reason
                row.hint = self._hint(problem, k, gradients, row)
                text = f"the gradient has shape {shaped.shape}, expected {x.shape}"
                if row.hint.kind not in ("shape", "wrong"):
                    text += f": {row.hint.text}"
                kind, row.hint = row.hint.kind, None
                kind = "shape" if kind == "wrong" else kind
                self.report.faults.append(Fault(row.argument, problem.state, Hint(kind, text)))

    def _hint(self, problem: Problem, k: int, gradients: list[Any], row: Row) -> Hint:
        """Measure enough of the right gradients to say what is wrong with this one."""
        worst = row.worst
        if worst is not None and worst.verdict == "wrong" and worst.index is None and any(
            c.verdict == "kink" for c in row.comparisons
        ):
            return Hint("subgradient", "each element on a kink passes by itself, but moved together "
                        f"they change the output by {worst.expected:.6g}, not {worst.given:.6g}: are "
                        "ties counted more than once?")  # fmt: skip
        if worst is not None and worst.sides is not None and worst.verdict == "wrong":
            return Hint("subgradient", f"{worst.given:.6g} lies outside the derivatives on the two "
                        f"sides of this kink, {worst.sides[0]:.6g} and {worst.sides[1]:.6g}")  # fmt: skip
        if worst is not None and worst.verdict == "inconclusive":
            return Hint("inconclusive", "finite differences can neither confirm nor refute it here")
        if gradients[k] is None:
            return Hint("missing", "None came where there is a gradient")
        arguments = []
        for j, (name, x, g) in enumerate(zip(problem.names, problem.xs, gradients, strict=True)):
            indices = list(np.ndindex(x.shape)) if x.size <= FEW else []
            if not indices and j == k:
                marked = {c.index for c in row.comparisons if c.index is not None}
                picked = np.random.default_rng(0).choice(x.size, FEW, replace=False)
                indices = [*marked, *(tuple(map(int, np.unravel_index(i, x.shape)))
                                      for i in picked)]  # fmt: skip
            expected, uncertainty = expected_gradient(problem, j, indices)
            given = None if g is None else np.asarray(g, float)
            arguments.append(Argument(name, x, given, expected, uncertainty))

        def again(us: list[Any]) -> Any:
            return problem.gradients([u.astype(v.dtype) for u, v in zip(us, problem.us, strict=True)])[k]

        return diagnose(Evidence(arguments, k, problem.ys, problem.floating, again))

    def _forward(
        self, problem: Problem, order: int, gradients: list[Any] | None, rng: np.random.Generator
    ) -> None:
        """Add a row for each argument: forward mode against reverse mode, or finite differences."""
        zeros = [np.zeros(x.shape) for x in problem.xs]
        for k, x in enumerate(problem.xs):
            v = rng.standard_normal(x.shape) * np.maximum(np.abs(x), typical(x) / 10)
            try:
                given = problem.forward([*zeros[:k], v, *zeros[k + 1 :]])
            except NotDifferentiableError as error:
                if gradients is None:
                    raise
                self.report.notes.append(f"forward mode was not checked: {error}")
                return
            row = Row(problem.names[k], x.shape, "forward", order, False, state=problem.state,
                      failing=self.failing)  # fmt: skip
            self.report.rows.append(row)
            if not x.size:
                continue
            if gradients is None:
                row.comparisons.append(along(problem, k, v, np.array([given])))
                continue
            terms = np.asarray(gradients[k], float) * v
            expected, scale = float(terms.sum()), float(np.linalg.norm(terms))
            # Both sides are exact but for rounding, so far less is forgiven than to differences.
            noise, rtol = 30 * problem.eps * (problem.size + scale), max(1e-12, 1e3 * problem.eps)
            wrong, verdict = judge(given, expected, noise, scale, rtol)
            given, expected, noise = (n / problem.unit for n in (given, expected, noise))
            row.comparisons.append(
                Comparison(None, float("nan"), given, expected, abs(noise), wrong, verdict)
            )
            if not row.passed:
                row.hint = Hint("wrong", "forward mode differs from reverse mode, which finite "
                                "differences confirm: look at the rule of defjvp")  # fmt: skip


def _equal(a: list[Any], b: list[Any]) -> bool:
    return len(a) == len(b) and all(np.array_equal(x, y) for x, y in zip(a, b, strict=True))
