"""Tests of gradients that run with many shapes and memory layouts, drawn by hypothesis.

    from autograd_core.gradcheck.strategies import for_shapes

    @for_shapes(x="..., m", w="m, n")
    def test_product(x, w, assert_gradients):
        assert_gradients(np.matmul, x, w)

Hypothesis draws shapes, layouts and a seed, and shrinks these if the test fails; the numbers come
from NumPy's generator. With the pytest plugin, ``--grad-seed`` decides all of it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from ..errors import message

if TYPE_CHECKING:
    from hypothesis.strategies import SearchStrategy

    Shapes = SearchStrategy[tuple[int, ...]]

__all__ = ["LAYOUTS", "arrays", "for_broadcastable_shapes", "for_shapes", "standard_normal"]

LAYOUTS = ("C", "F", "reversed", "step")
SEEDS = 2**16
Test = Callable[..., None]


def standard_normal(
    shape: tuple[int, ...], seed: int = 0, dtype: DTypeLike = "float64", layout: str = "C"
) -> NDArray[Any]:
    """Return normally distributed numbers, the same for equal arguments whatever their layout.

    ``layout`` is ``"C"`` or ``"F"`` (contiguous), ``"reversed"`` (all strides are negative) or
    ``"step"`` (every second element along each axis of an array that is nan elsewhere).

    >>> standard_normal((2, 3), layout="reversed").strides
    (-24, -8)
    """
    x = np.asarray(np.random.default_rng(seed).standard_normal(shape), dtype)
    if layout == "C":
        return x
    if layout == "F":
        return x.copy(order="F")

    def every(step: int) -> tuple[Any, ...]:
        return (slice(None, None, step),) * x.ndim + (...,)  # with ..., no axes make no number

    if layout == "reversed":
        return x[every(-1)].copy()[every(-1)]
    if layout == "step":
        wide = np.full([2 * n for n in shape], np.nan, x.dtype)
        wide[every(2)] = x
        return wide[every(2)]
    raise ValueError(message("standard_normal", f"layout={layout!r}", f"one of {LAYOUTS}"))


def arrays(
    shape: tuple[int, ...] | Shapes,
    dtype: DTypeLike = "float64",
    layouts: Sequence[str] = LAYOUTS,
) -> SearchStrategy[NDArray[Any]]:
    """Draw an array by :func:`standard_normal`, for a shape or a strategy that draws shapes.

    >>> from hypothesis import given
    >>> @given(x=arrays((2, 3), layouts=["F"]))
    ... def test_layout(x):
    ...     assert x.shape == (2, 3) and x.flags.f_contiguous
    >>> test_layout()
    """
    st = _hypothesis("arrays").strategies
    return _arrays("array", shape, st.integers(0, SEEDS), dtype, layouts)


def for_shapes(
    *,
    sizes: dict[str, tuple[int, int]] | None = None,
    min_size: int = 1,
    max_size: int = 5,
    dtype: DTypeLike = "float64",
    layouts: Sequence[str] = LAYOUTS,
    max_examples: int = 25,
    **arguments: Any,
) -> Callable[[Test], Test]:
    """Run a test with arrays of many shapes; dimensions of equal name have equal size.

    Args:
        arguments: for each argument of the test its shape: names and numbers, as in
            ``"batch, 3"``, and ``""`` for a scalar. ``...`` stands for up to two more dimensions,
            the same for all arguments that have them. Or a strategy of hypothesis, as in
            ``axis=st.sampled_from([0, 1])``. The other arguments of the test are fixtures.
        sizes: smallest and largest size of single dimensions, as in ``{"kernel": (1, 3)}``.
        min_size: of all other dimensions. 0 also tries empty arrays.
        max_size: of all other dimensions.
        dtype: of the arrays; their numbers are normally distributed.
        layouts: which of ``LAYOUTS`` to try.
        max_examples: how often the test runs. (This decorator brings the settings of hypothesis.)

    Raises:
        ValueError: a shape that cannot be read, or sizes of a dimension that is in none.
        ImportError: hypothesis is not installed.

    >>> from autograd_core.gradcheck import check_gradients
    >>> @for_shapes(x="batch, m", w="m, n", b="n", max_examples=3)
    ... def test_linear(x, w, b):
    ...     check_gradients(lambda x, w, b: x @ w + b, x, w, b)
    >>> test_linear()
    """
    st = _hypothesis("for_shapes").strategies
    texts = {name: shape for name, shape in arguments.items() if isinstance(shape, str)}
    shapes = {name: _dimensions(text) for name, text in texts.items()}
    limits = dict(sizes or {})
    if unknown := limits.keys() - {d for shape in shapes.values() for d in shape}:
        raise ValueError(message("for_shapes", f"sizes of {', '.join(sorted(unknown))}",
                                 "dimensions that a shape names"))  # fmt: skip

    def size(dimension: str) -> SearchStrategy[tuple[int, ...]]:
        low, high = limits.get(dimension, (min_size, max_size))
        if dimension.isdigit():
            return st.just((int(dimension),))
        drawn = st.integers(low, high)
        several = st.lists(drawn, max_size=2) if dimension == "..." else st.tuples(drawn)
        return st.shared(several.map(tuple), key=("autograd_core", dimension))

    drawn = {
        name: st.tuples(*map(size, shape)).map(lambda parts: sum(parts, ()))
        for name, shape in shapes.items()
    }
    return _decorator(arguments | _family(drawn, dtype, layouts), max_examples)


def for_broadcastable_shapes(
    *names: str,
    min_size: int = 1,
    max_size: int = 5,
    max_dims: int = 3,
    dtype: DTypeLike = "float64",
    layouts: Sequence[str] = LAYOUTS,
    max_examples: int = 25,
    **arguments: Any,
) -> Callable[[Test], Test]:
    """Run a test with arrays that broadcast against each other, one for each name.

    The rest is as in :func:`for_shapes`, except that ``arguments`` are strategies only.

    >>> from autograd_core.gradcheck import check_gradients
    >>> @for_broadcastable_shapes("x", "y", max_examples=3)
    ... def test_multiply(x, y):
    ...     check_gradients(lambda x, y: x * y, x, y)
    >>> test_multiply()
    """
    st = _hypothesis("for_broadcastable_shapes").strategies
    from hypothesis.extra.numpy import mutually_broadcastable_shapes

    together = st.shared(
        mutually_broadcastable_shapes(
            num_shapes=len(names), max_dims=max_dims, min_side=min_size, max_side=max_size
        ),
        key=("autograd_core", names),
    )
    drawn = {
        name: together.map(lambda found, i=i: found.input_shapes[i])
        for i, name in enumerate(names)
    }  # fmt: skip
    return _decorator(arguments | _family(drawn, dtype, layouts), max_examples)


# -- with hypothesis -------------------------------------------------------------------------------


def _hypothesis(operation: str) -> Any:
    try:
        import hypothesis
    except ImportError as error:
        raise ImportError(message(operation, "no hypothesis", "it installed",
                                  "pip install autograd-core[test]")) from error  # fmt: skip
    return hypothesis


def _dimensions(text: str) -> list[str]:
    """Take ``"batch, 3"`` apart."""
    found = [word for word in re.split(r"[,\s]+", text) if word]
    wrong = [word for word in found if not (word.isidentifier() or word.isdigit() or word == "...")]
    if wrong or found.count("...") > 1:
        raise ValueError(message("for_shapes", f"shape {text!r}",
                                 "names, numbers and at most one ...", "'..., batch, 3'"))  # fmt: skip
    return found


def _arrays(name: str, shape: Any, seed: Any, dtype: DTypeLike, layouts: Sequence[str]) -> Any:
    hypothesis = _hypothesis("arrays")
    st = hypothesis.strategies
    shapes = st.just(shape) if isinstance(shape, tuple) else shape
    names = st.sampled_from(list(layouts))
    kind = np.dtype(dtype).name

    def array(draw: Callable[[Any], Any]) -> NDArray[Any]:
        shape, n, layout = draw(shapes), draw(seed), draw(names)
        # shown if the test fails: numbers do not tell their layout
        hypothesis.note(f"{name} = standard_normal({shape}, {n}, {kind!r}, {layout!r})")
        return standard_normal(shape, n, kind, layout)

    return st.composite(array)()


def _family(shapes: dict[str, Any], dtype: DTypeLike, layouts: Sequence[str]) -> dict[str, Any]:
    """Draw an array of each shape, from one seed and yet with different numbers in each."""
    st = _hypothesis("for_shapes").strategies
    drawn = st.shared(st.integers(0, SEEDS), key="autograd_core seed")
    return {
        name: _arrays(name, shape, drawn.map(lambda n, i=i: n * len(shapes) + i), dtype, layouts)
        for i, (name, shape) in enumerate(shapes.items())
    }


def _decorator(strategies: dict[str, Any], max_examples: int) -> Callable[[Test], Test]:
    hypothesis = _hypothesis("for_shapes")
    settings = hypothesis.settings(
        max_examples=max_examples,
        deadline=None,  # the first check of a run imports, and big shapes take longer than small ones
        database=None,  # what is tried follows from the seed alone
        report_multiple_bugs=False,  # one report is enough to start with
        phases=set(hypothesis.Phase) - {hypothesis.Phase.explain},  # it lists lines of the checker
    )

    def decorate(test: Test) -> Test:
        run = settings(hypothesis.given(**strategies)(test))
        run.reseed_shapes = lambda seed: hypothesis.seed(seed)(run)  # called by the pytest plugin
        return run

    return decorate
