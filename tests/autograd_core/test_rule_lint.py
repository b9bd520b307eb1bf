"""What a rule may say: its source is read, and what would shut out a reader is refused.

A rule is operators, ufuncs (and their ``reduce``), NumPy functions that dispatch, and other
primitives; helpers are read in the same way. The check follows what is an array and what is
metadata: arrays are the positional parameters and all that is computed from them; shapes, dtypes
and keyword parameters are metadata, which Python may do anything with.
"""

from __future__ import annotations

import ast
import builtins
import functools
import math
import operator
import types
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np
import pytest

import autograd_core as ag
from autograd_core.ops import elementwise, indexing
from autograd_core.primitive import EVERYTHING, NUMPY, OUTPUT, kernel

from .table import modules, primitives

# -- the vocabulary ------------------------------------------------------------------------------

FACTS = {"shape", "dtype", "ndim", "size"}  # attributes that are metadata
VIEWS = {"T", "mT"}  # attributes that are arrays
METHODS = {"astype", "reshape"}
OPERATORS = {abs, pow, divmod}  # builtins that are Python's operators by another name
ABOUT_METADATA = {np.shape, np.ndim, np.size, np.result_type}  # what they return is metadata
CREATORS = {np.zeros, np.ones, np.full, np.eye, np.identity, np.tri}  # float64 unless told
DISPATCHING = {
    np.all, np.any, np.argmax, np.argmin, np.argsort, np.astype, np.broadcast_to, np.clip,
    np.concatenate, np.copy, np.cumprod, np.cumsum, np.diagonal, np.diff, np.dot, np.einsum,
    np.expand_dims, np.flip, np.inner, np.kron, np.linalg.cholesky, np.linalg.det,
    np.linalg.eigh, np.linalg.inv, np.linalg.matrix_transpose, np.linalg.norm, np.linalg.qr,
    np.linalg.solve, np.linalg.svd, np.matrix_transpose, np.max, np.mean, np.min, np.moveaxis,
    np.ones_like, np.outer, np.pad, np.prod, np.ravel, np.repeat, np.reshape, np.roll, np.sort,
    np.split, np.squeeze, np.stack, np.std, np.sum, np.swapaxes, np.take, np.take_along_axis,
    np.tensordot, np.tile, np.trace, np.transpose, np.tril, np.triu, np.vdot, np.vecdot, np.var,
    np.where, np.zeros_like,
}  # fmt: skip


# -- what an expression stands for ---------------------------------------------------------------


class Array:
    """A value that a reader supplies: nothing is known of it but shape and dtype."""

    def __init__(self, reads: frozenset[str] = frozenset()) -> None:
        self.reads = reads  # the rule's parameters that it may be made of


class Meta:
    """Metadata: a Python value of which nothing needs to be known."""


class Known(NamedTuple):
    """A Python value that is known: a module, a function, a constant."""

    value: Any


class Many(NamedTuple):
    """A Python sequence of any length."""

    item: Any


class Row(NamedTuple):
    """A tuple of known length."""

    items: tuple[Any, ...]


ARRAY, META = Array(), Meta()


def holds_array(v: Any) -> bool:
    if isinstance(v, Many):
        return holds_array(v.item)
    if isinstance(v, Row):
        return any(map(holds_array, v.items))
    return isinstance(v, Array)


def item_of(v: Any) -> Any:
    if isinstance(v, Many):
        return v.item
    if isinstance(v, Row):
        return functools.reduce(join, v.items, META)
    return v if isinstance(v, Array) else META


def reads_of(v: Any) -> frozenset[str]:
    """Return the rule's parameters that a value may be made of."""
    if isinstance(v, Array):
        return v.reads
    parts = v.items if isinstance(v, Row) else (v.item,) if isinstance(v, Many) else ()
    return frozenset().union(*map(reads_of, parts))


def join(a: Any, b: Any) -> Any:
    """Return what stands for either of two values."""
    if a is b:
        return a
    if isinstance(a, Row) and isinstance(b, Row) and len(a.items) == len(b.items):
        return Row(tuple(join(x, y) for x, y in zip(a.items, b.items, strict=True)))
    if isinstance(a, (Many, Row)) or isinstance(b, (Many, Row)):
        return Many(join(item_of(a), item_of(b)))
    if isinstance(a, Known) and isinstance(b, Known) and a.value is b.value:
        return a
    return Array(reads_of(a) | reads_of(b)) if holds_array(a) or holds_array(b) else META


class Refused(AssertionError):
    """A rule says what a rule may not say."""


# -- from a function to its source ---------------------------------------------------------------


@functools.cache
def tree_of(filename: str) -> ast.Module:
    with open(filename, encoding="utf-8") as file:
        return ast.parse(file.read())


