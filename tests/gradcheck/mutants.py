"""Faults, made on purpose in the reverse rules of a primitive.

A mutant has the forward function of a primitive and all of its rules but one, which is wrong:

    scale      the gradient of an input times 1.01, or 2
    sign       its negative
    drop       one operand of a sum, one factor, one call or one ``.T`` is left out of the source
    swap       a rule reads two inputs in exchanged places, or two inputs get each other's gradient
    broadcast  of what should be summed over broadcast axes, the first slice is taken

Nothing of the original changes: a mutant is a primitive of its own that answers to no NumPy name.
What a wrong gradient looks like beside the right one, :func:`patterns` tells.
"""

from __future__ import annotations

import ast
import copy
import itertools
import types
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np

from autograd_core.primitive import Primitive, Rule, _operation
from tests.autograd_core.test_rule_lint import source_of

__all__ = ["KINDS", "Fault", "Skipped", "faults", "patterns", "same"]

KINDS = ("scale", "sign", "drop", "swap", "broadcast")
FACTORS = (1.01, 2.0)
JOINT = 2  # of any number of inputs, the first two are given faults


class Fault(NamedTuple):
    """A mutant: the kind of fault, what was done, and the operation that has it."""

    kind: str
    text: str
    op: Any


class Skipped(NamedTuple):
    """A kind of fault that a rule cannot be given, and why."""

    kind: str
    text: str


def faults(prim: Primitive) -> Iterator[Fault | Skipped]:
    """Give every fault of every reverse rule, always in the same order."""
    places = [i for i, rule in enumerate(prim.rules) if rule is not None]
    if prim.joint:
        places = list(range(prim.arity or JOINT))
    for i in places:
        for c in FACTORS:
            yield Fault("scale", f"gradient {i} times {c:g}", _changed(prim, i, _times(c)))
        yield Fault("sign", f"gradient {i} negated", _changed(prim, i, lambda d, x: -d))
        yield Fault("broadcast", f"gradient {i}: first slice", _changed(prim, i, _first_slice))
    yield from _dropped(prim, places)
    yield from _swapped(prim, places)


# -- building --------------------------------------------------------------------------------------


def mutant(prim: Primitive, rules: tuple[Rule | None, ...], joint: Rule | None) -> Any:
    """Return an operation like ``prim`` with other reverse rules; everything is saved for them."""
    new = Primitive(
        prim.fun, name=prim.name, arity=prim.arity, broadcasts=prim.broadcasts, linear=prim.linear,
        view=prim.view, singular=prim.singular, kinks=prim.kinks, doc=">>> 0  # no example is made",
    )  # fmt: skip
    new.push = prim.push
    new.defvjp(rules, joint, None)
    return _operation(new)


def _replaced(prim: Primitive, i: int, rule: Rule) -> Any:
    """Return the mutant with another rule at one place (the joint rule, if it has that)."""
    if prim.joint:
        return mutant(prim, prim.rules, rule)
    return mutant(prim, (*prim.rules[:i], rule, *prim.rules[i + 1 :]), None)


def _changed(prim: Primitive, i: int, change: Callable[[Any, Any], Any]) -> Any:
    """Return the mutant whose gradient i passes through ``change(gradient, input)``."""
    if not prim.joint:
        rule: Any = prim.rules[i]
        return _replaced(prim, i, lambda g, y, *xs, **p: change(rule(g, y, *xs, **p), xs[i]))
    joint = prim.joint

    def changed(g: Any, y: Any, *xs: Any, **params: Any) -> Any:
        return [change(d, x) if k == i else d
                for k, (d, x) in enumerate(zip(joint(g, y, *xs, **params), xs, strict=True))]  # fmt: skip

    return _replaced(prim, i, changed)


def _times(c: float) -> Callable[[Any, Any], Any]:
    return lambda d, x: d * c


def _first_slice(d: Any, x: Any) -> Any:
    lead = np.ndim(d) - x.ndim
    if lead > 0:
        d = d[(0,) * lead]
    if np.ndim(d) == x.ndim:
        for axis, n in enumerate(x.shape):
            if n == 1 != d.shape[axis]:
                d = d[(slice(None),) * axis + (slice(0, 1),)]
    return d


# -- two inputs exchanged --------------------------------------------------------------------------


def _swapped(prim: Primitive, places: list[int]) -> Iterator[Fault]:
    for i, j in itertools.combinations(places, 2):
        if prim.joint:
            joint = prim.joint
            yield Fault("swap", f"inputs {i}, {j} read in exchanged places",
                        _replaced(prim, i, _reading(joint, i, j)))  # fmt: skip
            yield Fault("swap", f"gradients {i}, {j} exchanged",
                        mutant(prim, prim.rules, _returning(joint, i, j)))  # fmt: skip
            continue
        for k in (i, j):
            yield Fault("swap", f"gradient {k}: inputs {i}, {j} read in exchanged places",
                        _replaced(prim, k, _reading(prim.rules[k], i, j)))  # fmt: skip
        yield Fault("swap", f"gradients {i}, {j} exchanged",
                    mutant(prim, _exchanged(prim.rules, i, j), None))  # fmt: skip


