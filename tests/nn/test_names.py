"""PyTorch's names: which are here, under which arguments, and why the others are not."""

from __future__ import annotations

import inspect
from functools import wraps
from typing import Any

import numpy as np
import pytest

from autograd_core import nn

from .cases import every_case

LAZY = "the sizes of a layer are stated: nn.summary shows what each gets"
ABSENT = {  # of torch.nn
    "Container": "deprecated there: Module",
    "LazyBatchNorm1d": LAZY, "LazyBatchNorm2d": LAZY, "LazyBatchNorm3d": LAZY, "LazyConv1d": LAZY,
    "LazyConv2d": LAZY, "LazyConv3d": LAZY, "LazyConvTranspose1d": LAZY, "LazyConvTranspose2d": LAZY,
    "LazyConvTranspose3d": LAZY, "LazyInstanceNorm1d": LAZY, "LazyInstanceNorm2d": LAZY,
    "LazyInstanceNorm3d": LAZY, "LazyLinear": LAZY,
    "LinearCrossEntropyOptions": "how PyTorch computes logits in pieces, which changes no number",
    "NLLLoss2d": "deprecated there: NLLLoss takes images",
    "RNNBase": "what RNN, LSTM and GRU share there; a part of them here",
    "RNNCellBase": "what the cells share there; a part of them here",
    "SyncBatchNorm": "statistics over several processes: one machine's library has one",
}  # fmt: skip
ELSEWHERE = {
    "device": "there is one device",
    "size_average": "deprecated there: reduction", "reduce": "deprecated there: reduction",
}  # fmt: skip
# Arguments of a layer that differ on purpose, or have no two other values.
OTHERWISE: dict[tuple[str, str], str] = {
    ("LinearCrossEntropyLoss", "options"): "how PyTorch computes logits in pieces, which changes no number",
    ("Hardtanh", "min_value"): "deprecated there: min_val",
    ("Hardtanh", "max_value"): "deprecated there: max_val",
    **{(name, "dim"): "theirs guesses, and warns that it should not: the last axis"
       for name in ("LogSoftmax", "Softmax", "Softmin")},
}  # fmt: skip
NO_OTHER = {
    (name, "padding_mode"): "PyTorch refuses all but 'zeros'"
    for name in ("ConvTranspose1d", "ConvTranspose2d", "ConvTranspose3d")
}
ONE_OTHER: dict[tuple[str, str], str] = {
    ("ELBOLoss", "likelihood"): "'bernoulli' or 'gaussian'",
    ("MultiMarginLoss", "p"): "1 or 2",
    ("GELU", "approximate"): "'none' or 'tanh'",
    **{(name, "nonlinearity"): "'tanh' or 'relu'" for name in ("RNN", "RNNCell")},
}


@pytest.fixture(scope="module")
def torch() -> Any:
    return pytest.importorskip("torch", reason="PyTorch is missing: pip install 'autograd-core[oracle]'")


def test_every_name_of_torch_nn_is_here_or_has_a_reason(torch: Any) -> None:
    names = set(torch.nn.modules.__all__)
    missing = {name for name in names if not hasattr(nn, name)}
    assert missing == set(ABSENT), "missing without a reason, or here in spite of one"
    assert all(ABSENT.values())


def arguments(f: Any) -> dict[str, Any]:
    """Return the arguments of a class and their defaults."""
    return {p.name: p.default for p in inspect.signature(f).parameters.values()
            if p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD)}  # fmt: skip


def shared(torch: Any) -> list[str]:
    return sorted(name for name in torch.nn.modules.__all__ if hasattr(nn, name))


def test_arguments_and_defaults_are_those_of_torch(torch: Any) -> None:
    faults = []
    for name in shared(torch):
        ours, theirs = arguments(getattr(nn, name)), arguments(getattr(torch.nn, name))
        for argument, default in theirs.items():
            if argument in ELSEWHERE or (name, argument) in OTHERWISE or argument == "dtype":
                continue
            if argument not in ours:
                faults.append(f"{name} has no {argument}={default}")
            elif not same(ours[argument], default):
                faults.append(f"{name}: {argument}={ours[argument]!r}, theirs is {default!r}")
        order = [a for a in ours if a in theirs and a != "dtype"]
        if order != [a for a in theirs if a in order]:
            faults.append(f"{name}{tuple(ours)} has another order than {tuple(theirs)}")
    assert not faults, "\n" + "\n".join(faults)


def same(ours: Any, theirs: Any) -> bool:
    a, b = (getattr(x, "__name__", x) for x in (ours, theirs))
    return (a is inspect.Parameter.empty) == (b is inspect.Parameter.empty) and (a == b or ours is theirs)


def recorded(cls: Any, name: str, monkeypatch: pytest.MonkeyPatch, made: list[Any]) -> None:
    """Let a class add the arguments it is made with to ``made``, whoever makes it."""
    init, signature = cls.__init__, inspect.signature(cls)

    @wraps(init)
    def wrapper(self: Any, *args: Any, **kwargs: Any) -> None:
        made.extend(((name, k), text(v)) for k, v in signature.bind(*args, **kwargs).arguments.items())
        init(self, *args, **kwargs)

    monkeypatch.setattr(cls, "__init__", wrapper)


def test_every_argument_is_tried_at_two_other_values(monkeypatch: pytest.MonkeyPatch) -> None:
    cases = [case for case in every_case() if hasattr(nn, case.layer)]
    signatures = {case.layer: inspect.signature(getattr(nn, case.layer)) for case in cases}
    made: list[tuple[tuple[str, str], str]] = []
    for layer in signatures:
        recorded(getattr(nn, layer), layer, monkeypatch, made)
    tried: dict[tuple[str, str], set[str]] = {}
    for case in cases:
        made.clear()
        case.build()
        for (layer, argument), value in made:
            if layer == case.layer:
                tried.setdefault((layer, argument), set()).add(value)
    faults = []
    for layer, signature in sorted(signatures.items()):
        for p in signature.parameters.values():
            if p.kind in (p.VAR_POSITIONAL, p.VAR_KEYWORD) or p.name == "dtype":
                continue
            others = tried.get((layer, p.name), set()) - {text(p.default)}
            least = 1 if isinstance(p.default, bool) or (layer, p.name) in ONE_OTHER else 2
            least = 0 if (layer, p.name) in NO_OTHER else least
            if len(others) < least:
                faults.append(f"{layer}({p.name}={p.default!r}) is tried at {sorted(others)} only")
    assert not faults, "\n" + "\n".join(faults)


def text(value: Any) -> str:
    return np.array2string(value) if isinstance(value, np.ndarray) else repr(value)


def test_every_layer_has_a_row() -> None:
    rows = {case.layer for case in every_case()}
    layers = {name for name, found in vars(nn).items()
              if isinstance(found, type) and issubclass(found, nn.Module)}  # fmt: skip
    assert layers - rows <= {"Module"}, "without a row in cases_*.py"
