"""A softmax over many classes, of which the rare ones cost little."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import DTypeLike

from autograd_core import ops
from autograd_core.calls import as_array
from autograd_core.errors import message
from autograd_core.node import strip
from autograd_core.primitive import kernel
from autograd_core.tensor import Tensor

from .. import functional as F
from ..casting import taken
from ..containers import ModuleList, Sequential
from ..linear import Linear
from ..module import Module

__all__ = ["AdaptiveLogSoftmaxWithLoss"]


class ASMOutput(NamedTuple):
    """What the module returns: the log-probability of each target, and the loss."""

    output: Any
    loss: Any


class AdaptiveLogSoftmaxWithLoss(Module):
    """A softmax in two steps: over the frequent classes and some clusters, then within a cluster.

    A cluster is computed only for the samples whose class is in it, from fewer features the rarer its classes
    are. [Grave et al., Efficient softmax approximation for GPUs, 2017]

    Args:
        in_features: length of each input vector.
        n_classes: number of classes, sorted by frequency: 0 is the most frequent.
        cutoffs: where the clusters begin, increasing, from 1 to n_classes - 1: classes below the first stand
            in the head themselves.
        div_value: cluster i is computed from ``in_features // div_value^(i + 1)`` features.
        head_bias: whether the head has a bias.
        dtype: of the parameters.

    Shapes:
        x: (N, in_features) or (in_features,), target: (N,) or () -> output: (N,) or (), loss: ().
        head.weight: (cutoffs[0] + clusters, in_features); tail.i.0.weight: (features_i, in_features),
        tail.i.1.weight: (classes of cluster i, features_i).

    Raises:
        ValueError: the cutoffs are none, a cluster has no features, the shapes do not fit, or the target is
            not of integers.
        IndexError: a class is not one of 0 ... n_classes - 1.

    >>> import numpy as np
    >>> from autograd_core import nn
    >>> layer = nn.AdaptiveLogSoftmaxWithLoss(8, 20, [4, 10], div_value=2.0)
    >>> layer(np.ones((3, 8)), np.array([0, 5, 19])).output.shape
    (3,)
    >>> np.exp(layer.log_prob(np.ones((3, 8))).numpy()).sum(1)
    array([1., 1., 1.], dtype=float32)
    """

    head: Linear
    tail: ModuleList

    def __init__(
        self, in_features: int, n_classes: int, cutoffs: Sequence[int], div_value: float = 4.0,
        head_bias: bool = False, dtype: DTypeLike = np.float32,
    ) -> None:  # fmt: skip
        super().__init__()
        edges = list(cutoffs)
        inside = all(int(c) == c and 0 < c < n_classes for c in edges)
        if not edges or not inside or any(a >= b for a, b in pairwise(edges)):
            raise ValueError(message("AdaptiveLogSoftmaxWithLoss", f"cutoffs={edges}",
                                     f"increasing integers from 1 to {n_classes - 1}"))  # fmt: skip
        self.in_features, self.n_classes, self.cutoffs = in_features, n_classes, [*edges, n_classes]
        self.div_value, self.head_bias = div_value, head_bias
        self.shortlist_size, self.n_clusters = edges[0], len(edges)
        self.head_size = self.shortlist_size + self.n_clusters
        self.head = Linear(in_features, self.head_size, head_bias, dtype)
        self.tail = ModuleList()
        for i, (low, high) in enumerate(pairwise(self.cutoffs)):
            features = int(in_features // div_value ** (i + 1))
            if features < 1:
                raise ValueError(message(
                    "AdaptiveLogSoftmaxWithLoss", f"in_features={in_features} and div_value={div_value}, by "
                    f"which cluster {i} has no features", "1 or more of them",
                    "a smaller div_value, or fewer cutoffs"))  # fmt: skip
            self.tail.append(Sequential(Linear(in_features, features, False, dtype),
                                        Linear(features, high - low, False, dtype)))  # fmt: skip

    def reset_parameters(self) -> None:
        """Draw new parameters, as :class:`Linear` does."""
        for module in self.modules():
            if isinstance(module, Linear):
                module.reset_parameters()

    def forward(self, input: Any, target: Any) -> ASMOutput:
        x, t = self._read(input), as_array(strip(target))
        if x.shape != (*t.shape, self.in_features) or t.ndim > 1 or t.dtype.kind not in "iu":
            raise ValueError(message(
                "AdaptiveLogSoftmaxWithLoss", f"an input of shape {x.shape} and a target of shape {t.shape} "
                f"and dtype {t.dtype}", f"(N, {self.in_features}) and integers (N,)"))  # fmt: skip
        _check_classes(t, self.n_classes)
        shape, x, t = t.shape, ops.reshape(x, (-1, self.in_features)), t.reshape(-1)
        place, log_p = t.copy(), np.zeros(len(t), x.dtype)
        for i, (low, high) in enumerate(pairwise(self.cutoffs)):
            rows = np.flatnonzero((t >= low) & (t < high))
            if rows.size:
                place[rows] = self.shortlist_size + i
                within = self._log_softmax(self.tail[i](x[rows]), t[rows] - low)
                log_p = log_p + ops.scatter(within, index=rows, shape=(len(t),))
        log_p = log_p + self._log_softmax(self.head(x), place)
        return ASMOutput(ops.reshape(log_p, shape), -ops.mean(log_p))

    def _read(self, input: Any) -> Any:
        return taken(input, self.head.weight.dtype, "AdaptiveLogSoftmaxWithLoss")

    @staticmethod
    def _log_softmax(scores: Any, classes: Any) -> Any:
        return -F.cross_entropy(scores, classes, reduction="none")

    def log_prob(self, input: Any) -> Tensor:
        """Return the log-probabilities of all classes, (N, n_classes).

        Args:
            input: (N, in_features).
        """
        x = self._read(input)
        head = F.log_softmax(self.head(x), 1)
        parts = [head[:, : self.shortlist_size]]
        for i in range(self.n_clusters):
            cluster = self.shortlist_size + i
            parts.append(F.log_softmax(self.tail[i](x), 1) + head[:, cluster : cluster + 1])
        y: Tensor = ops.concatenate(parts, axis=1)
        return y

    def predict(self, input: Any) -> Any:
        """Return the most probable class of each sample, (N,); clusters are computed where one of them leads.

        Args:
            input: (N, in_features).
        """
        x = self._read(input)
        best = np.asarray(strip(self.head(x))).argmax(1)
        rows = np.flatnonzero(best >= self.shortlist_size)
        if rows.size:
            best[rows] = np.asarray(strip(self.log_prob(x[rows]))).argmax(1)
        return best

    def extra_repr(self) -> str:
        return (f"in_features={self.in_features}, n_classes={self.n_classes}, cutoffs={self.cutoffs[:-1]}, "
                f"div_value={self.div_value}, head_bias={self.head_bias}")  # fmt: skip


@kernel
def _check_classes(t: Any, n_classes: int) -> None:
    if t.size and not 0 <= t.min() <= t.max() < n_classes:
        raise IndexError(message("AdaptiveLogSoftmaxWithLoss", f"classes {t.min()} to {t.max()}",
                                 f"0 to {n_classes - 1}"))  # fmt: skip
