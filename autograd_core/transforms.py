"""Functions of functions: gradients, directional derivatives, Jacobians, Hessians.

Each takes a function of arrays (or of nested tuples, lists and dicts of arrays) and differentiates
it. Arrays give arrays; inside another transform, or with Tensors that require grad, results can be
differentiated again, in any nesting.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from contextvars import ContextVar
from functools import wraps
from typing import Any

import numpy as np

from .backward import ancestors, own, propagate
from .calls import as_array, bare, wrap
from .errors import message
from .forward import Dual, depth, lift
from .node import Box, Node, enable_grad, recording, strip
from .ops import astype
from .primitive import linear
from .tensor import Tensor

__all__ = ["grad", "hessian", "hvp", "jacobian", "jvp", "value_and_grad", "vjp"]

running: ContextVar[bool] = ContextVar("running", default=False)  # inside a transformed function

# -- nested containers -----------------------------------------------------------------------------


def flatten(tree: Any) -> tuple[list[Any], Callable[[list[Any]], Any]]:
    """Return the leaves of nested tuples, lists and dicts, and a function that rebuilds the nest."""
    if isinstance(tree, dict):
        keys, items = list(tree), list(tree.values())

        def build(parts: list[Any]) -> Any:
            return type(tree)(zip(keys, parts, strict=True))
    elif isinstance(tree, (tuple, list)):
        items = list(tree)

        def build(parts: list[Any]) -> Any:
            return type(tree)(*parts) if hasattr(tree, "_fields") else type(tree)(parts)
    else:
        return [tree], lambda leaves: leaves[0]
    nested = [flatten(item) for item in items]
    counts = [len(leaves) for leaves, _ in nested]

    def rebuild(leaves: list[Any]) -> Any:
        parts, start = [], 0
        for (_, inner), n in zip(nested, counts, strict=True):
            parts.append(inner(leaves[start : start + n]))
            start += n
        return build(parts)

    return [leaf for leaves, _ in nested for leaf in leaves], rebuild


def _floating(x: Any, what: str) -> Any:
    """Return ``x`` as an array or box of a floating dtype."""
    x = as_array(x)
    if x.dtype.kind != "f":  # complex numbers come later
        raise TypeError(message(what, f"an input of dtype {x.dtype}", "a floating dtype",
                                "3.0 for 3, or x.astype(float)"))  # fmt: skip
    return x


def _like(result: Any, given: Any) -> Any:
    """Return a result as what was given: a Tensor for a Tensor, a scalar for a number."""
    if isinstance(result, Box):
        return result
    if isinstance(given, Tensor) and not running.get():
        return wrap(as_array(result))
    return (
        result[()]
        if np.ndim(given) == 0 and not isinstance(given, np.ndarray)
        else as_array(result)
    )


# -- reverse mode ----------------------------------------------------------------------------------


class _Input(Node):
    """The node of a transform's input; active while the function that is transformed runs."""

    __slots__ = ("active",)


_alias_op = linear(lambda x: x, lambda g, y, x: g, name="input", view=True)


def alias(x: Any) -> Tensor:
    """Return a fresh Tensor for ``x``: its own node, so that its gradient is its alone."""
    level = 2 * depth.get()
    if isinstance(x, Tensor) and x.level == level:
        data, edges = x.data, (x.edge,) if recording.get() and x.edge is not None else ()
    else:
        data, edges = lift(x), ()
    t: Tensor = wrap(data)
    t.node = _Input(_alias_op.primitive, edges, edges, data, {})
    t.node.active = True
    return t


