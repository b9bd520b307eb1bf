"""How an operation is declared: a forward function in NumPy, and the chain rule of each input.

A rule is called as ``rule(g, y, *inputs, **params)``: ``g`` the gradient that arrives from above,
``y`` the operation's output. It is an expression of operators and NumPy functions and nothing
else, so *who reads it decides what it does*: arrays give numbers, Tensors give gradients that can
be differentiated again, dual numbers give directional derivatives, floats give the classroom's
scalar engine.

    tanh     = elementwise(np.tanh,     lambda g, y, x: g * (1 - y * y), saves="y")
    multiply = elementwise(np.multiply, lambda g, y, a, b: g * b,
                                        lambda g, y, a, b: g * a, saves=("b", "a"))

Arrays are positional and metadata is keyword in every call. What no rule does, because it is done
here once for all of them: bring a gradient to its input's shape and dtype (:func:`fit`), and turn
0 times infinity into 0 where an operation is singular (:func:`tame`).
"""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Sequence
from functools import partial, wraps
from typing import Any, Protocol, TypeVar

import numpy as np
from numpy import asarray, ndarray

from .errors import NotDifferentiableError, explain, message
from .node import LEAF, SMALL, Box, Node, Standin, has_box, next_id, recording, strip

__all__ = ["bilinear", "elementwise", "kernel", "linear", "primitive"]

Rule = Callable[..., Any]
Saves = str | Sequence[str] | None

NUMPY: dict[Any, Callable[..., Any]] = {}  # NumPy's function -> ours, for NumPy's two protocols
OUTPUT, EVERYTHING = -1, -2  # in the set of what a rule needs, beside positions of inputs
Tensor: Any = None  # the class that holds results; tensor.py gives it
new = object.__new__
is_recording = recording.get


def hold_results_in(cls: Any) -> Any:
    """Register the class of Tensors (a decorator)."""
    global Tensor
    Tensor = cls
    return cls


def wrap(data: Any, node: Any = None) -> Any:
    """Make a Tensor around an array, as it is, at a place in the graph."""
    t = new(Tensor)
    t.data, t.version, t.grad, t.extras, t.node = data, 0, None, None, node
    return t


class Operation(Protocol):
    """A differentiable function: what the declarers return."""

    __name__: str
    primitive: Primitive

    def __call__(self, *arrays: Any, **params: Any) -> Any: ...

    def defvjp(self, *rules: Rule | None, joint: Rule | None = None, saves: Saves = None) -> Any:
        """State the reverse rules ``rule(g, y, *inputs, **params)``, one per input."""

    def defjvp(self, *rules: Rule | None, joint: Rule | None = None) -> Any:
        """State the forward rules ``rule(t, y, *inputs, **params)``, one per input."""


