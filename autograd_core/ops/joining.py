"""Joining arrays, and cutting them: each piece gets its own part of the gradient."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.lib.array_utils import normalize_axis_index

from ..calls import as_array
from ..errors import message
from ..kernels.memory import memory_for
from ..primitive import composite, kernel, linear
from .indexing import getitem
from .shaping import _three_axes, astype, copy, ravel, reshape

__all__ = [
    "append", "array_split", "block", "column_stack", "concatenate", "dsplit", "dstack", "hsplit",
    "hstack", "split", "stack", "unstack", "vsplit", "vstack",
]  # fmt: skip


# -- joining ---------------------------------------------------------------------------------------


def _concatenate(*arrays: Any, axis: Any = 0) -> Any:
    return np.concatenate(arrays, axis=axis)


def _cut(g: Any, y: Any, *arrays: Any, axis: Any = 0) -> Any:
    """Give each input of ``concatenate`` its slice of the gradient."""
    if axis is None:
        g, axis = np.reshape(g, (-1,)), 0
        lengths = [a.size for a in arrays]
    else:
        lengths = [a.shape[axis] for a in arrays]
    axis = axis + g.ndim if axis < 0 else axis
    pieces, start = [], 0
    for a, n in zip(arrays, lengths, strict=True):
        piece = g[(slice(None),) * axis + (slice(start, start + n),)]
        pieces.append(piece if piece.shape == a.shape else np.reshape(piece, a.shape))
        start += n
    return pieces


_concatenate_op = linear(_concatenate, joint=_cut, name="concatenate")


@composite(np.concatenate, np.concat)
def concatenate(
    arrays: Sequence[Any], axis: int | None = 0, *, dtype: Any = None, casting: Any = "same_kind"
) -> Any:
    """Join arrays along an axis: each gets its slice of the gradient.

    >>> import numpy as np, autograd_core as ag
    >>> ag.grad(lambda x: ag.concatenate([x, x * x]).sum())(np.array([1.0, 2.0]))
    array([3., 5.])
    """
    y = _concatenate_op(*arrays, axis=axis)
    return y if dtype is None else astype(y, dtype)


def _stack(*arrays: Any, axis: Any = 0) -> Any:
    return np.stack(arrays, axis)


def _slices(g: Any, y: Any, *arrays: Any, axis: Any = 0) -> Any:
    before = (slice(None),) * normalize_axis_index(axis, g.ndim)
    return [g[(*before, i)] for i in range(len(arrays))]


_stack_op = linear(_stack, joint=_slices, name="stack")


@composite(np.stack)
def stack(arrays: Sequence[Any], axis: int = 0, *, dtype: Any = None, casting: Any = "same_kind") -> Any:
    """Join arrays along a new axis. Each gets its slice of the gradient.

    >>> import numpy as np, autograd_core as ag
    >>> ag.grad(lambda x: ag.stack([x, 3 * x]).sum())(np.ones(2))
    array([4., 4.])
    """
    arrays = [a if hasattr(a, "shape") else np.asarray(a) for a in arrays]
    if len({a.shape for a in arrays}) > 1:
        raise ValueError(message("stack", f"shapes {[a.shape for a in arrays]}", "all the same"))
    y = _stack_op(*arrays, axis=axis)
    return y if dtype is None else astype(y, dtype)


@composite(np.vstack)
def vstack(arrays: Sequence[Any], *, dtype: Any = None, casting: Any = "same_kind") -> Any:
    """Join arrays as rows. Each gets its rows of the gradient.

    >>> import numpy as np, autograd_core as ag
    >>> ag.grad(lambda x: ag.vstack([x, 3 * x]).sum())(np.ones(2))
    array([4., 4.])
    """
    rows = [a if np.ndim(a) > 1 else reshape(a, (1, -1)) for a in arrays]
    return concatenate(rows, axis=0, dtype=dtype, casting=casting)


@composite(np.hstack)
def hstack(arrays: Sequence[Any], *, dtype: Any = None, casting: Any = "same_kind") -> Any:
    """Join arrays side by side (vectors end to end). Each gets its part of the gradient.

    >>> import numpy as np, autograd_core as ag
    >>> ag.grad(lambda x: ag.hstack([x, 3 * x]).sum())(np.ones(2))
    array([4., 4.])
    """
    arrays = [a if np.ndim(a) else reshape(a, (1,)) for a in arrays]
    return concatenate(arrays, axis=0 if np.ndim(arrays[0]) == 1 else 1, dtype=dtype, casting=casting)


@composite(np.dstack)
def dstack(arrays: Sequence[Any]) -> Any:
    """Join arrays along the third axis. Each gets its slice of the gradient.

    >>> import numpy as np, autograd_core as ag
    >>> ag.grad(lambda x: ag.dstack([x, 3 * x]).sum())(np.ones(2))
    array([4., 4.])
    """
    return concatenate([_three_axes(as_array(a)) for a in arrays], axis=2)


@composite(np.column_stack)
def column_stack(arrays: Sequence[Any]) -> Any:
    """Join vectors as columns. Each gets its columns of the gradient.

    >>> import numpy as np, autograd_core as ag
    >>> ag.grad(lambda x: ag.column_stack([x, 3 * x]).sum())(np.ones(2))
    array([4., 4.])
    """
    return concatenate([a if np.ndim(a) > 1 else reshape(a, (-1, 1)) for a in arrays], axis=1)


@composite(np.append)
def append(arr: Any, values: Any, axis: int | None = None) -> Any:
    """Join ``values`` behind ``arr``, along an axis or (by default) end to end, flattened.

    Each gets its part of the gradient.

    >>> import numpy as np, autograd_core as ag
    >>> ag.grad(lambda x: ag.append(x, x * x).sum())(np.array([1.0, 2.0]))
    array([3., 5.])
    """
    if axis is None:
        return concatenate([ravel(arr), ravel(values)])
    return concatenate([as_array(arr), as_array(values)], axis=axis)


def _assemble(*pieces: Any, origins: Any, shape: Any, out: Any = None) -> Any:
    out = memory_for(out, shape, np.result_type(*[p.dtype for p in pieces]))
    for piece, origin in zip(pieces, origins, strict=True):
        out[tuple(slice(o, o + n) for o, n in zip(origin, piece.shape, strict=True))] = piece
    return out


def _disassemble(g: Any, y: Any, *pieces: Any, origins: Any, shape: Any) -> Any:
    return [g[tuple(slice(o, o + n) for o, n in zip(origin, piece.shape, strict=True))]
            for piece, origin in zip(pieces, origins, strict=True)]  # fmt: skip


_assemble_op = linear(kernel(_assemble, out=True), joint=_disassemble, arity=None, name="assemble",
                      doc="Pieces, each from its origin on, that fill an array.")  # fmt: skip


@composite(np.block)
def block(arrays: Any) -> Any:
    """Join a nested list of blocks, the innermost lists along the last axis.

    The gradient of each block is its part.

    >>> import numpy as np, autograd_core as ag
    >>> x = np.array([[1.0, 2.0]])
    >>> ag.grad(lambda x: ag.sum(ag.block([[x, 2 * x], [np.ones((1, 4))]])))(x)
    array([[3., 3.]])
    """
    depth, ndim = _depth(arrays)
    if depth == 0:
        return copy(arrays)
    ndim = max(ndim, depth)
    pieces: list[Any] = []
    origins: list[tuple[int, ...]] = []

    def lay(tree: Any, level: int, origin: tuple[int, ...]) -> tuple[int, ...]:
        """Note each leaf and where it begins, and return the shape of them all."""
        if level == depth:
            x = as_array(tree)
            pieces.append(reshape(x, (1,) * (ndim - x.ndim) + x.shape) if x.ndim < ndim else x)
            origins.append(origin)
            return tuple(pieces[-1].shape)
        axis, length, rest = ndim + level - depth, 0, None
        for branch in tree:
            shape = lay(branch, level + 1, (*origin[:axis], origin[axis] + length, *origin[axis + 1 :]))
            if rest not in (None, (shape[:axis], shape[axis + 1 :])):
                raise ValueError(message("block", f"a block of shape {shape} beside others along axis "
                                         f"{axis}", "the same lengths along all other axes"))  # fmt: skip
            length, rest = length + shape[axis], (shape[:axis], shape[axis + 1 :])
        return (*shape[:axis], length, *shape[axis + 1 :])

    shape = lay(arrays, 0, (0,) * ndim)
    return _assemble_op(*pieces, origins=tuple(origins), shape=shape)


def _depth(tree: Any) -> tuple[int, int]:
    """Return how many lists are around each leaf (as many for all), and the most axes of one."""
    if isinstance(tree, tuple):
        raise TypeError(message("block", "a tuple", "lists, nested, and arrays in them"))
    if not isinstance(tree, list):
        return 0, np.ndim(tree)
    inner = [_depth(branch) for branch in tree]
    depths = {depth for depth, _ in inner}
    if len(depths) != 1:
        raise ValueError(message("block", f"lists of depths {sorted(depths)} side by side" if depths
                                 else "an empty list", "arrays all at the same depth"))  # fmt: skip
    return 1 + depths.pop(), max(ndim for _, ndim in inner)


# -- cutting ---------------------------------------------------------------------------------------


@composite(np.array_split)
def array_split(x: Any, indices_or_sections: Any, axis: int = 0) -> list[Any]:
    """Cut an array into parts along an axis, as equal as they can be.

    The gradient of the array is those of the parts, joined.

    >>> import numpy as np, autograd_core as ag
    >>> ag.grad(lambda x: ag.array_split(x, 2)[0].sum())(np.ones(3))
    array([1., 1., 0.])
    """
    axis = normalize_axis_index(axis, np.ndim(x))
    n = np.shape(x)[axis]
    if np.ndim(indices_or_sections) == 0:
        if indices_or_sections < 1:
            raise ValueError(message("split", f"{indices_or_sections} sections", "at least 1"))
        each, more = divmod(n, indices_or_sections)
        cuts = list(np.cumsum([each + 1] * more + [each] * (indices_or_sections - more)))[:-1]
    else:
        cuts = list(indices_or_sections)
    before = (slice(None),) * axis
    bounds = zip([0, *cuts], [*cuts, n], strict=True)
    return [getitem(x, (*before, slice(int(a), int(b)))) for a, b in bounds]


@composite(np.split)
def split(x: Any, indices_or_sections: Any, axis: int = 0) -> list[Any]:
    """Cut an array into equal parts, or at the given places, along an axis.

    The gradient of the array is those of the parts, joined.

    >>> import numpy as np, autograd_core as ag
    >>> ag.grad(lambda x: ag.split(x, [1])[1].sum())(np.ones(3))
    array([0., 1., 1.])
    """
    n = np.shape(x)[normalize_axis_index(axis, np.ndim(x))]
    if np.ndim(indices_or_sections) == 0 and indices_or_sections and n % indices_or_sections:
        raise ValueError(message("split", f"an axis of length {n}",
                                 f"a multiple of {indices_or_sections}", "array_split"))  # fmt: skip
    return array_split(x, indices_or_sections, axis)


@composite(np.vsplit)
def vsplit(x: Any, indices_or_sections: Any) -> list[Any]:
    """Cut into groups of rows. The gradient of the array is those of the parts, joined.

    >>> import numpy as np, autograd_core as ag
    >>> ag.grad(lambda x: ag.vsplit(x, 2)[0].sum())(np.ones((2, 1))).tolist()
    [[1.0], [0.0]]
    """
    if np.ndim(x) < 2:
        raise ValueError(message("vsplit", f"an array of {np.ndim(x)} axes", "at least 2"))
    return split(x, indices_or_sections, 0)


@composite(np.hsplit)
def hsplit(x: Any, indices_or_sections: Any) -> list[Any]:
    """Cut into groups of columns. The gradient of the array is those of the parts, joined.

    >>> import numpy as np, autograd_core as ag
    >>> ag.grad(lambda x: ag.hsplit(x, 2)[0].sum())(np.ones((1, 4))).tolist()
    [[1.0, 1.0, 0.0, 0.0]]
    """
    if np.ndim(x) == 0:
        raise ValueError(message("hsplit", "an array of 0 axes", "at least 1"))
    return split(x, indices_or_sections, 0 if np.ndim(x) == 1 else 1)


@composite(np.dsplit)
def dsplit(x: Any, indices_or_sections: Any) -> list[Any]:
    """Cut along the third axis. The gradient of the array is those of the parts, joined.

    >>> import numpy as np, autograd_core as ag
    >>> ag.grad(lambda x: ag.dsplit(x, 2)[1].sum())(np.ones((1, 1, 4))).tolist()
    [[[0.0, 0.0, 1.0, 1.0]]]
    """
    if np.ndim(x) < 3:
        raise ValueError(message("dsplit", f"an array of {np.ndim(x)} axes", "at least 3"))
    return split(x, indices_or_sections, 2)


def _unstack(x: Any, /, *, axis: int = 0) -> tuple[Any, ...]:
    """Do what NumPy does, before it did it (2.1)."""
    if np.ndim(x) == 0:
        raise ValueError("Input array must be at least 1-d.")
    return tuple(np.moveaxis(x, axis, 0))


@composite(getattr(np, "unstack", _unstack))
def unstack(x: Any, /, *, axis: int = 0) -> tuple[Any, ...]:
    """Return the slices of ``x`` along an axis, without that axis: what ``stack`` undoes.

    The gradient of the array is those of the slices, stacked.

    >>> import numpy as np, autograd_core as ag
    >>> ag.grad(lambda x: ag.unstack(x)[1].sum())(np.ones((2, 2))).tolist()
    [[0.0, 0.0], [1.0, 1.0]]
    """
    if np.ndim(x) == 0:
        raise ValueError(message("unstack", "an array of 0 axes", "at least 1"))
    before = (slice(None),) * normalize_axis_index(axis, np.ndim(x))
    return tuple(getitem(x, (*before, i)) for i in range(np.shape(x)[axis]))