class _Pullback:
    """The map from a gradient of the outputs to the gradients of the inputs."""

    def __init__(self, f: Any, args: Sequence[Any], what: str) -> None:
        self.what, self.level, self.outside = what, 2 * depth.get(), recording.get()
        self.given, self.rebuild = flatten(tuple(args))
        values = [_floating(x, what) for x in self.given]
        self.aliases = [alias(x) for x in values]
        self.nodes = [t.node for t in self.aliases]
        token = running.set(True)
        try:
            with enable_grad():
                self.output = f(*self.rebuild(self.aliases))
        finally:
            running.reset(token)
            for node in self.nodes:
                node.active = False
        self.outputs, self.rebuild_output = flatten(self.output)
        roots = [self._edge(y) for y in self.outputs]
        self.roots = roots
        self.wanted, others = ancestors([r for r in roots if r is not None], set(self.nodes))
        self.record = others and self.outside

    def _edge(self, y: Any) -> Any:
        """Return what the gradient of ``y`` goes to, if ``y`` is of this transform's graph."""
        return y.edge if isinstance(y, Tensor) and y.level == self.level else None

    def value(self) -> Any:
        """Return the outputs as one level down sees them."""
        return self.unbox(self.output)

    def unbox(self, tree: Any) -> Any:
        """Take this transform's Tensors out of results, unless something outside needs them."""
        leaves, rebuild = flatten(tree)
        given_tensors = not running.get() and any(isinstance(x, Tensor) for x in self.given)
        out = []
        for y in leaves:
            if isinstance(y, Tensor) and (y.level == self.level or y.node is None):
                if not (self.record and y.node is not None) or y.node in self.nodes:
                    y = y.data
                if not isinstance(y, Box):
                    y = wrap(y) if given_tensors else _scalar(y)
            out.append(y)
        return rebuild(out)

    def pull(self, gradients: Sequence[Any], retain: bool) -> list[Any]:
        """Return the gradient of each input leaf."""
        seeds = []
        record = self.record or any(self._edge(g) is not None for g in gradients)
        for root, y, g in zip(self.roots, self.outputs, gradients, strict=True):
            if root is None:
                continue
            if np.shape(g) != y.shape:
                raise ValueError(message(self.what, f"a gradient of shape {np.shape(g)}",
                                         f"the output's shape {y.shape}"))  # fmt: skip
            if not isinstance(g, Box):
                g = as_array(g, y.dtype)
            if record:
                g = g if isinstance(g, Tensor) and g.level == self.level else wrap(lift(g))
                g = astype(g, y.dtype) if g.dtype != y.dtype else g
            else:
                if isinstance(g, Tensor) and g.level == self.level:
                    g = g.data
                g = astype(g, y.dtype) if isinstance(g, Box) else g
            seeds.append((root, g))
        found, _ = propagate(
            seeds, record=record, retain=retain or record,
            wanted=self.wanted, targets=set(self.nodes),
        )  # fmt: skip
        entries = [[x, found.pop(node, None)] for x, node in zip(self.given, self.nodes, strict=True)]
        own(entries)
        return [_like(np.zeros(t.shape, t.dtype) if g is None else g, x)
                for (x, g), t in zip(entries, self.aliases, strict=True)]  # fmt: skip


def _scalar(y: Any) -> Any:
    return y[()] if isinstance(y, np.ndarray) and y.ndim == 0 else y


def _selected(f: Any, argnums: Any, args: Any, kwargs: Any) -> tuple[Any, list[Any]]:
    """Return ``f`` as a function of the arguments that are differentiated, and those."""
    single = (argnums,) if isinstance(argnums, int) else tuple(argnums)
    if any(not -len(args) <= i < len(args) for i in single):
        raise TypeError(message("grad", f"argnums={argnums} and {len(args)} positional arguments"))
    places = [i % len(args) for i in single]

    def g(*chosen: Any) -> Any:
        full = list(args)
        for i, x in zip(places, chosen, strict=True):
            full[i] = x
        return f(*full, **kwargs)

    return g, [args[i] for i in places]


def value_and_grad(
    f: Callable[..., Any], argnums: int | Sequence[int] = 0, has_aux: bool = False
) -> Callable[..., tuple[Any, Any]]:
    """Return a function that gives the value of ``f`` and its gradient.

    Args:
        f: a function whose result has one element.
        argnums: which positional argument to differentiate, or several.
        has_aux: ``f`` returns (result, anything else), and so does the value.

    >>> import autograd_core as ag
    >>> ag.value_and_grad(lambda x: x**2)(3.0)
    (np.float64(9.0), np.float64(6.0))
    """

    @wraps(f)
    def with_gradient(*args: Any, **kwargs: Any) -> tuple[Any, Any]:
        g, chosen = _selected(f, argnums, args, kwargs)
        aux: list[Any] = []

        def single(*xs: Any) -> Any:
            y = g(*xs)
            if has_aux:
                y, extra = y
                aux.append(extra)
            return y

        back = _Pullback(single, chosen, "grad")
        y: Any = back.output
        if not isinstance(y, (Box, np.ndarray, np.generic, int, float)):
            raise TypeError(message("grad", f"a function returning {type(y).__name__}",
                                    "one number", "has_aux=True for (number, anything)"))  # fmt: skip
        shape = np.shape(strip(y))
        if math.prod(shape) != 1:
            raise ValueError(message("grad", f"a function whose result has shape {shape}",
                                     "one element", "jacobian, or vjp"))  # fmt: skip
        gradients = back.pull([np.ones(shape)], retain=False)
        nested = back.rebuild(gradients)
        value = (back.value(), back.unbox(aux[0])) if has_aux else back.value()
        return value, nested[0] if isinstance(argnums, int) else nested

    return with_gradient