def _exchanged(items: Any, i: int, j: int) -> Any:
    out = list(items)
    out[i], out[j] = out[j], out[i]
    return tuple(out)


def _reading(rule: Any, i: int, j: int) -> Rule:
    return lambda g, y, *xs, **params: rule(g, y, *_exchanged(xs, i, j), **params)


def _returning(joint: Any, i: int, j: int) -> Rule:
    return lambda g, y, *xs, **params: _exchanged(joint(g, y, *xs, **params), i, j)


# -- something left out of the source --------------------------------------------------------------


def _dropped(prim: Primitive, places: list[int]) -> Iterator[Fault | Skipped]:
    for i in places[:1] if prim.joint else places:
        rule: Any = prim.joint or prim.rules[i]
        who = "joint rule" if prim.joint else f"gradient {i}"
        if not isinstance(rule, types.FunctionType):
            yield Skipped("drop", f"{who}: not a Python function")
            continue
        try:
            found = list(_shortened(rule))
        except (LookupError, OSError) as error:
            yield Skipped("drop", f"{who}: no source ({error})")
            continue
        if not found:
            yield Skipped("drop", f"{who}: nothing to leave out of {_body(source_of(rule))!r}")
        for text, new in found:
            yield Fault("drop", f"{who}: {text}", _replaced(prim, i, new))


def _shortened(function: types.FunctionType) -> Iterator[tuple[str, Any]]:
    """Give a function with each thing left out, in it and in the helpers that carry its gradient."""
    source = source_of(function)
    count = sum(1 for _ in _cuts(source))
    for n in range(count):
        tree = copy.deepcopy(source)
        node, shorter, text = next(itertools.islice(_cuts(tree), n, None))
        yield text, _compiled(function, _Put(node, shorter).visit(tree))
    held = zip(function.__code__.co_freevars, function.__closure__ or (), strict=True)
    for name, cell in held:
        if isinstance(cell.cell_contents, types.FunctionType):
            for text, new in _shortened(cell.cell_contents):
                yield text, _rebound(function, name, new)
    for name in _names(function.__code__):
        helper = function.__globals__.get(name)
        if not isinstance(helper, types.FunctionType) or helper is function:
            continue
        if "g" in helper.__code__.co_varnames[: helper.__code__.co_argcount]:
            for text, new in _shortened(helper):
                yield f"{name}: {text}", _rebound(function, name, new)


def _names(code: types.CodeType) -> Iterator[str]:
    """Give the globals that code speaks of, also within its comprehensions."""
    yield from code.co_names
    for inner in code.co_consts:
        if isinstance(inner, types.CodeType):
            yield from _names(inner)


FAMILIES = ((ast.Add, ast.Sub), (ast.Mult, ast.Div), (ast.MatMult,), (ast.BitAnd,), (ast.BitOr,))


def _cuts(tree: ast.AST) -> Iterator[tuple[ast.AST, ast.expr, str]]:
    """Give (node, what takes its place, description) for each thing that can be left out."""
    for node in ast.walk(tree):
        if isinstance(node, ast.BinOp):
            yield from _operands(node)
        elif isinstance(node, ast.Call) and node.args and not isinstance(node.args[0], ast.Starred):
            name = node.func.attr if isinstance(node.func, ast.Attribute) else _body(node.func)
            yield node, node.args[0], f"without {name}() in {ast.unparse(node)!r}"
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            if not node.args and not node.keywords:
                yield node, node.func.value, f"without .{node.func.attr}() in {ast.unparse(node)!r}"
        elif isinstance(node, ast.Attribute) and node.attr in ("T", "mT"):
            yield node, node.value, f"without .{node.attr} in {ast.unparse(node)!r}"


def _operands(node: ast.BinOp) -> Iterator[tuple[ast.AST, ast.expr, str]]:
    family = next((f for f in FAMILIES if isinstance(node.op, f)), None)
    if family is None:
        return
    whole = ast.unparse(node)
    yield node, node.left, f"without {ast.unparse(node.right)!r} in {whole!r}"
    if isinstance(node.left, ast.BinOp) and isinstance(node.left.op, family):
        return  # its two operands are left out one by one
    rest = node.right
    if isinstance(node.op, ast.Sub):
        rest = ast.UnaryOp(ast.USub(), rest)
    elif isinstance(node.op, ast.Div):
        rest = ast.BinOp(ast.Constant(1.0), ast.Div(), rest)
    yield node, rest, f"without {ast.unparse(node.left)!r} in {whole!r}"


class _Put(ast.NodeTransformer):
    """Put one expression in the place of another."""

    def __init__(self, old: ast.AST, new: ast.expr) -> None:
        self.old, self.new = old, new

    def visit(self, node: ast.AST) -> Any:
        return self.new if node is self.old else super().visit(node)


def _body(node: ast.AST) -> str:
    return ast.unparse(node.body if isinstance(node, ast.Lambda) else node).splitlines()[-1].strip()