def source_of(function: types.FunctionType) -> ast.Lambda | ast.FunctionDef:
    """Return the syntax of a function, also of one lambda among several on a line.

    Its instructions carry positions: the smallest function that holds them all is the one.
    """
    code = function.__code__
    spots = [(a, c, b, d) for a, b, c, d in code.co_positions() if None not in (a, b, c, d)]
    spots = [(a, c, b, d) for a, c, b, d in spots if (c, d) != (0, 0) and (a, c) < (b, d)]
    first, last = min(s[:2] for s in spots), max(s[2:] for s in spots)
    best: Any = None
    for node in ast.walk(tree_of(code.co_filename)):
        if not isinstance(node, ast.Lambda | ast.FunctionDef):
            continue
        if isinstance(node, ast.Lambda) != (code.co_name == "<lambda>"):
            continue
        if isinstance(node, ast.FunctionDef) and node.name != code.co_name:
            continue
        if tuple(parameters(node)[0]) != code.co_varnames[: code.co_argcount]:
            continue
        start, end = (node.lineno, node.col_offset), (node.end_lineno, node.end_col_offset)
        if start <= first and last <= end:  # type: ignore[operator]
            if best is None or start >= (best.lineno, best.col_offset):
                best = node
    if best is None:
        raise LookupError(f"no source of {function}")
    return best


def parameters(node: ast.Lambda | ast.FunctionDef) -> tuple[list[str], str | None, set[str]]:
    """Return positional names, the name behind ``*``, and the keyword names."""
    a = node.args
    positional = [p.arg for p in a.posonlyargs + a.args]
    return positional, a.vararg and a.vararg.arg, {p.arg for p in a.kwonlyargs}


# -- reading a function --------------------------------------------------------------------------