def grad(
    f: Callable[..., Any], argnums: int | Sequence[int] = 0, has_aux: bool = False
) -> Callable[..., Any]:
    """Return the gradient of ``f``: a function with the same arguments.

    ``grad(f)(x)`` has the shape of ``x`` and holds df/dx. It can be nested, and it can close over
    Tensors that require grad, as a gradient penalty does.

    >>> import autograd_core as ag
    >>> ag.grad(ag.grad(lambda x: x**3))(2.0)
    np.float64(12.0)
    """
    both = value_and_grad(f, argnums, has_aux)

    @wraps(f)
    def gradient(*args: Any, **kwargs: Any) -> Any:
        value, g = both(*args, **kwargs)
        return (g, value[1]) if has_aux else g

    return gradient


def vjp(f: Callable[..., Any], *args: Any) -> tuple[Any, Callable[[Any], tuple[Any, ...]]]:
    """Return ``f(*args)`` and its pullback: v -> (v dy/dx_1, v dy/dx_2, ...).

    >>> import numpy as np, autograd_core as ag
    >>> y, pullback = ag.vjp(np.sin, np.array([0.0, 1.0]))
    >>> pullback(np.array([1.0, 0.0]))
    (array([1., 0.]),)
    """
    back = _Pullback(f, args, "vjp")

    def pullback(v: Any) -> tuple[Any, ...]:
        gradients, _ = flatten(v)
        if len(gradients) != len(back.outputs):
            raise ValueError(
                message("vjp", f"{len(gradients)} gradients", f"{len(back.outputs)}, as outputs")
            )
        return tuple(back.rebuild(back.pull(gradients, retain=True)))

    return back.value(), pullback


# -- forward mode ----------------------------------------------------------------------------------


def jvp(f: Callable[..., Any], primals: Sequence[Any], tangents: Sequence[Any]) -> tuple[Any, Any]:
    """Return ``f(*primals)`` and its derivative in the direction ``tangents``, in one pass.

    >>> import autograd_core as ag
    >>> ag.jvp(lambda x, y: x * y, (2.0, 5.0), (1.0, 0.0))
    (np.float64(10.0), np.float64(5.0))
    """
    if not isinstance(primals, (tuple, list)) or not isinstance(tangents, (tuple, list)):
        raise TypeError(
            message("jvp", f"primals of type {type(primals).__name__}", "tuples of arguments")
        )
    values, rebuild = flatten(tuple(primals))
    directions, _ = flatten(tuple(tangents))
    if len(values) != len(directions):
        raise ValueError(message("jvp", f"{len(values)} primals and {len(directions)} tangents"))
    duals = []
    level = 2 * depth.get() + 1
    for x, t in zip(values, directions, strict=True):
        value = _floating(x, "jvp")
        if np.shape(t) != value.shape:
            raise ValueError(message("jvp", f"a tangent of shape {np.shape(t)}", f"{value.shape}"))
        t = astype(t, value.dtype) if isinstance(t, Box) else as_array(t, value.dtype)
        duals.append(Dual(value, t, level))
    token, inner = depth.set(depth.get() + 1), running.set(True)
    try:
        outputs, rebuild_output = flatten(f(*rebuild(duals)))
    finally:
        running.reset(inner)
        depth.reset(token)
    ys, ts = [], []
    boxed = not running.get() and any(isinstance(x, Tensor) for x in values)
    for y in outputs:
        y = bare(y)  # a constant that was written into
        mine = isinstance(y, Dual) and y.level == level
        value, tangent = (y.primal, y.tangent) if mine else (y, None)
        if isinstance(value, Tensor) and value.node is None:
            value = value.data
        if tangent is None:
            tangent = np.zeros(np.shape(value), getattr(value, "dtype", float))
        ys.append(wrap(value) if boxed and not isinstance(value, Box) else _scalar(value))
        ts.append(wrap(tangent) if boxed and not isinstance(tangent, Box) else _scalar(tangent))
    return rebuild_output(ys), rebuild_output(ts)


# -- matrices of derivatives -----------------------------------------------------------------------


