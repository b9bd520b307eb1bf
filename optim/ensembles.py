"""Several models that answer as one: averaged, bagged, or snapshots of one training run."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

import numpy as np
from numpy import ndarray

import autograd_core as ag
from autograd_core import nn, no_grad
from autograd_core.errors import message
from autograd_core.node import strip

from .practice.aside import samples
from .schedules import CosineAnnealingWarmRestarts

__all__ = ["Ensemble", "Uncertainty", "bagging", "snapshot_ensemble"]

F = nn.functional
AVERAGES = ("outputs", "probabilities")


class Uncertainty(NamedTuple):
    """How unsure an ensemble of classifiers is of each sample, in nats; see :meth:`Ensemble.uncertainty`.

    ``total = H(mean of p_m)`` is the sum of ``expected = mean of H(p_m)``, which more models do not lower,
    and ``disagreement = total - expected``, which is 0 where all models say the same.

    >>> from autograd_core import optim
    >>> optim.Uncertainty(0.7, 0.5, 0.2).disagreement
    0.2
    """

    total: Any
    expected: Any
    disagreement: Any


class Ensemble(nn.Module):
    """Models whose answers are averaged.

    The squared error of the mean is the mean squared error of the models less their spread,
    ``(f - y)^2 = mean (f_m - y)^2 - mean (f_m - f)^2`` with ``f = mean f_m``: never above the mean, and the
    better the more they differ. [Krogh and Vedelsby, Neural Network Ensembles, Cross Validation, and Active
    Learning, 1995] The cross-entropy of averaged probabilities is never above the mean one either.

    Args:
        models: modules that return outputs of equal shape. They are not copied: the ensemble's parameters
            are theirs. Their names in the state are ``models.0...``, ``models.1...``.
        average: what is averaged. "outputs": what the models return. "probabilities": the softmax of what
            they return over axis 1 (the sigmoid, where they return one score for each sample); then the
            result is the logarithm of the mean, or for one score its logit: scores, of which
            ``cross_entropy``, ``binary_cross_entropy_with_logits`` and ``argmax`` make what they make of a
            model's.

    Attributes:
        samples: for bagged models, the indices of the samples that each has seen; else None.

    Shapes:
        what the models take -> what each of them returns

    Raises:
        ValueError: no models, or an unknown average.
        TypeError: something else than modules.

    >>> import numpy as np
    >>> from autograd_core import nn, optim
    >>> ensemble = optim.Ensemble([nn.Linear(3, 2) for _ in range(5)])
    >>> x = np.ones((4, 3))
    >>> bool(np.allclose(ensemble(x), np.mean([m(x).numpy() for m in ensemble.models], 0), atol=1e-6))
    True
    >>> mean, std, samples = ensemble.predict(x)
    >>> mean.shape, std.shape, samples.shape
    ((4, 2), (4, 2), (5, 4, 2))
    """

    samples: list[ndarray[Any, Any]] | None

    def __init__(self, models: Iterable[Any], average: str = "outputs") -> None:
        super().__init__()
        if isinstance(models, nn.Module) and not isinstance(models, nn.ModuleList):
            raise TypeError(message("Ensemble", f"one module, {type(models).__name__}", "a list of modules"))
        self.models = nn.ModuleList(models)
        if not len(self.models):
            raise ValueError(message("Ensemble", "no models", "at least one"))
        if average not in AVERAGES:
            raise ValueError(message("Ensemble", f"average={average!r}", " or ".join(map(repr, AVERAGES))))
        self.average = average
        self.samples = None

    def forward(self, *inputs: Any) -> Any:
        outputs = ag.stack([model(*inputs) for model in self.models])
        if self.average == "outputs":
            return outputs.mean(0)
        count = math.log(len(self.models))
        if _one_score(outputs):  # log p - log (1 - p), of the mean p
            yes, no = F.logsigmoid(outputs), F.logsigmoid(-outputs)
            return ag.logsumexp(yes, axis=0) - ag.logsumexp(no, axis=0)
        return ag.logsumexp(F.log_softmax(outputs, 2), axis=0) - count

    def predict(self, *inputs: Any) -> nn.Prediction:
        """Return the mean, the standard deviation over the models (with M - 1), and each model's answer.

        Of "outputs" these are outputs, of "probabilities" they are probabilities. Nothing is recorded; the
        models are in evaluation meanwhile.
        """
        modes = [(module, module.training) for module in self.modules()]
        self.eval()
        try:
            with no_grad():
                drawn = np.stack([np.asarray(strip(model(*inputs))) for model in self.models])
                if self.average == "probabilities":
                    drawn = np.asarray(strip(F.sigmoid(drawn) if _one_score(drawn) else F.softmax(drawn, 2)))
        finally:
            for module, mode in modes:
                module.training = mode
        return nn.Prediction(drawn.mean(0), drawn.std(0, ddof=min(1, len(drawn) - 1)), drawn)

    def uncertainty(self, *inputs: Any) -> Uncertainty:
        """Return how unsure classifiers are of each sample, and how much of it is their disagreement.

        Raises:
            ValueError: the ensemble does not average probabilities.

        >>> import numpy as np
        >>> from autograd_core import nn, optim
        >>> models = [nn.Lambda(lambda x: x), nn.Lambda(lambda x: -x)]
        >>> unsure = optim.Ensemble(models, average="probabilities").uncertainty(np.array([[9.0, -9.0]]))
        >>> unsure.total, unsure.disagreement
        (array([0.693]), array([0.693]))
        """
        if self.average != "probabilities":
            raise ValueError(message("Ensemble.uncertainty", f"an ensemble of {self.average}",
                                     "one of probabilities", "predict(x).std"))  # fmt: skip
        mean, _, drawn = self.predict(*inputs)
        single = _one_score(drawn)
        total, expected = _entropy(mean, single, 1), _entropy(drawn, single, 2).mean(0)
        return Uncertainty(total, expected, np.maximum(total - expected, 0))

    def out_of_bag(self, x: Any) -> ndarray[Any, Any]:
        """Return for each training sample the mean answer of the models that have not seen it.

        Its error estimates that on new data, without any held out. [Breiman, Out-of-Bag Estimation, 1996]
        A sample that all models have seen gets NaN.

        Args:
            x: the inputs that :func:`bagging` trained on, in the same order.

        Raises:
            ValueError: the models were not bagged, or x has fewer samples than they saw.
        """
        if self.samples is None:
            raise ValueError(message("Ensemble.out_of_bag", "models that were not bagged",
                                     "those of bagging"))  # fmt: skip
        if len(x) <= max(int(seen.max()) for seen in self.samples):
            raise ValueError(message("Ensemble.out_of_bag", f"{len(x)} samples",
                                     "all that the models were trained on"))  # fmt: skip
        drawn = self.predict(x).samples
        unseen = np.ones(drawn.shape[:2], bool)
        for row, seen in zip(unseen, self.samples, strict=True):
            row[seen] = False
        weights = unseen.reshape(unseen.shape + (1,) * (drawn.ndim - 2))
        with np.errstate(invalid="ignore"):
            return np.asarray((drawn * weights).sum(0) / weights.sum(0), drawn.dtype)

    def extra_repr(self) -> str:
        return f"average={self.average!r}"


def _one_score(outputs: Any) -> bool:
    """Tell whether models, whose outputs are along axis 0, return one score for each sample."""
    return outputs.ndim < 3 or outputs.shape[2] == 1


def _entropy(p: ndarray[Any, Any], single: bool, axis: int) -> ndarray[Any, Any]:
    def terms(q: Any) -> Any:
        return -q * np.log(np.maximum(q, np.finfo(q.dtype).tiny))

    return np.asarray(terms(p) + terms(1 - p)) if single else np.asarray(terms(p).sum(axis))


def bagging(
    make_model: Callable[[], Any], train: Callable[[Any, Any, Any], Any], x: Any, y: Any, n: int = 10, *,
    average: str = "outputs", generator: np.random.Generator | None = None,
) -> Ensemble:  # fmt: skip
    """Train models on samples of the data, each drawn with replacement and as large as it, and average them.

    Each model sees about 63 % of the data; :meth:`Ensemble.out_of_bag` tests it on the rest.
    [Breiman, Bagging Predictors, 1996]

    Args:
        make_model: makes a new model each time.
        train: called as ``train(model, x, y)``; it trains the model, or returns one.
        x, y: inputs and targets, as arrays.
        n: how many models.
        average: as of :class:`Ensemble`.
        generator: what the samples are drawn from; the library's own by default.

    Returns:
        an Ensemble, whose ``samples`` are the indices that each model has seen.

    Raises:
        ValueError: no samples, more of x than of y, n below 1, or one model made twice.

    >>> import numpy as np
    >>> from autograd_core import nn, optim
    >>> _ = nn.manual_seed(0)
    >>> def train(model, x, y):
    ...     optimizer = optim.Adam(model.parameters(), lr=0.05)
    ...     for _ in range(50):
    ...         optimizer.zero_grad()
    ...         nn.functional.mse_loss(model(x), y).backward()
    ...         optimizer.step()
    >>> x = np.linspace(-1, 1, 30, dtype=np.float32)[:, None]
    >>> ensemble = optim.bagging(lambda: nn.MLP([1, 8, 1], "tanh"), train, x, np.sin(3 * x), n=5)
    >>> len(ensemble.models), len(np.unique(ensemble.samples[0])) < 30
    (5, True)
    """
    x, y = samples("bagging", x, y)
    if n < 1:
        raise ValueError(message("bagging", f"n={n}", "1 or more"))
    models, seen = [], []
    for _ in range(n):
        chosen = (generator or nn.random.generator()).integers(len(x), size=len(x))
        model = make_model()
        trained = train(model, x[chosen], y[chosen])
        models.append(trained if isinstance(trained, nn.Module) else model)
        seen.append(chosen)
    if len({id(model) for model in models}) < n:
        raise ValueError(message("bagging", "the same model twice", "a new one from each make_model()",
                                 "lambda: nn.MLP(...)"))  # fmt: skip
    ensemble = Ensemble(models, average)
    ensemble.samples = seen
    return ensemble


def snapshot_ensemble(
    model: Any, optimizer: Any, loss: Callable[[Any, Any], Any], loader: Any, *, cycles: int = 5,
    epochs: int = 10, average: str = "probabilities",
) -> Ensemble:  # fmt: skip
    """Train one model with a rate that falls and starts again, and average what it was at each end.

    Each cycle ends in another minimum, so that one training run gives several models. The rate is
    that of :class:`CosineAnnealingWarmRestarts`, a step at a time.
    [Huang et al., Snapshot Ensembles: Train 1, Get M for Free, 2017]

    Args:
        model: is trained, and at the end as its last snapshot.
        optimizer: of the model; its rate is where each cycle starts, and is put back at the end.
        loss: ``loss(output, target)``.
        loader: gives mini-batches (inputs, targets), and has a length.
        cycles: snapshots; the average of the last few of them may be better than that of all.
        epochs: of each cycle.
        average: as of :class:`Ensemble`.

    Raises:
        ValueError: no cycles, no epochs, or no batches.
        FloatingPointError: the loss is not finite.

    >>> from autograd_core import nn, optim
    >>> _ = nn.manual_seed(0)
    >>> x, y = nn.data.digits()
    >>> model = nn.MLP([64, 20, 10])
    >>> optimizer = optim.SGD(model.parameters(), lr=0.2, momentum=0.9)
    >>> loader = nn.data.batches(x[:1000], y[:1000])
    >>> ensemble = optim.snapshot_ensemble(model, optimizer, nn.functional.cross_entropy, loader,
    ...                                    cycles=3, epochs=2)
    >>> len(ensemble.models), bool((ensemble(x[1000:]).argmax(1) == y[1000:]).mean() > 0.85)
    (3, True)
    """
    who = "snapshot_ensemble"
    for name, number in {"cycles": cycles, "epochs": epochs, "len(loader)": len(loader)}.items():
        if number < 1:
            raise ValueError(message(who, f"{name}={number}", "1 or more"))
    rates = [group["lr"] for group in optimizer.param_groups]
    for group, rate in zip(optimizer.param_groups, rates, strict=True):
        group["initial_lr"] = rate  # where an earlier schedule may have left another
    schedule = CosineAnnealingWarmRestarts(optimizer, epochs * len(loader))
    snapshots: list[Any] = []
    try:
        for _ in range(cycles):
            for _ in range(epochs):
                for inputs, targets in loader:
                    optimizer.zero_grad()
                    now = loss(model.train()(inputs), targets)
                    if not math.isfinite(now.item()):
                        raise FloatingPointError(message(
                            who, f"a loss of {now.item()} in cycle {len(snapshots) + 1}", "a finite one",
                            "a lower rate"))  # fmt: skip
                    now.backward()
                    optimizer.step()
                    schedule.step()
            optimizer.zero_grad()
            snapshots.append(copy.deepcopy(model))
    finally:
        for group, rate in zip(optimizer.param_groups, rates, strict=True):
            group["lr"] = rate
    return Ensemble(snapshots, average)