class Reader:
    """Follow one function from its parameters to what it returns."""

    def __init__(self, function: types.FunctionType, given: dict[str, Any]) -> None:
        self.function, self.env = function, dict(given)
        self.node = source_of(function)
        self.returned: Any = None
        self.used: set[str] = set()

    def refuse(self, node: ast.AST, why: str) -> Any:
        line = getattr(node, "lineno", "?")
        text = ast.unparse(node).splitlines()[0]
        where = f"{self.function.__module__}.{self.function.__qualname__}, line {line}"
        raise Refused(f"[{where}] got {text!r}: {why}")

    def run(self) -> Any:
        if isinstance(self.node, ast.Lambda):
            return self.value(self.node.body)
        self.block(self.node.body)
        return META if self.returned is None else self.returned

    # -- statements ------------------------------------------------------------------------------

    def block(self, body: list[ast.stmt]) -> None:
        for statement in body:
            self.statement(statement)

    def statement(self, s: ast.stmt) -> None:
        if isinstance(s, ast.Return):
            value = META if s.value is None else self.value(s.value)
            self.returned = value if self.returned is None else join(self.returned, value)
        elif isinstance(s, ast.Assign):
            value = self.value(s.value)
            for target in s.targets:
                self.assign(target, value)
        elif isinstance(s, ast.AnnAssign) and s.value is not None:
            self.assign(s.target, self.value(s.value))
        elif isinstance(s, ast.AugAssign):
            if not isinstance(s.target, ast.Name):
                self.refuse(s, "an assignment to an item or attribute")
            value = self.value(ast.Name(s.target.id, ast.Load()))
            if holds_array(value) or holds_array(self.value(s.value)):
                self.refuse(s, "an augmented assignment writes into the array")
        elif isinstance(s, ast.If | ast.While):
            self.fact(s.test, "a branch on a value")
            for _ in range(2 if isinstance(s, ast.While) else 1):
                before = dict(self.env)
                self.block(s.body)
                after, self.env = self.env, before
                self.block(s.orelse)
                both = {k: join(after[k], self.env[k]) for k in after.keys() & self.env.keys()}
                self.env = after | self.env | both
        elif isinstance(s, ast.For):
            items = self.items(s.iter)
            for _ in range(2):  # twice, so that what the first round made is seen by the second
                self.assign(s.target, items)
                self.block(s.body)
            self.block(s.orelse)
        elif isinstance(s, ast.Expr):
            self.value(s.value)
        elif isinstance(s, ast.Raise):
            return
        elif not isinstance(s, ast.Pass | ast.Break | ast.Continue):
            self.refuse(s, "a statement that no rule needs")

    def assign(self, target: ast.expr, value: Any) -> None:
        if isinstance(target, ast.Name):
            self.env[target.id] = value
        elif isinstance(target, ast.Tuple | ast.List):
            if isinstance(value, Array):
                self.refuse(target, "the elements of an array, one by one")
            parts = value.items if isinstance(value, Row) else None
            for i, inner in enumerate(target.elts):
                if isinstance(inner, ast.Starred):
                    self.assign(inner.value, Many(item_of(value)))
                else:
                    exact = parts is not None and len(parts) == len(target.elts)
                    self.assign(inner, parts[i] if exact else item_of(value))  # type: ignore[index]
        else:
            self.refuse(target, "an assignment to an item or attribute")

    def fact(self, test: ast.expr, why: str) -> None:
        """Read a condition, which must be about metadata."""
        value = self.value(test)
        if isinstance(value, Array):
            self.refuse(test, why)

    # -- expressions -----------------------------------------------------------------------------

    def name(self, node: ast.Name) -> Any:
        if node.id in self.env:
            value = self.env[node.id]
            if isinstance(value, Array):
                self.used |= value.reads
            return value
        function = self.function
        free = dict(zip(function.__code__.co_freevars, function.__closure__ or (), strict=True))
        if node.id in free:
            return self.known(node, free[node.id].cell_contents)
        if node.id in function.__globals__:
            return self.known(node, function.__globals__[node.id])
        if hasattr(builtins, node.id):
            return Known(getattr(builtins, node.id))
        return self.refuse(node, "an unknown name")

    def known(self, node: ast.AST, value: Any) -> Any:
        if isinstance(value, np.generic | np.ndarray):
            self.refuse(node, "a NumPy constant promotes; write a Python number")
        return Known(value)

    def items(self, node: ast.expr) -> Any:
        """Return what looping over an expression gives."""
        value = self.value(node)
        if isinstance(value, Array):
            self.refuse(node, "a loop over the elements of an array")
        return item_of(value)

    def value(self, node: ast.expr) -> Any:
        if isinstance(node, ast.Constant):
            return Known(node.value)
        if isinstance(node, ast.Name):
            return self.name(node)
        if isinstance(node, ast.Attribute):
            return self.attribute(node)
        if isinstance(node, ast.Call):
            return self.call(node)
        if isinstance(node, ast.BinOp):
            return self.operation(node, node.left, node.right)
        if isinstance(node, ast.UnaryOp):
            if isinstance(node.op, ast.Not):
                self.fact(node.operand, "the truth of an array")
                return META
            return self.operation(node, node.operand)
        if isinstance(node, ast.Compare):
            return self.comparison(node)
        if isinstance(node, ast.BoolOp):
            values = [self.value(v) for v in node.values]
            if any(isinstance(v, Array) for v in values):
                self.refuse(node, "the truth of an array; write & and |")
            return functools.reduce(join, values)
        if isinstance(node, ast.IfExp):
            self.fact(node.test, "a branch on a value; write np.where")
            return join(self.value(node.body), self.value(node.orelse))
        if isinstance(node, ast.Subscript):
            return self.subscript(node)
        if isinstance(node, ast.Slice):
            for part in (node.lower, node.upper, node.step):
                if part is not None and holds_array(self.value(part)):
                    self.refuse(node, "a slice bounded by values")
            return META
        if isinstance(node, ast.Tuple | ast.List | ast.Set):
            if any(isinstance(e, ast.Starred) for e in node.elts):
                parts = [self.items(e.value) if isinstance(e, ast.Starred) else self.value(e)
                         for e in node.elts]  # fmt: skip
                return Many(functools.reduce(join, parts, META))
            return Row(tuple(map(self.value, node.elts)))
        if isinstance(node, ast.ListComp | ast.SetComp | ast.GeneratorExp | ast.DictComp):
            return self.comprehension(node)
        if isinstance(node, ast.Starred):
            return Many(self.items(node.value))
        if isinstance(node, ast.JoinedStr | ast.FormattedValue | ast.Dict):
            inner = [n for n in ast.walk(node) if isinstance(n, ast.Name)]
            if any(holds_array(self.value(n)) for n in inner):
                self.refuse(node, "arrays in what is not an array")
            return META
        return self.refuse(node, "an expression that no rule needs")

    def operation(self, node: ast.expr, *operands: ast.expr) -> Any:
        values = [self.value(v) for v in operands]
        if any(isinstance(v, Array) for v in values):
            return ARRAY
        if any(map(holds_array, values)):  # a sequence joined or repeated
            return Many(functools.reduce(join, map(item_of, values)))
        return META

    def comparison(self, node: ast.Compare) -> Any:
        values = [self.value(v) for v in (node.left, *node.comparators)]
        if all(isinstance(op, ast.Is | ast.IsNot) for op in node.ops):
            return META
        if not any(map(holds_array, values)):
            return META
        if any(isinstance(op, ast.In | ast.NotIn) for op in node.ops):
            self.refuse(node, "a search among values")
        if len(node.ops) > 1:
            self.refuse(node, "a chain of comparisons asks for the truth of the first; write &")
        return ARRAY

    def subscript(self, node: ast.Subscript) -> Any:
        value, index = self.value(node.value), self.value(node.slice)
        if isinstance(value, Array):
            return ARRAY
        if holds_array(index):
            self.refuse(node, "a sequence indexed by a value")
        if isinstance(value, Row) and isinstance(index, Known) and isinstance(index.value, int):
            return value.items[index.value]
        if isinstance(node.slice, ast.Slice):
            return Many(item_of(value)) if holds_array(value) else META
        return item_of(value)

    def comprehension(self, node: Any) -> Any:
        before = dict(self.env)
        for part in node.generators:
            self.assign(part.target, self.items(part.iter))
            for test in part.ifs:
                self.fact(test, "a choice by values")
        parts = [node.key, node.value] if isinstance(node, ast.DictComp) else [node.elt]
        values = [self.value(p) for p in parts]
        self.env = before
        return Many(functools.reduce(join, values))

    def attribute(self, node: ast.Attribute) -> Any:
        base = self.base(node)
        if isinstance(base, Array):
            if node.attr in FACTS:
                return META
            if node.attr in VIEWS:
                return ARRAY
            return self.refuse(node, f"expected {', '.join(sorted(FACTS | VIEWS | METHODS))}")
        if isinstance(base, Known) and isinstance(base.value, types.ModuleType):
            thing = getattr(base.value, node.attr)
            if base.value is np and isinstance(thing, float | np.generic):
                self.refuse(node, "a NumPy constant; write a Python number or math")
            return self.known(node, thing)
        if isinstance(base, Known) and isinstance(base.value, np.ufunc):
            if node.attr not in ("reduce", "__name__"):
                self.refuse(node, "of a ufunc's methods only reduce")
            return Known(getattr(base.value, node.attr))
        return META

    def base(self, node: ast.Attribute) -> Any:
        """Read what an attribute is taken of; shape and dtype alone do not use the array."""
        if isinstance(node.value, ast.Name) and node.attr in FACTS:
            used = set(self.used)
            value = self.value(node.value)
            self.used = used
            return value
        return self.value(node.value)

    # -- calls -----------------------------------------------------------------------------------

    def call(self, node: ast.Call) -> Any:
        if isinstance(node.func, ast.Attribute):
            base = self.base(node.func)
            if isinstance(base, Known) and isinstance(base.value, str | tuple | list | dict | set):
                base = META
            if not isinstance(base, Known):
                return self.method(node, base, node.func.attr)
        callee = self.value(node.func)
        args, keywords = self.arguments(node)
        if not isinstance(callee, Known):
            self.refuse(node, "a call of something unknown")
        f, flowing = callee.value, holds_array(Row((*args, *keywords.values())))
        if isinstance(f, type) and issubclass(f, np.generic):
            self.refuse(node, "a NumPy constant promotes; write a Python number")
        if f in (np.array, np.asarray, np.asanyarray, np.ascontiguousarray):
            self.refuse(node, "a plain array shuts out every other reader")
        if f in (getattr, setattr, eval, exec, globals, vars, print):
            self.refuse(node, "not part of a rule's language")
        if f in CREATORS:
            if "dtype" not in keywords:
                self.refuse(node, "float64 unless told dtype=, which promotes")
            return ARRAY
        if isinstance(f, np.ufunc) or isinstance(getattr(f, "__self__", None), np.ufunc):
            if "out" in keywords or "where" in keywords:
                self.refuse(node, "out= and where= write into an array")
            return ARRAY if flowing else META
        if f in (zip, enumerate, reversed, list, tuple, sorted, range, len) or f is set:
            return self.sequence(node, f, args)
        if f in OPERATORS:
            return ARRAY if flowing else META
        if hasattr(f, "primitive"):
            if any(map(holds_array, keywords.values())):
                self.refuse(node, "arrays are positional, metadata is keyword")
            return Many(ARRAY) if f.primitive.joint is None and f.primitive.arity == 0 else ARRAY
        if self.is_kernel(f):
            if flowing:
                self.refuse(node, "a kernel is not differentiable: call a primitive")
            return META
        if f in ABOUT_METADATA:
            return META
        if f in DISPATCHING or f in NUMPY.values():
            if "out" in keywords:
                self.refuse(node, "out= writes into an array")
            return ARRAY if flowing else META
        if isinstance(f, types.FunctionType) and self.is_ours(f):
            return self.helper(node, f, args, keywords)
        if flowing:
            self.refuse(node, "a call that does not dispatch")
        return META

    @staticmethod
    def is_kernel(f: Any) -> bool:
        return getattr(f, "__code__", None) is kernel(len).__code__

    def is_ours(self, f: types.FunctionType) -> bool:
        ours = ("autograd_core", "nn", "optim", self.function.__module__.partition(".")[0])
        return f.__module__.partition(".")[0] in ours

    def arguments(self, node: ast.Call) -> tuple[list[Any], dict[str, Any]]:
        args = []
        for a in node.args:
            value = self.value(a)
            args.append(value)
        keywords = {k.arg or "**": self.value(k.value) for k in node.keywords}
        return args, keywords

    def method(self, node: ast.Call, base: Any, name: str) -> Any:
        args, _ = self.arguments(node)
        if isinstance(base, Array):
            if name not in METHODS:
                self.refuse(node, f"expected {', '.join(sorted(METHODS))}, or a function of NumPy")
            return ARRAY
        if name == "call":  # a primitive, which metadata name
            return ARRAY
        if holds_array(base) or holds_array(Row(tuple(args))):
            if name not in ("append", "extend", "pop", "index", "union", "add", "insert"):
                self.refuse(node, "a method that no rule needs")
            if isinstance(node.func, ast.Attribute) and isinstance(node.func.value, ast.Name):
                items = [item_of(a) if name in ("extend", "union") else a for a in args]
                grown = functools.reduce(join, items, item_of(base))
                if isinstance(base, Row) and not base.items and items:
                    grown = functools.reduce(join, items)
                self.env[node.func.value.id] = Many(grown)
            return item_of(base) if name == "pop" else META
        return META

    def sequence(self, node: ast.Call, f: Any, args: list[Any]) -> Any:
        if any(isinstance(a, Array) for a in args):
            self.refuse(node, f"{f.__name__}() of an array")
        if f is len:
            return META
        if f is zip:
            return Many(Row(tuple(map(item_of, args))))
        if f is enumerate:
            return Many(Row((META, item_of(args[0]))))
        if f in (list, tuple, reversed) and args and holds_array(args[0]):
            keeps = isinstance(args[0], Row) and f is not reversed
            return args[0] if keeps else Many(item_of(args[0]))
        return Many(META)

    def helper(self, node: ast.Call, f: Any, args: list[Any], keywords: Any) -> Any:
        """Read a function that a rule calls, for the arguments that it is given."""
        positional, star, named = parameters(source_of(f))
        given: dict[str, Any] = {}
        expanded = [a for a in args if not isinstance(a, Many)]
        if len(expanded) < len(args) and any(isinstance(a, ast.Starred) for a in node.args):
            rest = functools.reduce(join, map(item_of, args))
            given = dict.fromkeys(positional, rest)
        else:
            given = dict(zip(positional, args, strict=False))
        if star:
            extra = args[len(positional) :]
            given[star] = Many(functools.reduce(join, map(item_of, extra), META))
        for k, v in keywords.items():
            given[k] = v
        for p in {*positional, *named}:
            given.setdefault(p, META)
        if node_args := source_of(f).args.kwarg:
            given.setdefault(node_args.arg, META)
        value, used = read(f, given)
        self.used |= used
        return value


