"""A softmax over many classes, of which the rare ones cost little."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import DTypeLike

from autograd_core import ops
from autograd_core.calls import as_array
from autograd_core.errors import message
from autograd_core.fused import fused
from autograd_core.kernels.memory import pieces, zeros_in
from autograd_core.node import strip
from autograd_core.primitive import kernel
from autograd_core.tensor import Tensor

from .. import functional as F
from ..casting import taken
from ..containers import ModuleList, Sequential
from ..linear import Linear
from ..module import Module

__all__ = ["AdaptiveLogSoftmaxWithLoss"]


# -- within the clusters: one operation, as how many samples a cluster has is a value ---------------


@kernel
def _place(t: Any, cutoffs: Any) -> Any:
    """Return where each class, or its cluster, stands in the head."""
    if t.size and not 0 <= t.min() <= t.max() < cutoffs[-1]:
        raise IndexError(message("AdaptiveLogSoftmaxWithLoss", f"classes {t.min()} to {t.max()}",
                                 f"0 to {cutoffs[-1] - 1}"))  # fmt: skip
    cluster = np.searchsorted(cutoffs, t, side="right")
    return np.where(cluster, cutoffs[0] - 1 + cluster, t)


def _members(labels: Any, cutoffs: Any) -> Iterator[tuple[Any, Any]]:
    """Give the samples of each cluster, and their classes within it."""
    for low, high in pairwise(cutoffs):
        rows = np.flatnonzero((labels >= low) & (labels < high))
        yield rows, labels[rows] - low


def _defined(x: Any, *weights: Any, labels: Any, cutoffs: Any) -> Any:
    """The definition: log softmax(x V^T W^T)_t within the cluster of t, 0 where t is in none."""
    y: Any = np.zeros(len(labels), x.dtype)
    members = _members(labels, cutoffs)
    for (rows, t), v, w in zip(members, weights[::2], weights[1::2], strict=True):
        losses = F.cross_entropy(F.linear(F.linear(x[rows], v), w), t, reduction="none")
        y = y - ops.scatter(losses, index=rows, shape=y.shape)
    return y


def _length(x: Any, *weights: Any, **_: Any) -> int:
    """Return the length of the memory: of a sample the features and scores of one cluster are kept."""
    return int(len(x) * max(len(v) + len(w) for v, w in zip(weights[::2], weights[1::2], strict=True)))


def _parts(memory: Any, *given: Any, labels: Any, cutoffs: Any) -> Iterator[tuple[Any, ...]]:
    """Give the samples of each cluster, their classes, features and scores, and what is given for it."""
    start = 0
    for (rows, t), v, w, *more in zip(_members(labels, cutoffs), *given, strict=True):
        end = start + len(rows) * (len(v) + len(w))
        h, s = pieces(memory[start:end], (len(rows), len(v)), (len(rows), len(w)))
        yield rows, (np.arange(len(t)), t), h, s, v, w, *more
        start = end


def _forward(x: Any, *more: Any, out: Any = None, **how: Any) -> Any:
    *weights, memory = more
    y = zeros_in(out, len(x), x.dtype)
    for rows, right, h, s, v, w in _parts(memory, weights[::2], weights[1::2], **how):
        np.matmul(x[rows], v.T, out=h)
        np.matmul(h, w.T, out=s)
        s -= np.maximum.reduce(s, axis=1, keepdims=True)
        log_p = s[right]
        np.exp(s, out=s)
        total = np.add.reduce(s, axis=1)
        s /= total[:, np.newaxis]  # softmax, for the way back
        y[rows] = log_p - np.log(total)
    return y


def _backward(g: Any, y: Any, x: Any, *more: Any, out: Any, **how: Any) -> None:
    *weights, memory = more
    x_bar, *bars = out
    x_bar[...] = 0
    given = weights[::2], weights[1::2], bars[::2], bars[1::2]
    for rows, right, h, p, v, w, v_bar, w_bar in _parts(memory, *given, **how):
        s_bar = p * -g[rows, np.newaxis]
        s_bar[right] += g[rows]
        h_bar = np.matmul(s_bar, w)
        np.matmul(s_bar.T, h, out=w_bar)
        np.matmul(h_bar.T, x[rows], out=v_bar)
        x_bar[rows] = np.matmul(h_bar, v)


_within = fused(
    _defined, _forward, _backward, memory=_length, name="log_softmax_of_clusters",
    doc="log softmax(x V^T W^T)_t within the cluster of t: s_bar = g (onehot(t) - softmax(s)).",
)  # fmt: skip

# -- the layer -------------------------------------------------------------------------------------


class ASMOutput(NamedTuple):
    """What the module returns: the log-probability of each target, and the loss."""

    output: Any
    loss: Any


class AdaptiveLogSoftmaxWithLoss(Module):
    """A softmax in two steps: over the frequent classes and some clusters, then within a cluster.

    A cluster is computed only for the samples whose class is in it, from fewer features the rarer its classes
    are; where there are none, the gradient of its weights is 0. [Grave et al., Efficient softmax
    approximation for GPUs, 2017]

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
        shape, x, t = t.shape, ops.reshape(x, (-1, self.in_features)), t.reshape(-1)
        place = _place(t, self.cutoffs)
        weights = [layer.weight for cluster in self.tail for layer in cluster]
        log_p = _within(x, *weights, labels=t, cutoffs=self.cutoffs)
        log_p = log_p - F.cross_entropy(self.head(x), place, reduction="none")
        return ASMOutput(ops.reshape(log_p, shape), -ops.mean(log_p))

    def _read(self, input: Any) -> Any:
        return taken(input, self.head.weight.dtype, "AdaptiveLogSoftmaxWithLoss")

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