def jacobian(
    f: Callable[..., Any], argnums: int | Sequence[int] = 0, mode: str = "auto"
) -> Callable[..., Any]:
    """Return the Jacobian of ``f``: all dy_i/dx_j, the output's axes first, then the input's.

    Args:
        f: a function of arrays.
        argnums: which positional argument(s).
        mode: ``"reverse"`` (a pass per output element), ``"forward"`` (a pass per input
            element), or ``"auto"``: the one with fewer passes.

    For nested inputs or outputs the result is nested: the output's structure, and in each place
    the input's.

    >>> import numpy as np, autograd_core as ag
    >>> ag.jacobian(lambda x: x * x)(np.array([1.0, 2.0]))
    array([[2., 0.],
           [0., 4.]])
    """
    if mode not in ("auto", "reverse", "forward"):
        raise ValueError(message("jacobian", f"mode={mode!r}", "'auto', 'reverse' or 'forward'"))

    @wraps(f)
    def matrix(*args: Any, **kwargs: Any) -> Any:
        g, chosen = _selected(f, argnums, args, kwargs)
        inputs, rebuild_input = flatten(tuple(chosen))
        shapes = [np.shape(x) for x in inputs]
        n_in = sum(int(np.prod(s, dtype=int)) for s in shapes)
        if mode == "forward":
            blocks, rebuild_output = _columns(g, chosen, inputs, rebuild_input)
        else:
            back = _Pullback(g, chosen, "jacobian")
            n_out = sum(int(np.prod(np.shape(y), dtype=int)) for y in back.outputs)
            if mode == "auto" and n_in < n_out:
                blocks, rebuild_output = _columns(g, chosen, inputs, rebuild_input)
            else:
                blocks, rebuild_output = _rows(back), back.rebuild_output
        nested = []
        for row in blocks:
            parts = rebuild_input(row)
            nested.append(parts[0] if isinstance(argnums, int) else parts)
        return rebuild_output(nested)

    return matrix


def _rows(back: _Pullback) -> list[list[Any]]:
    """Fill a Jacobian row by row: pull back each element of each output."""
    blocks = []
    zeros = [np.zeros(np.shape(y)) for y in back.outputs]
    for k, y in enumerate(back.outputs):
        shape = np.shape(y)
        rows = []
        for i in np.ndindex(shape):
            seed = np.zeros(shape)
            seed[i] = 1
            rows.append(back.pull([*zeros[:k], seed, *zeros[k + 1 :]], retain=True))
        block = []
        for j, x in enumerate(back.given):
            if rows:
                stacked = np.stack([row[j] for row in rows])
            else:
                stacked = np.zeros((0, *np.shape(x)), back.aliases[j].dtype)
            block.append(np.reshape(stacked, shape + np.shape(x)))
        blocks.append(block)
    return blocks


def _columns(g: Any, chosen: Any, inputs: Any, rebuild: Any) -> tuple[list[list[Any]], Any]:
    """Fill a Jacobian column by column: push each element of each input forward."""
    blocks: list[list[Any]] = []
    rebuild_output: Any = None
    for k, x in enumerate(inputs):
        columns: list[list[Any]] = []
        for i in np.ndindex(np.shape(x)):
            directions = [np.zeros(np.shape(v)) for v in inputs]
            directions[k][i] = 1
            _, tangent = jvp(g, chosen, rebuild(directions))
            leaves, rebuild_output = flatten(tangent)
            columns.append(leaves)
        if not columns:
            y, _ = jvp(g, chosen, rebuild([np.zeros(np.shape(v)) for v in inputs]))
            leaves, rebuild_output = flatten(y)
            empty = [
                np.zeros(np.shape(v) + np.shape(x), as_array(strip(v)).dtype) for v in leaves
            ]
            for j, block in enumerate(empty):
                blocks.append([]) if j == len(blocks) else None
                blocks[j].append(block)
            continue
        for j in range(len(columns[0])):
            stacked = np.stack([c[j] for c in columns], axis=-1)
            if j == len(blocks):
                blocks.append([])
            blocks[j].append(np.reshape(stacked, np.shape(columns[0][j]) + np.shape(x)))
    return blocks, rebuild_output


def hessian(f: Callable[..., Any], argnums: int = 0) -> Callable[..., Any]:
    """Return the Hessian of ``f``, forward mode over reverse mode: all d^2f / dx_i dx_j.

    >>> import numpy as np, autograd_core as ag
    >>> ag.hessian(lambda x: x[0] * x[1] ** 2)(np.array([1.0, 3.0]))
    array([[0., 6.],
           [6., 2.]])
    """
    return jacobian(grad(f, argnums), argnums, mode="forward")


def hvp(f: Callable[..., Any], primals: Sequence[Any], tangents: Sequence[Any]) -> Any:
    """Return the Hessian of ``f`` times a vector, at about the cost of two gradients.

    Forward mode over reverse mode: the derivative of the gradient in the direction ``tangents``.
    With several arguments the result is a tuple, one product each.

    >>> import numpy as np, autograd_core as ag
    >>> ag.hvp(lambda x: np.sum(x**3), (np.array([1.0, 2.0]),), (np.array([1.0, 1.0]),))
    array([ 6., 12.])
    """
    if not isinstance(primals, (tuple, list)) or not isinstance(tangents, (tuple, list)):
        raise TypeError(
            message("hvp", f"primals of type {type(primals).__name__}", "tuples of arguments")
        )
    argnums: Any = 0 if len(primals) == 1 else tuple(range(len(primals)))
    return jvp(grad(f, argnums), primals, tangents)[1]
