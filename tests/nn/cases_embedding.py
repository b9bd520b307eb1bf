"""Rows: tables of vectors, distances, bilinear forms."""

from __future__ import annotations

from typing import Any

import numpy as np

from .cases import Case

INDEX = np.array([[1, 0, 4], [4, 4, 2]])
FLAT = np.array([1, 0, 4, 4, 4, 2, 3])
SQUARE_TABLE = np.linspace(-2, 1, 36, dtype=np.float32).reshape(6, 6)
SMALL_TABLE = np.linspace(-1, 1, 15, dtype=np.float32).reshape(5, 3)


def given(x: Any) -> Any:
    return lambda rng: x


def constant(layer: str, index: Any, *args: Any, order: int = 1, why: str = "", **kwargs: Any) -> Case:
    """A table and indices; theirs takes them as Tensors."""

    def theirs(torch: Any) -> Any:
        tensors = {k: torch.tensor(v) if isinstance(v, np.ndarray) else v for k, v in kwargs.items()}
        return getattr(torch.nn, layer)(*args, **tensors)

    return Case(layer, args, (given(index),), kwargs, torch=theirs, order=order,
                why=why or "it is linear in the table")  # fmt: skip


CUT = {"order": 0, "why": "the gradient is not that of the values, as in PyTorch"}

TABLES = [
    constant("Embedding", INDEX, 5, 3, order=2),
    constant("Embedding", np.array(2), 5, 3),
    constant("Embedding", np.zeros((0, 2), int), 5, 3, order=0),
    constant("Embedding", INDEX.astype(np.int32), 5, 2),
    constant("Embedding", INDEX, 6, 6, _weight=SQUARE_TABLE),
    constant("Embedding", INDEX, 5, 3, padding_idx=4, **CUT),
    constant("Embedding", INDEX, 5, 3, -5, **CUT),
    constant("Embedding", INDEX, 5, 3, scale_grad_by_freq=True, **CUT),
    constant("Embedding", INDEX, 5, 3, scale_grad_by_freq=True, padding_idx=1, **CUT),
    constant("Embedding", INDEX, 5, 3, max_norm=1.0, **CUT),
    constant("Embedding", INDEX, 5, 3, max_norm=0.5, norm_type=1.0, **CUT),
    constant("Embedding", INDEX, 5, 3, max_norm=0.5, norm_type=3.0, **CUT),
    Case("Embedding", (5, 3), (given(INDEX),), {"_weight": SMALL_TABLE},
         torch=lambda torch: torch.nn.Embedding(5, 3, _weight=torch.tensor(SMALL_TABLE)), order=1),
    Case("Embedding", (5, 3), (given(INDEX),), {"_weight": SMALL_TABLE, "_freeze": True},
         torch=lambda torch: torch.nn.Embedding(5, 3, _weight=torch.tensor(SMALL_TABLE), _freeze=True),
         order=0, why="frozen"),
    Case("Embedding", (5, 3), (given(INDEX),), {"sparse": True},
         torch=lambda torch: torch.nn.Embedding(5, 3)),
]  # fmt: skip


def bag(index: Any, offsets: Any = None, weights: bool = False, order: int = 1, **kwargs: Any) -> Case:
    inputs: list[Any] = [given(index), given(None if offsets is None else np.array(offsets))]
    if weights:
        inputs.append(np.shape(index))
    why = "" if order else CUT["why"]
    return Case("EmbeddingBag", (5, 3), tuple(inputs), kwargs, order=order, why=str(why))


BAGS = [
    *[bag(INDEX, mode=mode) for mode in ("mean", "sum", "max")],
    *[bag(FLAT, [0, 2, 2, 5], mode=mode) for mode in ("mean", "sum", "max")],
    *[bag(FLAT, [0, 2, 2, 7], mode=mode, include_last_offset=True) for mode in ("mean", "sum", "max")],
    *[bag(FLAT, [0, 2, 3, 5, 7], mode=mode, padding_idx=4) for mode in ("mean", "sum", "max")],
    *[bag(INDEX, mode=mode, padding_idx=-1) for mode in ("mean", "max")],
    *[bag(INDEX, mode=mode, scale_grad_by_freq=True, order=0) for mode in ("mean", "sum")],
    *[bag(INDEX, mode="sum", max_norm=norm, norm_type=p, order=0)
      for norm, p in ((1.0, 2.0), (0.5, 1.0), (0.5, 3.0))],
    bag(INDEX, weights=True, mode="sum", order=2),
    bag(FLAT, [0, 2, 2, 5], weights=True, mode="sum"),
    bag(FLAT, [0, 2, 2, 5], weights=True, mode="sum", padding_idx=4),
    constant("EmbeddingBag", INDEX, 6, 6, _weight=SQUARE_TABLE),
    Case("EmbeddingBag", (5, 3), (given(INDEX),), {"_weight": SMALL_TABLE, "sparse": True}, order=1,
         torch=lambda torch: torch.nn.EmbeddingBag(5, 3, _weight=torch.tensor(SMALL_TABLE))),
]  # fmt: skip


PAIRS = [
    Case("Bilinear", (3, 2, 4), ((5, 3), (5, 2))),
    Case("Bilinear", (3, 2, 1, False), ((2, 3, 3), (2, 3, 2))),
    Case("Bilinear", (1, 2, 3), ((1,), (2,))),
    Case("Bilinear", (2, 1, 2), ((3, 2), (3, 1))),
    *[Case("CosineSimilarity", args, ((2, 3), (2, 3))) for args in ((), (0,), (-1, 0.1), (-2, 1e-3))],
    Case("CosineSimilarity", (2,), ((2, 1, 3), (4, 3))),
    Case("CosineSimilarity", (1, 2.0), ((2, 3), (2, 3)), order=0, why="eps is a constant for the gradient"),
    *[Case("PairwiseDistance", (p,), ((2, 3), (2, 3))) for p in (2.0, 1.0, 3.0, 1.5, np.inf)],
    Case("PairwiseDistance", (2.0, 0.1), ((2, 3), (3,))),
    Case("PairwiseDistance", (1.0, 0.5, True), ((2, 4, 3), (2, 4, 3))),
    Case("PairwiseDistance", (2,), ((3,), (3,)), {"keepdim": True}),
]

CASES = [*TABLES, *BAGS, *PAIRS]