class Primitive:
    """What is known of one operation. Readers ask it; they never compare names.

    ``rules[i]`` is the reverse rule of input i (None: no gradient goes there); ``joint`` one rule
    for all inputs, returning a tuple; ``push`` turns tangents into the output's tangent.
    """

    __slots__ = (
        "arity", "broadcasts", "call", "doc", "fun", "joint", "kinks", "linear", "name", "needs",
        "plans", "push", "rules", "saves_output", "singular", "view",
    )  # fmt: skip

    def __init__(
        self,
        fun: Callable[..., Any],
        *,
        name: str | None = None,
        arity: int | None = -1,
        broadcasts: bool = False,
        linear: bool = False,
        view: bool = False,
        singular: bool = False,
        kinks: str = "",
        doc: str = "",
    ) -> None:
        self.fun = fun
        self.name = name or fun.__name__.strip("_")
        self.arity = _arity(fun) if arity == -1 else arity
        self.broadcasts, self.linear, self.view = broadcasts, linear, view
        self.singular, self.kinks, self.doc = singular, kinks, doc
        self.rules: tuple[Rule | None, ...] = ()
        self.joint: Rule | None = None
        self.push: Callable[..., Any] | None = None
        self.call: Any = None  # the function that people call
        self.needs: tuple[frozenset[int], ...] = ()
        self.plans: dict[int, tuple[bool, list[bool]]] = {}
        self.saves_output = True
        self.defvjp((), None, None)

    def __repr__(self) -> str:
        return f"<primitive {self.name}>"

    def defvjp(self, rules: tuple[Rule | None, ...], joint: Rule | None, saves: Saves) -> None:
        self.rules, self.joint = rules, joint
        self.needs = _needs(rules or (joint,), saves, self.arity) if rules or joint else ()
        self.saves_output = not self.needs or any(OUTPUT in n for n in self.needs)
        if self.arity and self.arity <= 8:  # each subset of inputs with an edge: what to save
            bits = range(self.arity)
            self.plans = {m: self.saved([m >> i & 1 for i in bits]) for m in range(1 << self.arity)}

    def check_number(self, rules: Sequence[Any]) -> None:
        if self.arity is not None and len(rules) != self.arity:
            raise TypeError(message(
                self.name, f"{len(rules)} rules", f"one for each of its {self.arity} inputs",
                "None for an input that no gradient goes to"))  # fmt: skip

    def saved(self, edges: Sequence[Any]) -> tuple[bool, list[bool]]:
        """Say what the rules of the inputs that have an edge need: the output?, each input?"""
        needs = self.needs
        if self.joint is None and len(needs) == len(edges):
            needed = frozenset().union(*[n for n, e in zip(needs, edges, strict=True) if e])
        else:
            needed = needs[0] if needs else frozenset((OUTPUT, EVERYTHING))
        everything = EVERYTHING in needed
        return OUTPUT in needed, [everything or i in needed for i in range(len(edges))]

    def bind(self, args: tuple[Any, ...], params: dict[str, Any]) -> tuple[tuple[Any, ...], Any]:
        """Move metadata that came by position into ``params``, under NumPy's names."""
        n = self.arity
        if n is None or len(args) <= n:
            return args, params
        try:
            names = [p.name for p in inspect.signature(self.fun).parameters.values()
                     if p.kind is p.POSITIONAL_OR_KEYWORD]  # fmt: skip
            extra = dict(zip(names[n : len(args)], args[n:], strict=True))
        except (ValueError, TypeError):
            raise TypeError(message(self.name, f"{len(args)} positional arguments",
                                    f"at most {n}")) from None  # fmt: skip
        if twice := extra.keys() & params.keys():
            raise TypeError(f"{self.name}() got multiple values for argument {min(twice)!r}")
        return args[:n], params | extra


def _arity(fun: Any) -> int | None:
    """Count the array inputs of ``fun``: its positional parameters without a default."""
    if isinstance(fun, np.ufunc):
        return fun.nin
    parameters = inspect.signature(fun).parameters.values()
    if any(p.kind is p.VAR_POSITIONAL for p in parameters):
        return None
    positional = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    return sum(p.kind in positional and p.default is p.empty for p in parameters)


def _needs(rules: Any, saves: Saves, arity: int | None) -> tuple[frozenset[int], ...]:
    """Turn ``saves``, which speaks of a rule's own parameter names, into positions."""
    if saves is None:
        return (frozenset((OUTPUT, EVERYTHING)),) * len(rules)
    each = [saves] * len(rules) if isinstance(saves, str) else list(saves)
    out = []
    for rule, words in zip(rules, each, strict=True):
        if rule is None:
            out.append(frozenset[int]())
            continue
        code = rule.__code__
        names = code.co_varnames[2 : code.co_argcount]
        where = {name: i for i, name in enumerate(names)} | {code.co_varnames[1]: OUTPUT}
        if arity is None:
            where["inputs"] = EVERYTHING
        out.append(frozenset(where[word] for word in words.split()))
    return tuple(out)


def _array(y: Any) -> Any:
    """Return NumPy's scalars and numbers as arrays; a duck array stays as it is."""
    return y if hasattr(type(y), "__array_function__") else asarray(y)