READING: set[Any] = set()


def read(function: types.FunctionType, given: dict[str, Any]) -> tuple[Any, set[str]]:
    """Read a function; return what it returns, and which of a rule's parameters it used."""
    key = function.__code__, tuple(sorted((k, holds_array(v)) for k, v in given.items()))
    if key in READING:  # recursion: nothing new
        return ARRAY, set()
    READING.add(key)
    try:
        reader = Reader(function, given)
        return reader.run(), reader.used
    finally:
        READING.discard(key)


# -- checking a rule -----------------------------------------------------------------------------


def check(
    rule: Any, arity: int | None, saves: frozenset[str] | None = None, joint: bool = False
) -> None:
    """Refuse a rule ``rule(g, y, *inputs, **params)`` that says what it may not say."""
    assert isinstance(rule, types.FunctionType), f"{rule} is not a function with a source"
    node = source_of(rule)
    positional, star, named = parameters(node)
    where = f"[{rule.__module__}.{rule.__qualname__}, line {node.lineno}]"
    if any(not isinstance(d, ast.Constant) or d.value is not None for d in node.args.defaults):
        raise Refused(f"{where} got a positional default: metadata is keyword")
    least = len(positional) - len(node.args.defaults)
    most = len(positional) if star is None else math.inf
    if arity is not None and not least <= arity + 2 <= most:
        raise Refused(f"{where} got {least} positional parameters, expected g, y and {arity}")
    given: dict[str, Any] = {p: Array(frozenset((p,))) for p in positional}
    if joint:  # the tangents of all inputs
        given[positional[0]] = Many(given[positional[0]])
    if star:
        given[star] = Many(Array(frozenset((star,))))
    for name in named:
        given[name] = META
    if node.args.kwarg:
        given[node.args.kwarg.arg] = META
    value, used = read(rule, given)
    if isinstance(value, Meta | Known) and not (isinstance(value, Known) and value.value is None):
        raise Refused(f"{where} got a result that is not computed from what flows")
    for idle in sorted((saves or frozenset()) - used):
        raise Refused(f"{where} got {idle!r} declared as saved, and not used")


