"""One of PyTorch's sample calls, made on both sides: values, gradients, gradients of gradients."""

from __future__ import annotations

import warnings
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache, partial
from typing import Any, NamedTuple

import numpy as np

import autograd_core as ag

from .opinfo import Entry

CAP = 200  # samples of one variant; a few operations have several hundred, all of one kind
LARGEST = 100_000  # elements of one sample
RTOL = 1e-12  # of the largest number of the array, or of 1


class Except(NamedTuple):
    """Samples on which PyTorch and this library differ; why; and in what, by words of the failure.

    ``order`` 2: in the second only.
    """

    reason: str
    says: str
    when: Callable[[Any], bool] = lambda sample: True
    order: int = 1


@cache
def infos() -> dict[str, Any]:
    """Return PyTorch's table of operations, by name and variant; its import takes seconds."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # PyTorch's own
        from torch.testing._internal.common_methods_invocations import op_db
    return {f"{op.name}/{op.variant_test_name}".rstrip("/"): op for op in op_db}


def _numpys(keywords: dict[str, Any]) -> dict[str, Any]:
    """Replace PyTorch's dtype by NumPy's."""
    return {k: np.float64 if k == "dtype" and v is not None else v for k, v in keywords.items()}


def mapped(f: Callable[[Any], Any], tree: Any) -> Any:
    """Apply ``f`` to the tensors in nested arguments."""
    import torch

    if isinstance(tree, torch.Tensor):
        return f(tree)
    if isinstance(tree, dict):
        return {k: mapped(f, v) for k, v in tree.items()}
    if isinstance(tree, (list, tuple)):
        return (list if isinstance(tree, list) else tuple)(mapped(f, v) for v in tree)
    return tree


def parts(tree: Any, kind: Any) -> list[Any]:
    """Return what nested arguments or results hold of a kind."""
    if isinstance(tree, kind):
        return [tree]
    if isinstance(tree, dict):
        tree = list(tree.values())
    return [p for v in tree for p in parts(v, kind)] if isinstance(tree, (list, tuple)) else []


def samples(name: str) -> Iterator[tuple[int, Any]]:
    """Draw PyTorch's samples of float64, the same in each run, with their numbers."""
    import torch
    from torch.testing._internal.common_utils import set_rng_seed

    info = infos()[name]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        set_rng_seed(zlib.crc32(name.encode()) % 2**31)
        drawn = list(info.sample_inputs("cpu", torch.float64, requires_grad=True))
    served = 0
    for number, sample in enumerate(drawn):
        arguments = [sample.input, sample.args, sample.kwargs]
        tensors = parts(arguments, torch.Tensor)
        other = parts(arguments, (torch.dtype, complex))
        real = all(t.dtype in (torch.float64, torch.int64, torch.int32, torch.bool) for t in tensors)
        leaf = any(t.requires_grad for t in tensors)
        if not (real and leaf and all(o == torch.float64 for o in other)):
            continue
        if served < CAP and sum(t.numel() for t in tensors) <= LARGEST:
            served += 1
            yield number, sample


def close(got: Any, expected: Any, what: str, rtol: float) -> None:
    """Assert one dtype and shape, and agreement to ``rtol`` of the largest number."""
    dtype = getattr(got, "dtype", None)
    assert dtype == np.float64, f"{what}: {dtype}"
    assert np.shape(got) == expected.shape, f"{what}: shape {np.shape(got)} for {expected.shape}"
    finite = np.abs(expected[np.isfinite(expected)])
    atol = rtol * max(1.0, finite.max(initial=0))
    np.testing.assert_allclose(got, expected, rtol, atol, err_msg=what)