def version_of(edge: Any) -> int | None:
    """Return the version of the leaf whose memory this is, be it through views; else None."""
    while isinstance(edge, Node):
        if not edge.primitive.view:
            return None
        edge = edge.edges[0] if edge.edges else None
    return None if edge is None else edge.version


def unsaved(x: Any) -> Any:
    """Return what stays of a constant that no rule needs: itself while it is small, for pictures."""
    if type(x) is not ndarray or x.size <= SMALL:
        return x
    s = new(Standin)
    s.shape, s.dtype = x.shape, x.dtype
    return s


# -- calling: a short path for each arity, and one slow path for anything unusual -----------------


def apply(prim: Primitive, args: tuple[Any, ...], params: dict[str, Any]) -> Any:
    """Apply a primitive to anything: the highest box among ``args`` decides what happens."""
    args, params = prim.bind(args, params)
    top, kind = -1, None
    for a in args:
        if isinstance(a, Box) and a.level > top:
            top, kind = a.level, type(a)
    if kind is not None:
        return kind.interpret(prim, args, params, top)
    if not isinstance(prim.fun, np.ufunc):  # a forward function sees arrays, not lists
        numbers = not any(hasattr(a, "shape") for a in args)  # beside an array they stay weak
        args = tuple([asarray(a) if numbers or isinstance(a, (list, tuple)) else a for a in args])
    try:
        return prim.fun(*args, **params)
    except (ValueError, IndexError, TypeError) as error:
        raise explain(error, prim.name, args) from None


def _call_1(prim: Primitive) -> Any:
    """Build the call of an operation with one input; every line here is paid at each call."""
    fun = prim.fun

    def call(x: Any, *args: Any, **params: Any) -> Any:
        if isinstance(x, Tensor) and not args:
            data = x.data
            if type(data) is ndarray:
                try:
                    y = fun(data, **params) if params else fun(data)
                except (ValueError, IndexError, TypeError) as error:
                    raise explain(error, prim.name, (data,)) from None
                if type(y) is not ndarray:
                    y = _array(y)
                t = new(Tensor)
                t.data = y
                t.version = 0
                t.grad = t.extras = None
                edge = x.node
                if edge is None or not is_recording():
                    t.node = None
                    return t
                save_y, (save_x,) = prim.plans[1]
                t.node = n = new(Node)
                if edge is LEAF:
                    edge = x
                n.versions = None
                if save_x and (edge is x or edge.primitive.view):
                    n.versions = (x.version if edge is x else version_of(edge),)
                n.id = next_id()
                n.primitive = prim
                n.params = params
                n.edges = (edge,)
                n.shape = y.shape
                n.dtype = y.dtype
                n.inputs = (data,) if save_x else (None,)
                n.output = y if save_y or y.size <= SMALL else None
                n.hooks = n.grad = None
                n.released = False
                return t
        return apply(prim, (x, *args), params)

    return call


