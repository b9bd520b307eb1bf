"""How an operation is declared: a forward function in NumPy, and the chain rule of each input.

A rule is called as ``rule(g, y, *inputs, **params)``: ``g`` the gradient that arrives from above,
``y`` the operation's output. It is an expression of operators and NumPy functions and nothing
else, so *who reads it decides what it does*: arrays give numbers, Tensors give gradients that can
be differentiated again, dual numbers give directional derivatives, floats give the classroom's
scalar engine.

    tanh     = elementwise(np.tanh,     lambda g, y, x: g * (1 - y * y), saves="y")
    multiply = elementwise(np.multiply, lambda g, y, a, b: g * b,
                                        lambda g, y, a, b: g * a, saves=("b", "a"))

Arrays are positional and metadata is keyword in every call. What no rule does is done once for all
of them in :mod:`fitting`; how a call is recorded stands in :mod:`calls`.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from functools import partial, wraps
from typing import Any, Protocol, TypeVar

import numpy as np

from .calls import UNROLLED, builder
from .docs import describe, parameters_of, with_kinks
from .ducks import duck as duck
from .ducks import kernel
from .errors import NotDifferentiableError, message
from .fitting import fit, tame
from .node import has_box, strip

__all__ = ["bilinear", "elementwise", "kernel", "linear", "primitive"]

Rule = Callable[..., Any]
Saves = str | Sequence[str] | None

NUMPY: dict[Any, Callable[..., Any]] = {}  # NumPy's function -> ours, for NumPy's two protocols
OUTPUT, EVERYTHING = -1, -2  # in the set of what a rule needs, beside positions of inputs


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
        "_plans", "adds", "arity", "broadcasts", "call", "consumes", "doc", "flops", "fun", "joint", "kinks",
        "linear", "memory", "multilinear", "name", "needs", "plan", "push", "rules", "saves_output",
        "singular", "view",
    )  # fmt: skip

    def __init__(
        self,
        fun: Callable[..., Any],
        *,
        name: str | None = None,
        arity: int | None = -1,
        broadcasts: bool = False,
        linear: bool = False,
        multilinear: bool = False,
        view: bool = False,
        singular: bool = False,
        kinks: str = "",
        doc: str = "",
        adds: Callable[..., bool] | None = None,
        consumes: Callable[..., tuple[Any, ...]] | None = None,
        flops: Callable[..., int] | None = None,
    ) -> None:
        self.fun = fun
        self.adds = adds  # adds(sum, g, **params) does sum += rule(g, ...) in place: did it?
        self.flops = flops  # flops(y, *inputs, **params): operations of forward, where not one each
        self.consumes = consumes  # consumes(g, **params): the joint rule, free to write into g
        self.name = name or fun.__name__.strip("_")
        self.arity = _arity(fun) if arity == -1 else arity
        self.broadcasts, self.view = broadcasts, view
        self.linear, self.multilinear = linear, multilinear  # in all inputs together, or in each
        self.singular, self.kinks, self.doc = singular, kinks, doc
        self.memory = 0  # how many of its last inputs are arrays that forward fills for its rule
        self.rules: tuple[Rule | None, ...] = ()
        self.joint: Rule | None = None
        self.push: Callable[..., Any] | None = None
        self.call: Any = None  # the function that people call
        self.needs: tuple[frozenset[int], ...] = ()
        self.plan: list[tuple[bool, ...]] = []  # by which inputs have an edge (the bits): saved()
        self._plans: dict[int, list[tuple[bool, ...]]] = {}
        self.saves_output = True
        self.defvjp((), None, None)

    def __repr__(self) -> str:
        return f"<primitive {self.name}>"

    def defvjp(self, rules: tuple[Rule | None, ...], joint: Rule | None, saves: Saves) -> None:
        self.rules, self.joint = rules, joint
        self.needs = _needs(rules or (joint,), saves, self.arity) if rules or joint else ()
        self.saves_output = not self.needs or any(OUTPUT in n for n in self.needs)
        self._plans = {}
        if self.arity and self.arity <= UNROLLED:
            self.plan = self.plans(self.arity)

    def plans(self, n: int) -> list[tuple[bool, ...]]:
        """Return :meth:`saved` of n inputs for each set of those that have an edge."""
        if n not in self._plans:
            sets = range(1 << n)
            self._plans[n] = [self.saved([m >> i & 1 for i in range(n)]) for m in sets]
        return self._plans[n]

    def check_number(self, rules: Sequence[Any]) -> None:
        if self.arity is not None and len(rules) != self.arity:
            raise TypeError(message(
                self.name, f"{len(rules)} rules", f"one for each of its {self.arity} inputs",
                "None for an input that no gradient goes to"))  # fmt: skip

    def saved(self, edges: Sequence[Any]) -> tuple[bool, ...]:
        """Say what the rules of the inputs that have an edge need: the output? each input?"""
        needs = self.needs
        if self.joint is None and len(needs) == len(edges):
            needed = frozenset().union(*[n for n, e in zip(needs, edges, strict=True) if e])
        else:
            needed = needs[0] if needs else frozenset((OUTPUT, EVERYTHING))
        everything = EVERYTHING in needed
        return OUTPUT in needed, *(everything or i in needed for i in range(len(edges)))

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
    parameters = parameters_of(fun).values()
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


def _operation(prim: Primitive, numpy: Sequence[Any] = ()) -> Any:
    """Wrap a primitive in the function that people call, and register it with NumPy's names."""
    call = builder(prim.arity, prim.view)(prim)
    prim.call = call
    call.primitive = prim
    call.__name__ = call.__qualname__ = prim.name
    if prim.push or not (prim.rules or prim.joint):  # else when its forward rules are stated
        describe(call, prim, numpy)

    def defvjp(*rules: Rule | None, joint: Rule | None = None, saves: Saves = None) -> Any:
        if not joint:
            prim.check_number(rules)
        prim.defvjp(rules, joint, saves)
        describe(call, prim, numpy)
        return call

    def defjvp(*rules: Rule | None, joint: Rule | None = None) -> Any:
        if not joint:
            prim.check_number(rules)
        prim.push = _push_joint(joint) if joint else partial(_push_rules, rules)
        describe(call, prim, numpy)
        return call

    call.defvjp, call.defjvp = defvjp, defjvp
    for function in numpy:
        NUMPY[function] = call
    return call


