"""Rows: recurrent layers and cells."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

from .cases import Case


def pair(h: tuple[int, ...], c: tuple[int, ...]) -> Callable[[Any], Any]:
    return lambda rng: (rng.normal(size=h), rng.normal(size=c))


def projected(**kwargs: Any) -> Callable[[Any], Any]:
    """Build PyTorch's LSTM with a projection, which warns that it is slow."""

    def build(torch: Any) -> Any:
        class LSTM(torch.nn.LSTM):  # type: ignore[misc, name-defined]
            def forward(self, *args: Any) -> Any:
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore")
                    return super().forward(*args)

        return LSTM(2, 3, **kwargs)

    return build


NOT_THERE = "PyTorch has no peepholes"
BY_PACKING = "compared with PyTorch's packed sequences in test_recurrent.py"
BESIDE = "the gradients of parameters are beside PyTorch's"
ONCE = "the second derivative reads the definition, as in the first row of the layer"
X = (3, 2, 2)


def first_order(layer: str, *args: Any, why: str = ONCE, **known: Any) -> Case:
    return Case(layer, *args, order=1, why=why, **known)


LAYERS = [
    case
    for kind in ("RNN", "LSTM", "GRU")
    for case in [
        Case(kind, (2, 2), ((2, 2, 2),)),
        first_order(kind, (2, 3), (X,)),
        first_order(kind, (3, 2), ((4, 1, 3),)),
        first_order(kind, (2, 3), ((1, 2, 2),)),
        first_order(kind, (2, 3), ((3, 2),)),  # a single sequence
        first_order(kind, (1, 1), (X[:2] + (1,),), {"num_layers": 2}),
        first_order(kind, (2, 2), ((2, 2, 2),), {"num_layers": 3}, wrt="inputs", why=BESIDE),
        first_order(kind, (2, 3), (X,), {"bias": False}),
        first_order(kind, (2, 3), ((2, 3, 2),), {"batch_first": True}),
        first_order(kind, (2, 2), (X,), {"bidirectional": True}),
        first_order(kind, (2, 2), ((3, 2),), {"bidirectional": True, "num_layers": 2}, wrt="inputs",
                    why=BESIDE),
        *[first_order(kind, (2, 2), (X,), {"num_layers": 2, "dropout": p}, train=False, wrt="inputs",
                      why=BESIDE) for p in (0.2, 0.5)],
    ]
]

STATES = [
    *[case for kind in ("RNN", "GRU") for case in [
        first_order(kind, (2, 3), (X, (1, 2, 3))),
        first_order(kind, (2, 3), ((3, 2), (1, 3))),
        first_order(kind, (2, 2), ((2, 3, 2), (4, 2, 2)),
                    {"num_layers": 2, "bidirectional": True, "batch_first": True}, wrt="inputs", why=BESIDE),
    ]],
    Case("RNN", (2, 2), (X,), {"nonlinearity": "relu"}),
    first_order("LSTM", (2, 3), (X, pair((1, 2, 3), (1, 2, 3)))),
    first_order("LSTM", (2, 3), ((3, 2), pair((1, 3), (1, 3)))),
    first_order("LSTM", (2, 2), ((2, 3, 2), pair((4, 2, 2), (4, 2, 2))),
                {"num_layers": 2, "bidirectional": True, "batch_first": True}, wrt="inputs", why=BESIDE),
    *[first_order("LSTM", (2, 3), inputs, kwargs, torch=projected(**kwargs), wrt=wrt, why=ONCE if wrt == "all"
                  else BESIDE) for wrt, inputs, kwargs in [
        ("all", (X,), {"proj_size": 1}),
        ("inputs", (X, pair((1, 2, 2), (1, 2, 3))), {"proj_size": 2}),
        ("inputs", (X,), {"proj_size": 2, "num_layers": 2, "bidirectional": True})]],
    Case("LSTM", (1, 2), ((2, 1, 1),), {"peephole": True, "proj_size": 1}, torch=None, why=NOT_THERE),
    first_order("LSTM", (2, 2), (X,), {"peephole": True}, torch=None, why=NOT_THERE),
    first_order("LSTM", (1, 2), ((2, 2, 1), pair((2, 2, 1), (2, 2, 2))),
                {"peephole": True, "proj_size": 1, "bidirectional": True, "bias": False}, torch=None,
                why=NOT_THERE),
]  # fmt: skip

LENGTHS = [
    *[first_order(kind, (2, 1), ((3, 3, 2),), {"bidirectional": True}, {"lengths": [1, 3, 2]}, torch=None,
                  why=BY_PACKING) for kind in ("RNN", "LSTM", "GRU")],
    Case("GRU", (1, 2), ((2, 2, 1),), {}, {"lengths": [1, 2]}, torch=None, why=BY_PACKING),
    first_order("LSTM", (2, 2), (X,), {"peephole": True, "proj_size": 1}, {"lengths": [3, 1]}, torch=None,
                why=NOT_THERE),
]  # fmt: skip

CELLS = [
    *[Case(kind, (2, 2), ((2, 2),)) for kind in ("RNNCell", "LSTMCell", "GRUCell")],
    *[first_order(kind, (2, 3), inputs, kwargs) for kind in ("RNNCell", "GRUCell")
      for inputs, kwargs in [(((2,),), {}), (((2, 2), (2, 3)), {}), (((2,), (3,)), {"bias": False})]],
    *[first_order("LSTMCell", (2, 3), inputs, kwargs) for inputs, kwargs in [
        (((2,),), {}), (((2, 2), pair((2, 3), (2, 3))), {}), (((2,), pair((3,), (3,))), {"bias": False})]],
    *[first_order(kind, (3, 1), ((4, 3),)) for kind in ("RNNCell", "LSTMCell", "GRUCell")],
    first_order("RNNCell", (2, 3), ((2, 2), (2, 3)), {"nonlinearity": "relu"}),
]  # fmt: skip

FEEDBACK = [
    Case("GatedFeedbackRNN", args, inputs, kwargs, torch=None, order=order,
         why="not in PyTorch; checked against its equations in test_recurrent.py")
    for args, inputs, kwargs, order in [
        ((1, 1), ((2, 2, 1),), {}, 2),
        ((2, 1), ((2, 1, 2),), {"unit": "lstm", "bias": False}, 1),
        ((1, 2), ((2, 2, 1),), {"unit": "gru", "bias": False}, 1),
        ((2, 2), ((2, 2),), {"num_layers": 1, "batch_first": True}, 1),
        ((2, 1), ((1, 3, 2), (3, 1, 1)), {"num_layers": 3, "batch_first": True}, 1),
        ((2, 1), ((2, 2, 2), pair((2, 2, 1), (2, 2, 1))), {"unit": "lstm"}, 1),
    ]
]  # fmt: skip

CASES = [*LAYERS, *STATES, *LENGTHS, *CELLS, *FEEDBACK]