def _call_2(prim: Primitive) -> Any:
    """Build the call of an operation with two inputs."""
    fun = prim.fun

    def call(a: Any, b: Any, *args: Any, **params: Any) -> Any:
        if args:
            return apply(prim, (a, b, *args), params)
        if isinstance(a, Tensor):
            x, edge = a.data, a.node
            if edge is LEAF:
                edge = a
        else:
            x, edge = a, None
        if isinstance(b, Tensor):
            w, edge2 = b.data, b.node
            if edge2 is LEAF:
                edge2 = b
        else:
            w, edge2 = b, None
        kind, kind2 = type(x), type(w)
        if (
            (kind is ndarray or kind is float or kind is int)
            and (kind2 is ndarray or kind2 is float or kind2 is int)
            and (x is not a or w is not b)  # at least one Tensor
        ):
            try:
                y = fun(x, w, **params) if params else fun(x, w)
            except (ValueError, IndexError, TypeError) as error:
                raise explain(error, prim.name, (x, w)) from None
            if type(y) is not ndarray:
                y = _array(y)
            t = new(Tensor)
            t.data = y
            t.version = 0
            t.grad = t.extras = None
            if edge is not None:
                mask = 1 if edge2 is None else 3
            else:
                mask = 0 if edge2 is None else 2
            if not mask or not is_recording():
                t.node = None
                return t
            save_y, (save_a, save_b) = prim.plans[mask]
            t.node = n = new(Node)
            version = version2 = None
            if save_a and edge is not None and (edge is a or edge.primitive.view):
                version = a.version if edge is a else version_of(edge)
            if save_b and edge2 is not None and (edge2 is b or edge2.primitive.view):
                version2 = b.version if edge2 is b else version_of(edge2)
            if version is None is version2:
                n.versions = None
            else:
                n.versions = (version, version2)
            n.id = next_id()
            n.primitive = prim
            n.params = params
            n.edges = (edge, edge2)
            n.shape = y.shape
            n.dtype = y.dtype
            n.inputs = (
                x if save_a else None if edge is not None else unsaved(x),
                w if save_b else None if edge2 is not None else unsaved(w),
            )
            n.output = y if save_y or y.size <= SMALL else None
            n.hooks = n.grad = None
            n.released = False
            return t
        return apply(prim, (a, b), params)

    return call


def _call_n(prim: Primitive) -> Any:
    """Build the call of an operation with three inputs or more."""
    fun, arity = prim.fun, prim.arity

    def call(*args: Any, **params: Any) -> Any:
        if len(args) != arity:
            return apply(prim, args, params)
        values, edges = [], []
        mask, bit, boxed = 0, 1, False
        for x in args:
            edge = None
            if isinstance(x, Tensor):
                boxed = True
                edge = x.node
                if edge is not None:
                    mask += bit
                    if edge is LEAF:
                        edge = x
                x = x.data
            kind = type(x)
            if kind is not ndarray and kind is not float and kind is not int:
                return apply(prim, args, params)
            values.append(x)
            edges.append(edge)
            bit += bit
        if not boxed:
            return apply(prim, args, params)
        try:
            y = fun(*values, **params) if params else fun(*values)
        except (ValueError, IndexError, TypeError) as error:
            raise explain(error, prim.name, values) from None
        if type(y) is not ndarray:
            y = _array(y)
        t = new(Tensor)
        t.data = y
        t.version = 0
        t.grad = t.extras = None
        if not mask or not is_recording():
            t.node = None
            return t
        save_y, save = prim.plans[mask]
        t.node = n = new(Node)
        n.versions = None
        for i, edge in enumerate(edges):
            if not save[i]:
                values[i] = None if edge is not None else unsaved(values[i])
            elif edge is not None and (edge is args[i] or edge.primitive.view):
                n.versions = n.versions or [None] * arity
                n.versions[i] = edge.version if edge is args[i] else version_of(edge)
        n.id = next_id()
        n.primitive = prim
        n.params = params
        n.edges = tuple(edges)
        n.shape = y.shape
        n.dtype = y.dtype
        n.inputs = tuple(values)
        n.output = y if save_y or y.size <= SMALL else None
        n.hooks = n.grad = None
        n.released = False
        return t

    return call


def _call_any(prim: Primitive) -> Any:
    """Build the call of an operation with any number of inputs."""

    def call(*args: Any, **params: Any) -> Any:
        return apply(prim, args, params)

    return call


def _operation(prim: Primitive, numpy: Sequence[Any] = ()) -> Any:
    """Wrap a primitive in the function that people call, and register it with NumPy's names."""
    n = prim.arity
    build = _call_1 if n == 1 else _call_2 if n == 2 else _call_n if n and n <= 8 else _call_any
    call = build(prim)
    prim.call = call
    call.primitive = prim
    call.__name__ = call.__qualname__ = prim.name
    call.__module__ = getattr(prim.fun, "__module__", None) or __name__
    call.__doc__ = prim.doc or prim.fun.__doc__

    def defvjp(*rules: Rule | None, joint: Rule | None = None, saves: Saves = None) -> Any:
        if not joint:
            prim.check_number(rules)
        prim.defvjp(rules, joint, saves)
        return call

    def defjvp(*rules: Rule | None, joint: Rule | None = None) -> Any:
        if not joint:
            prim.check_number(rules)
        prim.push = _push_joint(joint) if joint else partial(_push_rules, rules)
        return call

    call.defvjp, call.defjvp = defvjp, defjvp
    for function in numpy:
        NUMPY[function] = call
    return call