def unwrapped(rule: Any) -> Iterator[types.FunctionType]:
    """Return a rule, and those that it closes over (as a declarer's own rules do)."""
    yield rule
    for cell in rule.__closure__ or ():
        if isinstance(cell.cell_contents, types.FunctionType) and not hasattr(
            cell.cell_contents, "primitive"
        ):
            yield cell.cell_contents


def rules_of(prim: Any) -> Iterator[tuple[str, Any, frozenset[str] | None]]:
    """Return each rule of a primitive, what it is, and what is declared as saved for it."""
    for i, rule in enumerate(prim.rules or ([prim.joint] if prim.joint else [])):
        if rule is None:
            continue
        needs = prim.needs[i]
        names = rule.__code__.co_varnames[: rule.__code__.co_argcount]
        declared = None
        if EVERYTHING not in needs and not rule.__closure__:
            declared = frozenset(names[1] if n == OUTPUT else names[n + 2] for n in needs)
        yield f"reverse {i}", rule, declared
    push = prim.push
    if isinstance(push, functools.partial) and push.args:
        for i, rule in enumerate(push.args[0]):
            if rule is not None:
                yield f"forward {i}", rule, None
    for cell in getattr(push, "__closure__", None) or ():
        yield "forward, joint", cell.cell_contents, None


