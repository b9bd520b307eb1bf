"""Gradients compared with finite differences: is the chain rule that I wrote right?

A random direction ``u`` in the space of outputs turns any function into one number, ``u . f(x)``.
Its gradient by reverse mode is compared, element by element or along random directions, with

    d/dx_i u . f(x)  =  lim  u . (f(x + h e_i) - f(x - h e_i)) / 2h      as h -> 0

in float64, whatever the precision of the inputs. Forward mode is held against reverse mode by
``u . (J v) = (J^T u) . v``. The report says where a gradient is wrong, and by which ratio.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

import numpy as np

from ..errors import NotDifferentiableError, message
from .compare import along, each_element, judge, random_directions
from .differences import typical
from .problem import Problem, problem_of
from .report import Comparison, Report, Row, failure

__all__ = ["Comparison", "Report", "Row", "check_gradients"]

FEW = 64  # an argument of at most this many elements is checked element by element,
BUDGET = 256  # while these are not many more in all


def check_gradients(
    f: Callable[..., Any],
    *inputs: Any,
    wrt: Any = "all",
    order: int = 1,
    modes: Literal["both", "reverse", "forward"] = "both",
    rtol: float | None = None,
    seed: int = 0,
) -> Report:
    """Compare the gradients of a function, or of a Module, with finite differences.

    Args:
        f: a function of Tensors that returns a Tensor (or a nest of them), or a Module, of which
            every parameter is checked besides the inputs. It is evaluated on float64 copies;
            neither the inputs nor the Module are touched.
        inputs: Tensors, arrays, numbers, or nests of them. What is not floating is held fixed.
        wrt: ``"all"``, ``"inputs"``, ``"parameters"``, the name or the position of an argument,
            the dotted name of a parameter or of a submodule, or a list of these.
        order: 2 also checks the gradient's own gradient, and so on.
        modes: ``"reverse"``, ``"forward"``, or ``"both"`` (where an operation has no forward
            rule, forward mode is then passed over, with a note in the report).
        rtol: largest relative error allowed; by default 1e-5 (5e-3 if ``f`` returns float32).
        seed: of the random directions.

    Returns:
        a :class:`Report`, with ``passed``, ``max_error`` and ``rows``; it prints as a table.

    Raises:
        GradientError: a gradient is wrong, or cannot be confirmed; the text says which,
            ``.report`` holds the Report.
        TypeError: there is nothing to check: no floating input, or no floating output.
        ValueError: ``f`` is not finite, or not the same twice, at these inputs.

    >>> import numpy as np
    >>> from autograd_core.gradcheck import check_gradients
    >>> report = check_gradients(lambda x, y: np.sin(x) * y, np.array([0.5, 1.0]), 2.0)
    >>> report.passed, [row.argument for row in report.rows if row.mode == "reverse"]
    (True, ['x', 'y'])
    """
    if modes not in ("both", "reverse", "forward"):
        raise ValueError(message("check_gradients", f"modes={modes!r}",
                                 "'both', 'reverse' or 'forward'"))  # fmt: skip
    if not isinstance(order, int) or order < 1:
        raise ValueError(message("check_gradients", f"order={order!r}", "1, 2, ..."))
    rng = np.random.default_rng(seed)
    problem = problem_of(f, inputs, wrt)
    report = Report(getattr(f, "__name__", type(f).__name__), seed)
    for n in range(1, order + 1):
        problem.prepare(rng, rtol)
        gradients = None
        if modes != "forward":
            gradients = _reverse(problem, report, n, rng)
        if modes != "reverse" and report.passed:
            _forward(problem, report, n, gradients, rng)
        report.evaluations += problem.evaluations
        if not report.passed:
            raise failure(report)
        problem = problem.gradient()
    return report


def _reverse(problem: Problem, report: Report, order: int, rng: np.random.Generator) -> list[Any]:
    """Add a row for each argument: reverse mode against finite differences."""
    try:
        gradients = problem.reverse()
    except NotDifferentiableError:
        raise
    except Exception as error:  # of the rules: the forward pass has just been through twice
        report.evaluations += problem.evaluations
        report.stopped = message("check_gradients", f"{type(error).__name__} from reverse mode of "
                                 f"order {order}: {error}", "a gradient")  # fmt: skip
        raise failure(report) from error
    count = len(problem.xs)
    few = min(FEW, max(4, BUDGET // count))
    for k, (x, g) in enumerate(zip(problem.xs, gradients, strict=True)):
        row = Row(problem.names[k], x.shape, "reverse", order, x.size <= few)
        row.comparisons = (
            each_element(problem, k, g) if row.every
            else random_directions(problem, k, g, 3 if count <= 32 else 1, rng)
        )  # fmt: skip
        report.rows.append(row)
    return gradients


def _forward(
    problem: Problem, report: Report, order: int, gradients: list[Any] | None,
    rng: np.random.Generator,
) -> None:  # fmt: skip
    """Add a row for each argument: forward mode against reverse mode, or finite differences."""
    zeros = [np.zeros(x.shape) for x in problem.xs]
    for k, x in enumerate(problem.xs):
        v = rng.standard_normal(x.shape) * np.maximum(np.abs(x), typical(x) / 10)
        try:
            given = problem.forward([*zeros[:k], v, *zeros[k + 1 :]])
        except NotDifferentiableError as error:
            if gradients is None:
                raise
            report.notes.append(f"forward mode was not checked: {error}")
            return
        row = Row(problem.names[k], x.shape, "forward", order, False)
        report.rows.append(row)
        if not x.size:
            continue
        if gradients is None:
            row.comparisons.append(along(problem, k, v, np.array([given])))
            continue
        terms = gradients[k] * v
        expected, scale = float(terms.sum()), float(np.linalg.norm(terms))
        # Both sides are exact but for rounding, so far less is forgiven than to differences.
        noise, rtol = problem.eps * problem.size, max(1e-8, 1e3 * problem.eps)
        wrong, verdict = judge(given, expected, noise, scale, rtol)
        given, expected, noise = (n / problem.unit for n in (given, expected, noise))
        row.comparisons.append(
            Comparison(None, float("nan"), given, expected, abs(noise), wrong, verdict)
        )