# -- the declarers ---------------------------------------------------------------------------------


def declare(
    fun: Any, rules: Any = (), joint: Any = None, saves: Saves = None, numpy: Any = (), **known: Any
) -> Any:
    """Declare an operation in the general form; ``defjvp`` states its forward rules."""
    prim = Primitive(fun, **known)
    if rules:
        prim.check_number(rules)
    prim.defvjp(rules, joint, saves)
    if isinstance(fun, np.ufunc) and not numpy and fun not in NUMPY:
        numpy = (fun,)  # the library's own; another rule for np.tanh does not take its place
    return _operation(prim, numpy)


def elementwise(
    fun: Any, *rules: Rule | None, saves: Saves = None, numpy: Any = (), **known: Any
) -> Operation:
    """Declare an operation that acts on each element, after NumPy's broadcasting.

    Its Jacobian is diagonal, so a rule serves both modes: read with a tangent in place of ``g``
    it is the JVP, read with 1 it is the local derivative.

    Args:
        fun: forward function, ``fun(*arrays, **params)``.
        rules: one ``rule(g, y, *inputs, **params)`` per input; None where no gradient goes.
        saves: names of the rule's parameters that it needs the values of, ``"x y"``; one string
            for all rules or one each. The others reach it as shape and dtype only.
            Undeclared: everything is saved.
        numpy: NumPy functions that a Tensor answers with this operation.
        known: ``name``, ``arity``, ``singular`` (0 times infinity may arise in a rule: a derivative
            is infinite at finite inputs, or 0 because something else was selected), ``kinks``,
            ``view``, ``doc``.

    >>> import numpy as np, autograd_core as ag
    >>> square = ag.elementwise(lambda x: x * x, lambda g, y, x: 2 * g * x, name="square")
    >>> ag.grad(square)(3.0)
    np.float64(6.0)
    """
    call = declare(fun, rules, None, saves, numpy, broadcasts=True, **known)
    call.primitive.push = partial(_push_elementwise, rules)
    return call


def linear(
    fun: Any, *rules: Rule | None, joint: Rule | None = None, saves: Saves = "",
    numpy: Any = (), **known: Any
) -> Operation:  # fmt: skip
    """Declare an operation that is linear in all its differentiable inputs taken together.

    Its JVP is the operation itself, applied to the tangents; by default it saves nothing.
    """
    call = declare(fun, rules, joint, saves, numpy, linear=True, **known)
    call.primitive.push = _push_linear
    return call


def bilinear(
    fun: Any, *rules: Rule, joint: Rule | None = None, saves: Saves = None,
    numpy: Any = (), **known: Any
) -> Operation:  # fmt: skip
    """Declare an operation that is linear in each input by itself, as a product is.

    Its JVP is the sum, over the inputs, of the operation with that input's tangent put in.
    """
    call = declare(fun, rules, joint, saves, numpy, **known)
    call.primitive.push = _push_multilinear
    return call


def primitive(fun: Any = None, /, **known: Any) -> Any:
    """Make a function of arrays differentiable by stating its rules, any way one likes.

    The positional parameters without a default are arrays; the others are metadata. ``fun`` sees
    plain arrays and may do anything with them, except write into them.

    >>> import numpy as np, autograd_core as ag
    >>> @ag.primitive
    ... def cube(x):
    ...     return x * x * x
    >>> _ = cube.defvjp(lambda g, y, x: 3 * g * x * x)
    >>> _ = cube.defjvp(lambda t, y, x: 3 * t * x * x)
    >>> ag.grad(cube)(2.0), ag.jvp(cube, (2.0,), (1.0,))[1]
    (np.float64(12.0), np.float64(12.0))
    """
    if fun is None:
        return partial(primitive, **known)
    numpy = known.pop("numpy", ())
    return _operation(Primitive(kernel(fun), **known), numpy)