def no_rule(prim: Primitive, mode: str) -> NotDifferentiableError:
    """Build the error for a primitive that lacks the rule which a reader asks for."""
    how = "defvjp(rule(g, y, *inputs))" if mode == "reverse" else "defjvp(rule(t, y, *inputs))"
    return NotDifferentiableError(
        message(prim.name, f"asked for its {mode}-mode derivative", "a rule for it",
                f"{prim.name}.{how}"))  # fmt: skip


# -- the declarers ---------------------------------------------------------------------------------


def declare(
    fun: Any, rules: Any = (), joint: Any = None, saves: Saves = None, numpy: Any = (), push: Any = None,
    **known: Any,
) -> Any:  # fmt: skip
    """Declare an operation in the general form; ``defjvp`` states its forward rules."""
    prim = Primitive(fun, **known)
    prim.push = push
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
        known: ``name``, ``arity``, ``singular`` (infinity may arise in a rule, and 0 times it is
            0, without a warning: a derivative is infinite at finite inputs or overflows, or is 0
            because something else was selected), ``kinks``, ``view``, ``doc``.

    >>> import numpy as np, autograd_core as ag
    >>> square = ag.elementwise(lambda x: x * x, lambda g, y, x: 2 * g * x, name="square")
    >>> ag.grad(square)(3.0)
    np.float64(6.0)
    """
    push = partial(_push_elementwise, rules)
    return declare(fun, rules, None, saves, numpy, push, broadcasts=True, **known)


def linear(
    fun: Any, *rules: Rule | None, joint: Rule | None = None, saves: Saves = "",
    numpy: Any = (), **known: Any
) -> Operation:  # fmt: skip
    """Declare an operation that is linear in all its differentiable inputs taken together.

    Its JVP is the operation itself, applied to the tangents; by default it saves nothing.
    """
    return declare(fun, rules, joint, saves, numpy, _push_linear, linear=True, **known)


def bilinear(
    fun: Any, *rules: Rule, joint: Rule | None = None, saves: Saves = None,
    numpy: Any = (), **known: Any
) -> Operation:  # fmt: skip
    """Declare an operation that is linear in each input by itself, as a product is.

    Its JVP is the sum, over the inputs, of the operation with that input's tangent put in.
    """
    return declare(fun, rules, joint, saves, numpy, _push_multilinear, multilinear=True, **known)


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


def composite(*numpy: Any, kinks: str = "") -> Callable[[F], F]:
    """Register a function written with other operations under the names that NumPy gives it.

    Given no box it *is* NumPy's function, the first of those named. ``kinks`` says where it has no
    derivative and what stands in for it; its docstring and the catalogue tell.
    """

    def register(fun: F) -> F:
        plain = numpy[0]

        @wraps(fun)
        def call(*args: Any, **params: Any) -> Any:
            if has_box(args) or has_box(list(params.values())):
                return fun(*args, **params)
            return plain(*args, **params)

        call.kinks, call.__doc__ = kinks, with_kinks(fun.__doc__, kinks)  # type: ignore[attr-defined]
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