RULES = [
    (
        f"{name.removeprefix('autograd_core.')} {what}{'' if inner is rule else ', inside'}",
        prim,
        inner,
        saves if inner is rule else None,
    )
    for prim, name in primitives().items()
    for what, rule, saves in rules_of(prim)
    for inner in unwrapped(rule)
]


every_rule = pytest.mark.parametrize(
    ("what", "prim", "rule", "saves"), RULES, ids=[r[0] for r in RULES]
)


@every_rule
def test_every_rule(what: str, prim: Any, rule: Any, saves: Any) -> None:
    check(rule, prim.arity, saves, joint="joint" in what)


@every_rule
def test_every_rule_takes_the_metadata(what: str, prim: Any, rule: Any, saves: Any) -> None:
    """What a call may say by keyword reaches each rule by keyword."""
    fun = getattr(prim.fun, "__wrapped__", prim.fun)
    written = isinstance(fun, types.FunctionType) and not fun.__module__.startswith("numpy")
    if "inside" in what or not written:
        return
    positional, _, named = parameters(source_of(fun))
    metadata = named | set(positional if prim.arity is None else positional[prim.arity :])
    if getattr(prim.fun, "takes_out", False):
        metadata.discard("out")  # memory for the result, which no call of the operation gives
    node = source_of(rule)
    taken = parameters(node)[2]
    assert node.args.kwarg or metadata <= taken, f"{metadata - taken} can be given to {prim.name}"


# Modules with primitives of their own, for what a caller hands over: no rows of the table.
PASSING = {"autograd_core.checkpoint", "autograd_core.compile.results", "autograd_core.transforms"}


def test_rules_are_found() -> None:
    """No primitive is without rules, and none of its rules is overlooked."""
    assert {id(r[1]) for r in RULES} == {id(p) for p in primitives()}
    assert len(RULES) > 150
    assert len({r[2].__code__ for r in RULES}) > 100
    for module in modules("autograd_core", "nn", "optim"):
        for name, value in vars(module).items():
            if isinstance(value, types.FunctionType) and hasattr(value, "primitive"):
                if hasattr(value, "definition"):
                    continue
                assert value.primitive in primitives(scipy=True) or module.__name__ in PASSING, name


@pytest.mark.parametrize("function", sorted(DISPATCHING, key=str), ids=lambda f: f.__name__)
def test_the_vocabulary_dispatches(function: Any) -> None:
    """What rules are allowed to call asks the arrays that it is given."""
    if isinstance(function, np.ufunc):
        return

    class Duck:
        shape, ndim = (2, 2), 2
        asked = False

        def __array_function__(self, func: Any, types: Any, args: Any, kwargs: Any) -> Any:
            Duck.asked = True
            return self

    duck = Duck()
    forms: list[Callable[[], Any]] = [
        lambda: function(duck), lambda: function(duck, 1), lambda: function(duck, 1, 1),
        lambda: function([duck]), lambda: function("ij->ji", duck), lambda: function(1, duck, duck),
    ]  # fmt: skip
    for form in forms:
        try:
            form()
        except (TypeError, ValueError):
            continue
        if Duck.asked:
            return
    pytest.fail(f"{function.__name__} does not ask")


def test_each_lambda_of_a_line_is_told_apart() -> None:
    one, two = (lambda a: a + 1), (lambda a: a - 1)  # fmt: skip
    nested = lambda a: (lambda b: b * a)  # fmt: skip
    assert ast.unparse(source_of(one)) == "lambda a: a + 1"
    assert ast.unparse(source_of(two)) == "lambda a: a - 1"
    assert ast.unparse(source_of(nested(1))) == "lambda b: b * a"
    assert ast.unparse(source_of(nested)) == "lambda a: lambda b: b * a"
    first, second = elementwise.multiply.primitive.rules
    assert ast.unparse(source_of(first)).endswith("g * b")
    assert ast.unparse(source_of(second)).endswith("g * a")


# -- the lint can fail ---------------------------------------------------------------------------

F = np.float64(2.0)
TABLE = np.ones(3)


def _peeks(v: Any) -> Any:
    return v.data


def _branches(v: Any) -> Any:
    return v if v.sum() else -v


def _chooses(v: Any, flag: Any) -> Any:
    return v if flag else -v


def _mutates(g: Any, y: Any, x: Any) -> Any:
    g *= x
    return g


def _writes(g: Any, y: Any, x: Any) -> Any:
    out = g * x
    out[0] = 0
    return out


def _writes_twice(g: Any, y: Any, x: Any) -> Any:
    out = g * x
    out[0] += 1
    return out


def _if(g: Any, y: Any, x: Any) -> Any:
    if np.sum(x) > 0:
        return g
    return -g