def _compiled(function: types.FunctionType, tree: ast.Lambda | ast.FunctionDef) -> Any:
    """Return the function of changed source, with the globals and the closure of the original."""
    arguments = tree.args
    for a in (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs,
              arguments.vararg, arguments.kwarg):  # fmt: skip
        if a is not None:
            a.annotation = None
    free = function.__code__.co_freevars
    outer = ast.parse(f"def make({', '.join(free)}):\n    return None").body[0]
    assert isinstance(outer, ast.FunctionDef)
    if isinstance(tree, ast.FunctionDef):
        tree.decorator_list, tree.returns, tree.name = [], None, "mutated"
        outer.body = [tree, ast.Return(ast.Name("mutated", ast.Load()))]
    else:
        outer.body = [ast.Return(tree)]
    module = ast.fix_missing_locations(ast.Module([outer], []))
    namespace = dict(function.__globals__)
    exec(compile(module, "<mutant>", "exec"), namespace)
    return namespace["make"](*[cell.cell_contents for cell in function.__closure__ or ()])


def _rebound(function: types.FunctionType, name: str, value: Any) -> Any:
    """Return the same function, in which one free variable or global has another value."""
    code, cells = function.__code__, list(function.__closure__ or ())
    names = dict(function.__globals__)
    if name in code.co_freevars:
        cells[code.co_freevars.index(name)] = types.CellType(value)
    else:
        names[name] = value
    new = types.FunctionType(code, names, function.__name__, function.__defaults__, tuple(cells))
    new.__kwdefaults__ = function.__kwdefaults__
    return new


# -- what a wrong gradient looks like --------------------------------------------------------------

POWERS: list[Callable[[Any], Any]] = [lambda v: v, np.square, lambda v: v**3, np.abs,
                                      lambda v: np.sqrt(np.abs(v))]  # fmt: skip


def same(a: Any, b: Any, rtol: float = 1e-9) -> bool:
    """Tell whether two gradients differ by no more than ``rtol`` of the largest number."""
    if a is None or b is None or a.shape != b.shape:
        return a is b
    size = float(np.max(np.abs(b), initial=0))
    return bool(np.allclose(a, b, rtol, rtol * size))


def patterns(given: Any, expected: Any, inputs: Sequence[Any], y: Any, g: Any) -> Iterator[str]:
    """Give the kinds of hint that are true of one wrong gradient, for an output y and g from above.

    "times x" may be an input, the output, or a power of one, and "transposed" a factor of a product.
    """
    equal = np.isclose(given, expected, 1e-6, 1e-9)
    ratio = given / np.where(expected == 0, np.nan, expected)
    if not given.any():
        yield "zero"
    if same(given, -expected, 1e-7):
        yield "sign"
    elif (c := _constant(ratio)) and same(given, c * expected, 1e-7):
        yield "factor"
        lengths = {n for x in inputs for n in (x.size, *x.shape) if n > 1}
        if any(abs(c * n - 1) < 1e-6 for n in lengths):
            yield "mean for sum"
    if given.size > 1 and same(np.sort(given, None), np.sort(expected, None), 1e-7):
        yield from ("permuted", "transposed")
    if equal.any():
        yield "elements"
    for v in _spread([*inputs, y], given.shape):
        for f in POWERS:
            if _constant(ratio / f(v)):
                yield "times x"
            if _constant(ratio * f(v)):
                yield "divided by x"
    for axis, n in enumerate(given.shape):
        if n > 2 and equal[(slice(None),) * axis + (slice(1, -1),)].all():
            yield "boundary"
    for k in range(1, given.ndim + 1):
        for axes in itertools.combinations(range(given.ndim), k):
            total = np.broadcast_to(expected.sum(axes, keepdims=True), given.shape)
            if total.size > 1 and same(given, total, 1e-7):
                yield "extra sum"
    for x in inputs:
        products = list(_products(g, x))
        if all(any(same(p, wanted, 1e-7) for p in products) for wanted in (given, expected)):
            yield "transposed"


def _constant(ratio: Any) -> float:
    """Return the one value of all ratios that are numbers, or 0."""
    numbers = ratio[np.isfinite(ratio)]
    if not numbers.size or np.ptp(numbers) > 1e-6 * np.abs(numbers).max():
        return 0.0
    return float(numbers.mean())


def _spread(arrays: Sequence[Any], shape: tuple[int, ...]) -> Iterator[Any]:
    """Give what varies, in every way in which it broadcasts to a shape."""
    for v in arrays:
        if v.dtype.kind != "f" or np.size(v) < 2 or v.ndim > len(shape):
            continue
        for new in itertools.combinations(range(len(shape)), len(shape) - v.ndim):
            full = np.expand_dims(v, new)
            if all(n in (1, m) for n, m in zip(full.shape, shape, strict=True)):
                yield np.broadcast_to(full, shape)


def _products(a: Any, b: Any) -> Iterator[Any]:
    if a.ndim == b.ndim == 2 and b.dtype.kind == "f":
        for s, t in itertools.product((a, a.T), (b, b.T)):
            if s.shape[1] == t.shape[0]:
                yield s @ t
            if t.shape[1] == s.shape[0]:
                yield t @ s
