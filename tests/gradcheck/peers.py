"""Other libraries' gradient checkers, each made to check a pair of NumPy functions.

A pair is wrapped as that library's user would wrap it, and checked with the library's defaults. A
checker returns if it is content and raises if it is not. Importing this file imports none of them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from importlib import import_module
from importlib.metadata import version
from typing import Any

import numpy as np

__all__ = ["Check", "Pair", "peers"]


@dataclass(frozen=True)
class Pair:
    """A function of arrays and its backward, at some inputs; only floating inputs have gradients."""

    f: Callable[..., Any]
    vjp: Callable[..., Any]
    inputs: tuple[Any, ...]

    @property
    def floating(self) -> list[int]:
        return [i for i, x in enumerate(self.inputs) if np.asarray(x).dtype.kind == "f"]

    @property
    def chosen(self) -> list[Any]:
        """The floating inputs, as contiguous arrays of their own."""
        return [np.array(self.inputs[i], order="C") for i in self.floating]

    def full(self, chosen: Sequence[Any]) -> list[Any]:
        """Return all inputs, the floating ones replaced."""
        out = list(self.inputs)
        for i, x in zip(self.floating, chosen, strict=True):
            out[i] = x
        return out

    def value(self, chosen: Sequence[Any]) -> Any:
        return np.array(self.f(*self.full(chosen)))

    def gradients(self, g: Any, chosen: Sequence[Any]) -> list[Any]:
        """Return what the backward gives for each floating input, None included."""
        found = self.vjp(g, *self.full(chosen))
        each = found if isinstance(found, tuple) else (found,)
        return [None if each[i] is None else np.array(each[i]) for i in self.floating]


Check = Callable[[Pair], None]


def peers() -> Iterator[tuple[str, Check | None, str]]:
    """Give (name, checker, what it is), or (name, None, why not)."""
    makers: list[tuple[str, Callable[[], tuple[Check, str]]]] = [
        ("torch, slow", lambda: _torch(fast=False)),
        ("torch, fast", lambda: _torch(fast=True)),
        ("jax", _jax),
        ("autograd", _autograd),
    ]
    for name, make in makers:
        try:
            check, about = make()
        except ImportError as error:
            yield name, None, f"not installed ({error})"
            continue
        yield name, check, about


def _torch(fast: bool) -> tuple[Check, str]:
    torch: Any = import_module("torch")
    torch.set_num_threads(1)

    def tensor(a: Any) -> Any:
        # Of strides that PyTorch itself would give: NumPy's are 0 where an array is empty.
        return torch.tensor(a).clone(memory_format=torch.contiguous_format)

    def check(pair: Pair) -> None:
        class Wrapped(torch.autograd.Function):  # type: ignore[misc]
            @staticmethod
            def forward(ctx: Any, *xs: Any) -> Any:
                ctx.save_for_backward(*xs)
                return tensor(pair.value([x.detach().numpy() for x in xs]))

            @staticmethod
            def backward(ctx: Any, g: Any) -> Any:
                arrays = [x.detach().numpy() for x in ctx.saved_tensors]
                found = pair.gradients(g.numpy(), arrays)
                return tuple(None if d is None else tensor(d) for d in found)

        torch.manual_seed(0)
        xs = tuple(tensor(x).requires_grad_() for x in pair.chosen)
        torch.autograd.gradcheck(Wrapped.apply, xs, fast_mode=fast)

    return check, f"torch.autograd.gradcheck {torch.__version__}, fast_mode={fast}"


def _jax() -> tuple[Check, str]:
    jax: Any = import_module("jax")
    check_grads: Any = import_module("jax.test_util").check_grads

    def check(pair: Pair) -> None:
        @jax.custom_vjp  # type: ignore[untyped-decorator]
        def wrapped(*xs: Any) -> Any:
            return jax.numpy.asarray(pair.value([np.asarray(x) for x in xs]))

        def forward(*xs: Any) -> Any:
            return wrapped(*xs), xs

        def backward(xs: Any, g: Any) -> Any:
            found = pair.gradients(np.asarray(g), [np.asarray(x) for x in xs])
            return tuple(None if d is None else jax.numpy.asarray(d) for d in found)

        wrapped.defvjp(forward, backward)
        # It has no default order, and a backward in NumPy has no derivative of its own.
        check_grads(wrapped, tuple(map(jax.numpy.asarray, pair.chosen)), order=1, modes=["rev"])

    def in_float64(pair: Pair) -> None:
        before = jax.config.jax_enable_x64
        jax.config.update("jax_enable_x64", True)
        try:
            check(pair)
        finally:
            jax.config.update("jax_enable_x64", before)

    return in_float64, f"jax.test_util.check_grads {jax.__version__}, order=1"


def _autograd() -> tuple[Check, str]:
    extend: Any = import_module("autograd.extend")
    check_grads: Any = import_module("autograd.test_util").check_grads

    def check(pair: Pair) -> None:
        wrapped = extend.primitive(lambda *xs: pair.value(xs))

        def pull(argnums: Any, y: Any, xs: Any, settings: Any) -> Any:
            def vjp(g: Any) -> Any:
                found = pair.gradients(g, xs)
                return tuple(np.zeros_like(xs[i]) if found[i] is None else found[i] for i in argnums)

            return vjp

        extend.defvjp_argnums(wrapped, pull)
        np.random.seed(0)  # noqa: NPY002 (its directions come from there)
        xs = pair.chosen
        # The default is order=2; a backward in NumPy has no derivative of its own.
        check_grads(wrapped, tuple(range(len(xs))), modes=["rev"], order=1)(*xs)

    return check, f"autograd.test_util.check_grads {version('autograd')}, order=1"