def _while(g: Any, y: Any, x: Any) -> Any:
    while g.ndim and x[0] > 0:
        g = g - x
    return g


def _loops(g: Any, y: Any, x: Any) -> Any:
    total = 0
    for row in x:
        total = total + row
    return g * total


def _unpacks(g: Any, y: Any, x: Any) -> Any:
    a, b = x
    return g * a * b


def _asserts(g: Any, y: Any, x: Any) -> Any:
    assert x.ndim
    return g


def _with(g: Any, y: Any, x: Any) -> Any:
    with np.errstate(all="ignore"):
        return g / x


def _adds_at(g: Any, y: Any, x: Any) -> Any:
    out = np.zeros(x.shape, dtype=g.dtype)
    np.add.at(out, 0, g)
    return out


def _sets_attribute(g: Any, y: Any, x: Any) -> Any:
    x.shape = g.shape
    return g


def _hidden(g: Any, y: Any, x: Any) -> Any:
    pieces = []
    for part in (g, x):
        pieces.append(part)
    return pieces[0].item()


@kernel
def _opaque(x: Any) -> Any:
    return x


BAD: dict[str, tuple[Any, str]] = {
    "data": (lambda g, y, x: g * x.data, "data"),
    "dot": (lambda g, y, x: x.dot(g), "dot"),
    "item": (lambda g, y, x: g * x.item(), "item"),
    "sum method": (lambda g, y, x: g * x.sum(), "sum"),
    "flags": (lambda g, y, x: g * x.flags, "flags"),
    "asarray": (lambda g, y, x: g * np.asarray(x), "plain array"),
    "array": (lambda g, y, x: g * np.array([1.0, 2.0]), "plain array"),
    "add.at": (_adds_at, "only reduce"),
    "maximum.at": (lambda g, y, x: np.maximum.at(g, 0, x), "only reduce"),
    "accumulate": (lambda g, y, x: np.add.accumulate(g), "only reduce"),
    "float": (lambda g, y, x: g * float(x), "dispatch"),
    "int": (lambda g, y, x: g * int(x), "dispatch"),
    "bool": (lambda g, y, x: g * bool(x), "dispatch"),
    "float of a part": (lambda g, y, x: g * float(x[0] + 1), "dispatch"),
    "isinstance": (lambda g, y, x: g if isinstance(x, np.ndarray) else -g, "dispatch"),
    "type": (lambda g, y, x: g if type(x) is float else -g, "dispatch"),
    "hasattr": (lambda g, y, x: g if hasattr(x, "data") else -g, "dispatch"),
    "getattr": (lambda g, y, x: g * getattr(x, "da" + "ta"), "language"),
    "ternary": (lambda g, y, x: g if x > 0 else 0 * g, "np.where"),
    "ternary of any": (lambda g, y, x: g if np.any(x) else -g, "np.where"),
    "and": (lambda g, y, x: g and x, "&"),
    "or": (lambda g, y, x: g * (x > 0 or y > 0), "&"),
    "not": (lambda g, y, x: g * (not x), "truth"),
    "chain": (lambda g, y, x: g * (0 < x < 1), "chain"),
    "in": (lambda g, y, x: g * (0 in x), "search"),
    "len": (lambda g, y, x: g / len(x), "len"),
    "list": (lambda g, y, x: list(g), "list"),
    "max of builtins": (lambda g, y, x: max(g, x), "dispatch"),
    "sum of builtins": (lambda g, y, x: sum(g), "dispatch"),
    "math": (lambda g, y, x: g * math.tanh(x), "dispatch"),
    "operator": (lambda g, y, x: operator.imul(g, x), "dispatch"),
    "float64": (lambda g, y, x: g * np.float64(2.0), "NumPy constant"),
    "float32": (lambda g, y, x: g * np.float32(2.0), "NumPy constant"),
    "pi": (lambda g, y, x: g * np.pi, "NumPy constant"),
    "global float64": (lambda g, y, x: g * F, "NumPy constant"),
    "global array": (lambda g, y, x: g * TABLE, "NumPy constant"),
    "zeros of float64": (lambda g, y, x: g + np.zeros(x.shape), "dtype"),
    "eye of float64": (lambda g, y, x: g @ np.eye(x.shape[0]), "dtype"),
    "out": (lambda g, y, x: np.multiply(g, x, out=g), "out="),
    "where": (lambda g, y, x: np.multiply(g, x, where=x > 0), "out="),
    "out of a function": (lambda g, y, x: np.sum(g, axis=0, out=x), "out="),
    "copyto": (lambda g, y, x: np.copyto(g, x), "dispatch"),
    "unknown function": (lambda g, y, x: np.interp(x, g, y), "dispatch"),
    "unwrap": (lambda g, y, x: g * np.unwrap(x), "dispatch"),
    "kernel": (lambda g, y, x: g * _opaque(x), "kernel"),
    "helper": (lambda g, y, x: g * _peeks(x), "data"),
    "helper that branches": (lambda g, y, x: _branches(g * x), "sum"),
    "helper's flag": (lambda g, y, x: _chooses(g, x > 0), "np.where"),
    "helper's keyword": (lambda g, y, x: _chooses(g, flag=x > 0), "np.where"),
    "array as keyword": (lambda g, y, x: indexing.scatter(g, index=x, shape=(3,)), "positional"),
    "comprehension": (lambda g, y, x: np.stack([g * row for row in x]), "loop"),
    "choice": (lambda g, y, x: [v for v in (g, x) if v > 0], "choice"),
    "slice": (lambda g, y, x: g[: x[0]], "slice"),
    "sequence by value": (lambda g, y, x: (g, y)[x], "indexed"),
    "nested lambda": (lambda g, y, x: (lambda v: v)(g), "expression"),
    "walrus": (lambda g, y, x: (v := g) * v, "expression"),
    "f-string": (lambda g, y, x: f"{g}", "not an array"),
    "augmented": (_mutates, "augmented"),
    "item assignment": (_writes, "item"),
    "augmented item": (_writes_twice, "item"),
    "if": (_if, "branch"),
    "while": (_while, "&"),
    "loop": (_loops, "loop"),
    "unpacking": (_unpacks, "one by one"),
    "assert": (_asserts, "statement"),
    "with": (_with, "statement"),
    "attribute": (_sets_attribute, "attribute"),
    "hidden in a list": (_hidden, "item"),
    "constant": (lambda g, y, x: 1.0, "flows"),
    "shape": (lambda g, y, x: x.shape, "flows"),
    "positional metadata": (lambda g, y, x, axis=0: g, "default"),
    "one input too many": (lambda g, y, x, z: g, "positional parameters"),
}