@contextmanager
def theirs_to_say() -> Iterator[None]:
    """Let PyTorch warn of its own affairs; what is called here may not."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


class Call:
    """One sample, with leaves of its own on both sides."""

    def __init__(self, name: str, entry: Entry, sample: Any) -> None:
        self.info, self.entry, self.sample = infos()[name], entry, sample
        self.theirs: dict[int, Any] = {}
        self.ours: dict[int, Any] = {}
        arguments = sample.input, sample.args, sample.kwargs
        self.torchs = mapped(self.torch_leaf, arguments)
        self.mine = mapped(self.our_leaf, arguments)
        self.rng = np.random.default_rng(len(self.theirs))

    def torch_leaf(self, t: Any) -> Any:
        if id(t) not in self.theirs:
            self.theirs[id(t)] = t.detach().clone().requires_grad_(t.requires_grad)
        return self.theirs[id(t)]

    def our_leaf(self, t: Any) -> Any:
        if id(t) not in self.ours:
            x = t.detach().numpy(force=True).copy()
            self.ours[id(t)] = ag.tensor(x, requires_grad=True) if t.requires_grad else x
        return self.ours[id(t)]

    def results(self) -> tuple[list[Any], list[Any]]:
        """Return the floating results of both sides."""
        import torch

        after = self.entry.after or (lambda tree: tree)
        x, args, kwargs = self.torchs
        op = partial(self.info.gradcheck_wrapper, self.info.op) if self.entry.wrapped else self.info.op
        with theirs_to_say():
            result = op(x, *args, **kwargs)
        theirs = [y for y in parts(after(result), torch.Tensor) if y.dtype == torch.float64]
        x, args, kwargs = self.mine
        kinds = (ag.Tensor, np.ndarray, np.generic)
        result = after(self.entry.call(x, *args, **_numpys(kwargs)))
        ours = [y for y in parts(result, kinds) if y.dtype.kind == "f"]
        assert len(ours) == len(theirs), f"{len(ours)} results for {len(theirs)}"
        return theirs, ours

    def compare(self, rtol: float, second: bool) -> None:
        import torch

        theirs, ours = self.results()
        for got, y in zip(ours, theirs, strict=True):
            close(plain(got), y.detach().numpy(force=True), "value", rtol)
        leaves = [(t, self.ours[k]) for k, t in self.theirs.items() if t.requires_grad]
        weights = [self.rng.uniform(-1, 1, y.shape) for y in theirs]
        on = [i for i, y in enumerate(theirs) if y.requires_grad]
        expected: Any = [None] * len(leaves)
        if on:
            with theirs_to_say():
                expected = torch.autograd.grad(
                    [theirs[i] for i in on], [t for t, _ in leaves],
                    [torch.tensor(weights[i]) for i in on],
                    allow_unused=True, create_graph=second)  # fmt: skip
        pull([(y, w) for y, w in zip(ours, weights, strict=True)], create_graph=second)
        grads = [x.grad for _, x in leaves]
        compare_all(leaves, grads, expected, "gradient", rtol)
        if second:
            self.compare_again(leaves, grads, expected, rtol)

    def compare_again(self, leaves: Any, grads: Any, expected: Any, rtol: float) -> None:
        """Compare the gradient of the gradients' product with a random direction."""
        import torch

        weights = [self.rng.uniform(-1, 1, x.shape) for _, x in leaves]
        for _, x in leaves:
            x.grad = None
        pull([(g, w) for g, w in zip(grads, weights, strict=True) if g is not None], False)
        pairs = [(g, torch.tensor(w)) for g, w in zip(expected, weights, strict=True)
                 if g is not None and g.requires_grad]  # fmt: skip
        again: Any = [None] * len(leaves)
        if pairs:
            gs, ws = zip(*pairs, strict=True)
            with theirs_to_say():
                again = torch.autograd.grad(gs, [t for t, _ in leaves], ws, allow_unused=True)
        compare_all(leaves, [x.grad for _, x in leaves], again, "second order", rtol)


def plain(y: Any) -> Any:
    return y.detach().data if isinstance(y, ag.Tensor) else y


def pull(results: list[tuple[Any, Any]], create_graph: bool) -> None:
    """Run backward once from all results that are recorded."""
    recorded = [(y, w) for y, w in results if isinstance(y, ag.Tensor) and y.requires_grad]
    if len(recorded) == 1:
        recorded[0][0].backward(recorded[0][1], create_graph=create_graph)
    elif recorded:
        sum((np.sum(y * w) for y, w in recorded), 0.0).backward(create_graph=create_graph)


def compare_all(leaves: Any, grads: Any, expected: Any, what: str, rtol: float) -> None:
    for i, ((t, _), g, e) in enumerate(zip(leaves, grads, expected, strict=True)):
        zeros = np.zeros(tuple(t.shape))
        wanted = zeros if e is None else e.detach().numpy(force=True)
        close(zeros if g is None else plain(g), wanted, f"{what} {i}", rtol)


class Walked(NamedTuple):
    """What became of an operation's samples."""

    agree: int
    second: int  # of these, to second order too
    excepted: int
    failures: list[str]


def trial(name: str, entry: Entry, sample: Any, rtol: float, order: int) -> str:
    """Compare one sample; return what is wrong."""
    try:
        with np.errstate(all="ignore"):  # samples stand on edges of domains, where NumPy warns
            Call(name, entry, sample).compare(rtol, order == 2)
    except Exception as error:
        return f"{type(error).__name__}: {error}"
    return ""


def walk(name: str, entry: Entry, excepted: list[Except], rtol: float = RTOL, first: bool = False) -> Walked:
    """Compare all samples, each third to second order as well, unless only the ``first`` is asked."""
    agree = second = apart = 0
    failures = []
    for number, sample in samples(name):
        order = 2 if infos()[name].supports_gradgrad and number % 3 == 0 and not first else 1
        reasons = {e.order: e for e in excepted if e.order <= order and e.when(sample)}
        errors = {n: trial(name, entry, sample, rtol, n) for n in {order, *reasons, *(reasons and [1])}}
        apart += bool(reasons)
        wrong = [e for n, e in errors.items() if e and all(n < excepted_in for excepted_in in reasons)]
        wrong += [f"it does not differ as it did: {e.reason}: {errors[n] or 'it agrees by now'}"
                  for n, e in reasons.items() if e.says not in errors[n]]  # fmt: skip
        if wrong:
            failures.append(f"sample {number}, {described(sample)}: {wrong[0]}")
        elif not reasons:
            agree, second = agree + 1, second + (order == 2)
    return Walked(agree, second, apart, failures)


def described(sample: Any) -> str:
    """Return a sample's arguments, tensors as their shapes."""
    return str(mapped(lambda t: f"<{list(t.shape)}>", [sample.input, *sample.args, sample.kwargs]))