def kernel(fun: Any) -> Any:
    """Mark a call that does not dispatch (a loop, SciPy, numba): every reader sees one call.

    On arrays it is ``fun``; anything else is asked through NumPy's own ``__array_function__``.
    """

    def call(*args: Any, **params: Any) -> Any:
        duck = _duck(args) if not params else _duck((*args, *params.values()))
        if duck is not None:
            return duck.__array_function__(call, (type(duck),), args, params)
        return fun(*args, **params)

    call.__name__, call.__qualname__ = fun.__name__, fun.__qualname__
    call.__module__, call.__doc__ = fun.__module__, fun.__doc__
    call.__wrapped__ = fun  # type: ignore[attr-defined]
    return call


def _duck(values: Any) -> Any:
    """Return the first value, also within tuples, that takes NumPy's calls and is no array."""
    for v in values:
        if type(v) is tuple:
            v = _duck(v)
        if v is not None and type(v) is not ndarray and hasattr(type(v), "__array_function__"):
            return v
    return None


def constant(fun: Any, *aliases: Any) -> Any:
    """Declare a function whose derivative is zero or has no meaning: it leaves the graph.

    Comparisons, rounding, argmax and their like return plain arrays.
    """

    def call(*args: Any, **params: Any) -> Any:
        return fun(*strip(args), **{k: strip(v) for k, v in params.items()})

    call.__name__ = call.__qualname__ = fun.__name__
    call.__doc__ = f"``numpy.{fun.__name__}`` of the values: not differentiable, a plain result."
    call.constant = True  # type: ignore[attr-defined]
    for function in (fun, *aliases):
        NUMPY[function] = call
    return call


F = TypeVar("F", bound=Callable[..., Any])


def composite(*numpy: Any) -> Callable[[F], F]:
    """Register a function written with other operations under the names that NumPy gives it.

    Given no box it *is* NumPy's function, the first of those named.
    """

    def register(fun: F) -> F:
        plain = numpy[0]

        @wraps(fun)
        def call(*args: Any, **params: Any) -> Any:
            if has_box(args) or has_box(list(params.values())):
                return fun(*args, **params)
            return plain(*args, **params)

        for function in numpy:
            NUMPY[function] = call
        return call  # type: ignore[return-value]

    return register


# -- forward rules: from tangents (None is zero) to the output's tangent --------------------------


def _total(prim: Primitive, terms: Any, y: Any) -> Any:
    total = None
    for term in terms:
        term = fit(term, y, prim.name)
        total = term if total is None else total + term
    return total


def _push_rules(rules: Any, prim: Primitive, ts: Any, y: Any, inputs: Any, params: Any) -> Any:
    return _total(prim, (rule(t, y, *inputs, **params)
                   for rule, t in zip(rules, ts, strict=True) if rule and t is not None), y)  # fmt: skip


def _push_elementwise(
    rules: Any, prim: Primitive, ts: Any, y: Any, inputs: Any, params: Any
) -> Any:
    terms = ((rule(t, y, *inputs, **params), t)
             for rule, t in zip(rules, ts, strict=True) if rule and t is not None)  # fmt: skip
    return _total(prim, (tame(d, t) if prim.singular else d for d, t in terms), y)


def _push_joint(rule: Any) -> Any:
    def push(prim: Primitive, ts: Any, y: Any, inputs: Any, params: Any) -> Any:
        return fit(rule(ts, y, *inputs, **params), y, prim.name)

    return push