def _sums(g: Any, y: Any, x: Any, *, axis: Any = None, keepdims: Any = False) -> Any:
    if axis is not None and not keepdims and x.ndim > 1:
        axes = axis if isinstance(axis, tuple) else (axis,)
        g = np.reshape(g, tuple(1 if i in axes else n for i, n in enumerate(x.shape)))
    return g + np.zeros(x.shape, dtype=g.dtype)


def _halves(g: Any, y: Any, x: Any) -> Any:
    """Doubled, and halved."""
    n = 0
    while n < x.ndim:
        n += 1
    return _chooses(g * 2, flag=x.ndim > 1) / 2


GOOD: dict[str, Any] = {
    "product": lambda g, y, x: g * x,
    "power": lambda g, y, x: 2 * g * abs(x) ** 3,
    "matrices": lambda g, y, x: (g @ x.T).mT,
    "mask": lambda g, y, x: g * ((x > 0) & ~(y == 0) | (x <= -1)),
    "choice": lambda g, y, x: np.where(x > 0, g, -g),
    "reduce": lambda g, y, x: g - np.add.reduce(g * y, axis=-1, keepdims=True),
    "cast": lambda g, y, x: (g * x).astype(x.dtype),
    "metadata": lambda g, y, x: g / x.shape[-1] if x.ndim else g,
    "index": lambda g, y, x: g[x > 0],
    "primitive": lambda g, y, x: g * elementwise.sigmoid(x),
    "primitive with metadata": lambda g, y, x: indexing.scatter(g, index=(0,), shape=x.shape),
    "numbers": lambda g, y, x: g * math.log(2.0) * math.pi,
    "integer facts": lambda g, y, x: g / math.prod(x.shape) * int(x.ndim),
    "pieces": lambda g, y, x: np.concatenate([g[i : i + 1] for i in range(x.ndim)]),
    "reshape": lambda g, y, x: g.reshape((-1, x.shape[-1])) + np.reshape(g, x.shape),
    "eye": lambda g, y, x: g @ np.eye(x.shape[0], dtype=g.dtype),
    "none": lambda g, y, x: None if x is None else g,
    "sum": _sums,
    "helper": _halves,
    "composite": lambda g, y, x: g * ag.logsumexp(x, axis=0),
}


@pytest.mark.parametrize("name", BAD)
def test_refuses(name: str) -> None:
    rule, word = BAD[name]
    with pytest.raises(Refused) as error:
        check(rule, 1)
    assert word in str(error.value).partition("': ")[2] or word in str(error.value)


@pytest.mark.parametrize("name", GOOD)
def test_accepts(name: str) -> None:
    check(GOOD[name], 1)


@pytest.mark.parametrize(
    ("rule", "saves", "idle"),
    [
        (lambda g, y, x: g * y, "x y", "x"),
        (lambda g, y, x: np.reshape(g, x.shape), "x", "x"),
        (lambda g, y, x: g + 0 * _chooses(g, x.ndim), "x", "x"),
        (lambda g, y, x: g * x, "y x", "y"),
    ],
)
def test_refuses_what_is_saved_for_nothing(rule: Any, saves: str, idle: str) -> None:
    check(rule, 1, frozenset(saves.split()) - {idle})
    with pytest.raises(Refused, match=f"'{idle}' declared as saved"):
        check(rule, 1, frozenset(saves.split()))
