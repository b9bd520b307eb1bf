"""What the rows of losses are given, and how they are built beside PyTorch."""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd_core import nn

from .cases import Case

REDUCTIONS = ("mean", "sum", "none")
WEIGHT = np.array([0.5, 1.0, 2.0])
POSITIVE = np.array([3.0, 0.25, 1.0])


# -- inputs: functions of a random generator -------------------------------------------------------


def shares(rng: Any) -> Any:
    return rng.uniform(0.05, 0.95, (4, 3))


def images_of_shares(rng: Any) -> Any:
    return rng.uniform(0.05, 0.95, (2, 3, 2))


def distribution(rng: Any) -> Any:
    return rng.dirichlet(np.ones(3), 4)


def log_distribution(rng: Any) -> Any:
    return np.log(rng.dirichlet(np.ones(3), 4))


def counts(rng: Any) -> Any:
    return rng.poisson(2.0, (4, 3)).astype(float) + 0.25


def rates(rng: Any) -> Any:
    return rng.uniform(0.5, 3.0, (4, 3))


def whole_counts(rng: Any) -> Any:
    return rng.poisson(2.0, (4, 3))


def variances(rng: Any) -> Any:
    return rng.uniform(0.3, 2.0, (4, 3))


def variance_of_rows(rng: Any) -> Any:
    return rng.uniform(0.3, 2.0, 4)


def variance_of_columns(rng: Any) -> Any:
    return rng.uniform(0.3, 2.0, (1, 3))


def whole(rng: Any) -> Any:
    return rng.integers(-2, 3, (4, 3))


def signs(rng: Any) -> Any:
    return rng.choice([-1, 1], (4, 3))


def sign_of_each(rng: Any) -> Any:
    return np.array([1, -1, -1, 1])


def one_sign(rng: Any) -> Any:
    return np.array(-1)


def yes_or_no(rng: Any) -> Any:
    return rng.integers(0, 2, (4, 3))


def classes(rng: Any) -> Any:
    return np.array([2, 0, 1, 2])


def some_classes(rng: Any) -> Any:
    return np.array([2, -100, 1, -100])


def of_clusters(rng: Any) -> Any:
    return np.array([0, 5, 11, 7])


def one_class(rng: Any) -> Any:
    return np.array(1)


def pixels(rng: Any) -> Any:
    return np.array([[0, 2, 1, 1], [1, 0, 2, 0]])


def cubes(rng: Any) -> Any:
    return np.array([[[4], [0]], [[1], [3]]])


def no_classes(rng: Any) -> Any:
    return np.zeros(0, int)


def listed(rng: Any) -> Any:
    return np.array([[3, 0, -1, 1], [-1, 0, 0, 0], [1, 2, 3, 0], [2, 2, -1, -1]])


def listed_once(rng: Any) -> Any:
    return np.array([1, -1, 0, 2])


def labels(rng: Any) -> Any:
    return np.array([[1, 1, 3], [3, 0, 2]])  # of the second, one counts


def labels_without_3(rng: Any) -> Any:
    return np.array([[0, 1, 0], [2, 3, 3]])


def concatenated(rng: Any) -> Any:
    return np.array([1, 1, 3, 3])


def frames(rng: Any) -> Any:
    return np.array([5, 4])


def lengths(rng: Any) -> Any:
    return np.array([3, 1])


def lengths_with_0(rng: Any) -> Any:
    return np.array([0, 1])


def too_few_frames(rng: Any) -> Any:
    return np.array([3, 4])


def positive_definite(rng: Any) -> Any:
    a = rng.normal(size=(2, 2, 2))
    return a @ a.mT + 0.5 * np.eye(2)


def one_positive_definite(rng: Any) -> Any:
    return positive_definite(rng)[0]


def triangular(rng: Any) -> Any:
    return np.tril(rng.normal(size=(3, 2, 2)), -1) + rng.uniform(0.5, 2, (3, 1, 2)) * np.eye(2)


# -- distances, of PyTorch's tensors too -----------------------------------------------------------


def manhattan(x: Any, y: Any) -> Any:
    return abs(x - y).sum(-1)


def squared(x: Any, y: Any) -> Any:
    return ((x - y) ** 2).sum(-1)


# -- modules around losses, where a loss alone does not compare ------------------------------------


class OfLogSoftmax(nn.Module):
    """A loss of log-probabilities, from logits: there PyTorch's CTC gradient is the gradient."""

    def __init__(self, loss: Any) -> None:
        super().__init__()
        self.loss = loss

    def forward(self, x: Any, *rest: Any) -> Any:
        return self.loss(nn.functional.log_softmax(x, -1), *rest)


class OfCovariance(nn.Module):
    """A loss of a covariance, of whose triangle that is read the rest follows: a symmetric gradient."""

    def __init__(self, loss: Any) -> None:
        super().__init__()
        self.loss = loss

    def forward(self, x: Any, t: Any, s: Any) -> Any:
        return self.loss(x, t, 0.5 * (s + s.mT))


def theirs(name: str, *args: Any, before: str = "", target: str = "", **kwargs: Any) -> Any:
    """Return what builds PyTorch's loss: with weights as tensors, log_softmax before, the target cast."""

    def build(torch: Any) -> Any:
        def tensor(x: Any) -> Any:
            return torch.tensor(x) if isinstance(x, np.ndarray) else x

        class Around(torch.nn.Module):
            def __init__(self) -> None:
                super().__init__()
                self.loss = loss

            def forward(self, x: Any, *rest: Any) -> Any:
                x = x.log_softmax(-1) if before else x
                *others, t = rest
                return self.loss(x, *others, t.to(x.dtype) if target else t)

        loss = getattr(torch.nn, name)(*map(tensor, args), **{k: tensor(v) for k, v in kwargs.items()})
        return Around() if before or target else loss

    return build


def loss(
    name: str, *inputs: Any, around: bool = False, cast: bool = False, of: Any = None, **kwargs: Any
) -> Case:
    """Return a row; ``around``: of logits; ``cast``: the last input is of integers, which PyTorch refuses."""
    known: dict[str, Any] = dict(of or {})
    if "torch" not in known and (around or cast or any(isinstance(v, np.ndarray) for v in kwargs.values())):
        known["torch"] = theirs(name, before="log_softmax" if around else "", target="cast" if cast else "",
                                **kwargs)  # fmt: skip
    if around or cast:
        known["make"] = lambda: (OfLogSoftmax if around else Around)(getattr(nn, name)(**kwargs))
    return Case(name, (), inputs, kwargs, **known)


class Around(nn.Module):
    """A loss, as the part ``loss`` of another module."""

    def __init__(self, loss: Any) -> None:
        super().__init__()
        self.loss = loss

    def forward(self, *inputs: Any) -> Any:
        return self.loss(*inputs)


def each(name: str, *inputs: Any, **kwargs: Any) -> list[Case]:
    """Return a row for each reduction."""
    return [loss(name, *inputs, **({} if r == "mean" else {"reduction": r}), **kwargs) for r in REDUCTIONS]