def _push_linear(prim: Primitive, ts: Any, y: Any, inputs: Any, params: Any) -> Any:
    filled = []
    for i, (t, x) in enumerate(zip(ts, inputs, strict=True)):
        if t is None and not (prim.rules and prim.rules[i] is None):
            t = np.zeros(np.shape(x), y.dtype)  # the zero tangent of an input like the others
        filled.append(x if t is None else t)
    return fit(prim.call(*filled, **params), y, prim.name)


def _push_multilinear(prim: Primitive, ts: Any, y: Any, inputs: Any, params: Any) -> Any:
    return _total(prim, (prim.call(*inputs[:i], t, *inputs[i + 1 :], **params)
                   for i, t in enumerate(ts) if t is not None), y)  # fmt: skip


# -- central fitting -------------------------------------------------------------------------------


def fit(g: Any, like: Any, name: str = "fit") -> Any:
    """Bring ``g`` to the shape and dtype of ``like``: sum over what broadcast, or broadcast."""
    if type(g) is not ndarray or g.dtype is not like.dtype:
        g = _numbers(g, like, name)
    shape = like.shape
    if g.shape != shape:
        came = g.shape
        if (lead := len(came) - len(shape)) > 0:
            g = np.add.reduce(g, axis=0 if lead == 1 else tuple(range(lead)))
        if g.shape != shape and g.ndim == len(shape):
            axes = tuple(i for i, n in enumerate(shape) if n == 1 != g.shape[i])
            if axes:
                g = np.add.reduce(g, axis=axes, keepdims=True)
        if g.shape != shape:  # either it broadcast, or it is to be broadcast: never both
            if lead > 0 or not _broadcasts(g.shape, shape):
                raise ValueError(message(name, f"a gradient or tangent of shape {came} from a rule",
                                         f"one that fits {shape}"))  # fmt: skip
            g = _spread(g, shape)
    return g if g.dtype == like.dtype else g.astype(like.dtype)


def _numbers(g: Any, like: Any, name: str) -> Any:
    if isinstance(g, (int, float)):
        g = asarray(g)
    if not hasattr(g, "shape") or g.dtype.kind not in "biufc" or (
        g.dtype.kind == "c" and like.dtype.kind != "c"
    ):  # fmt: skip
        what = getattr(g, "dtype", type(g).__name__)
        raise TypeError(message(name, f"a gradient or tangent of type {what} from a rule",
                                f"an array of shape {like.shape} and dtype {like.dtype}"))  # fmt: skip
    return g


def _broadcasts(shape: tuple[int, ...], to: tuple[int, ...]) -> bool:
    return all(n in (1, m) for n, m in zip(reversed(shape), reversed(to), strict=False))


def _spread(g: Any, shape: tuple[int, ...]) -> Any:
    if isinstance(g, (ndarray, np.generic)) and math.prod(shape) <= 4096:
        out = np.empty(shape, g.dtype)  # 0.5 us; broadcast_to is 3 us of Python, but copies nothing
        out[...] = g
        return out
    return np.broadcast_to(g, shape)


def tame(d: Any, g: Any) -> Any:
    """Return the rule's result ``d``, in which 0 times infinity is 0.

    So a zero gradient passes an infinite derivative (sqrt at 0), and an infinite gradient does not
    reach what was not selected (where, relu). Only a result that is not finite is looked at, so
    ordinary numbers pay one dot product.
    """
    value: Any = d if type(d) is ndarray else strip(d)
    plain = isinstance(value, (ndarray, np.generic))
    if plain and math.isfinite(np.vdot(value, value)):
        return d
    g = strip(g)
    return np.where(np.isnan(value) & (np.equal(g, 0) | np.isinf(g)), 0.0, d)


def no_rule(prim: Primitive, mode: str) -> NotDifferentiableError:
    """Build the error for a primitive that lacks the rule which a reader asks for."""
    how = "defvjp(rule(g, y, *inputs))" if mode == "reverse" else "defjvp(rule(t, y, *inputs))"
    return NotDifferentiableError(
        message(prim.name, f"asked for its {mode}-mode derivative", "a rule for it",
                f"{prim.name}.{how}"))  # fmt: skip
