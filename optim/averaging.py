"""Averages of a model's parameters over its training: exponential ones, and those of equal weight."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

import numpy as np
from numpy import ndarray

from autograd_core import nn, no_grad
from autograd_core.errors import message
from autograd_core.interrupts import deferred
from autograd_core.kernels.twins import loop
from autograd_core.node import strip
from autograd_core.primitive import duck, kernel
from autograd_core.tensor import Tensor

from .rule import Rule

__all__ = [
    "AveragedModel", "ema", "update_bn",
    "get_ema_avg_fn", "get_ema_multi_avg_fn", "get_swa_avg_fn", "get_swa_multi_avg_fn",
]  # fmt: skip

Array = ndarray[Any, Any]


@loop
def move(a: Any, x: Any, w: Any, v: Any, near: bool) -> Any:
    if near:
        return (a + w * (x - a),)
    return (x - v * (x - a),)  # with v = 1 - w: exact at w = 1, as PyTorch's lerp


@loop
def move_all(a: Any, x: Any, numbers: Any) -> None:
    for i in range(a.size):
        a[i] = move(a[i], x[i], *numbers)[0]


RULE = Rule(move, move_all)
SMALL = 1 << 10  # elements: fewer are moved in one array with others; 200 of 50 in three quarters of the time


def toward(average: Array, value: Array, w: float) -> None:
    """Move an average to a value, ``a <- a + w (x - a)``, in place."""
    flat = average.reshape(-1)  # a copy, where it is not in C order
    RULE([flat, np.ascontiguousarray(value, average.dtype).reshape(-1)], (w, 1 - w, w < 0.5))
    if not average.flags.c_contiguous:
        average[...] = flat.reshape(average.shape)


def _share(decay: float, bias_correction: bool, n: int) -> float:
    """Return the share of a new value in an exponential average that n values are in already."""
    if not bias_correction:
        return 1 - decay
    return (1 - decay) / (1 - decay ** (n + 1)) if decay < 1 else 1 / (n + 1)


_equal = partial(_share, 1.0, True)


def _each(share: Callable[[int], float], averages: list[Array], values: list[Array], n: int) -> None:
    w, small = share(int(n)), []
    for average, value in zip(averages, values, strict=True):
        if average.size < SMALL:
            small.append((average, value))
        else:
            toward(average, value, w)
    for start in range(0, len(small), 64):
        together = small[start : start + 64]
        flat, x = (np.concatenate([pair[i].reshape(-1) for pair in together]) for i in (0, 1))
        toward(flat, x, w)
        for average, _ in together:
            part, flat = flat[: average.size], flat[average.size :]
            np.copyto(average, part.reshape(average.shape))


def _one(share: Callable[[int], float], average: Array, value: Array, n: int) -> Array:
    result = np.array(average)
    toward(result, np.asarray(strip(value)), share(int(n)))
    return result


def get_ema_multi_avg_fn(decay: float = 0.999, bias_correction: bool = False) -> Callable[..., None]:
    """Return a function that moves exponential averages: ``a <- d a + (1 - d) x``, in place.

    Args:
        decay: d, from 0 to 1.
        bias_correction: let the n-th value have the share ``(1 - d) / (1 - d^n)``. The weights of all
            values are then ``d^age`` over their sum, as Adam's moments correct it. Without, as in PyTorch,
            the first value begins with a weight of 1 and is forgotten in 1 / (1 - d) steps.

    Returns:
        ``multi_avg_fn(averages, values, n)`` for lists of arrays and the number of values that are in the
        averages.

    Raises:
        ValueError: a decay outside [0, 1].

    >>> import numpy as np
    >>> from autograd_core import optim
    >>> a = np.array([1.0])
    >>> optim.get_ema_multi_avg_fn(0.9)([a], [np.array([2.0])], 1)
    >>> a
    array([1.1])
    """
    if not 0 <= decay <= 1:
        raise ValueError(message("ema", f"decay={decay}", "a number from 0 to 1"))
    return partial(_each, partial(_share, decay, bias_correction))


def get_ema_avg_fn(decay: float = 0.999, bias_correction: bool = False) -> Callable[..., Array]:
    """Return ``avg_fn(average, value, n)``, which is :func:`get_ema_multi_avg_fn` for one array, anew."""
    return partial(_one, get_ema_multi_avg_fn(decay, bias_correction).args[0])  # type: ignore[attr-defined]


def get_swa_multi_avg_fn() -> Callable[..., None]:
    """Return a function that moves averages of equal weight: ``a <- a + (x - a) / (n + 1)``, in place.

    >>> import numpy as np
    >>> from autograd_core import optim
    >>> a = np.array([1.0])
    >>> optim.get_swa_multi_avg_fn()([a], [np.array([4.0])], 2)
    >>> a
    array([2.])
    """
    return partial(_each, _equal)


def get_swa_avg_fn() -> Callable[..., Array]:
    """Return ``avg_fn(average, value, n)``, which is :func:`get_swa_multi_avg_fn` for one array, anew."""
    return partial(_one, _equal)


class AveragedModel(nn.Module):
    """A copy of a model whose parameters are averages of the model's, as it is trained.

    Each ``update_parameters(model)`` takes the present parameters into the averages; the first one is a
    copy. Without a function they are means of equal weight (stochastic weight averaging, Polyak); for
    exponential ones see :func:`ema`. The model itself is only read. Its integer parameters and buffers,
    which count something, are copied.

    Args:
        model: the model; it is copied.
        device: "cpu", where everything is.
        avg_fn: ``avg_fn(average, value, n)`` returns the next average of one array; n values are in it.
        multi_avg_fn: ``multi_avg_fn(averages, values, n)`` changes lists of arrays, of one dtype, in place.
        use_buffers: average the buffers too, such as the statistics of batch normalization. Otherwise
            they are those of the model, and :func:`update_bn` computes them for the averages.

    Attributes:
        module: the copy with the averages.
        n_averaged: how many values are in them.

    Raises:
        ValueError: both functions; in ``update_parameters`` a model of other parameters.
        TypeError: something else than a Module.

    Source: P. Izmailov and others, "Averaging weights leads to wider optima and better generalization",
    2018; B. Polyak and A. Juditsky, "Acceleration of stochastic approximation by averaging", 1992.

    >>> import numpy as np
    >>> from autograd_core import nn, optim
    >>> model = nn.Linear(1, 1, bias=False)
    >>> average = optim.AveragedModel(model)
    >>> for value in (1.0, 2.0, 6.0):
    ...     _ = nn.init.constant_(model.weight, value)
    ...     average.update_parameters(model)
    >>> average(np.ones((1, 1))).item(), model(np.ones((1, 1))).item()
    (3.0, 6.0)
    """

    n_averaged: Array

    def __init__(
        self, model: nn.Module, device: Any = None, avg_fn: Callable[..., Any] | None = None,
        multi_avg_fn: Callable[..., Any] | None = None, use_buffers: bool = False,
    ) -> None:  # fmt: skip
        super().__init__()
        if not isinstance(model, nn.Module):
            raise TypeError(message("AveragedModel", f"a {type(model).__name__}", "a Module"))
        if avg_fn is not None and multi_avg_fn is not None:
            raise ValueError(message("AveragedModel", "avg_fn and multi_avg_fn", "one of them"))
        self.module = copy.deepcopy(model)
        self.module.to("cpu" if device is None else device)
        self.register_buffer("n_averaged", np.array(0, np.int64))
        self.avg_fn, self.multi_avg_fn, self.use_buffers = avg_fn, multi_avg_fn, use_buffers

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        return self.module(*args, **kwargs)

    def update_parameters(self, model: nn.Module) -> None:
        """Take the present parameters of the model into the averages."""
        parameters, buffers = self._pairs(model)
        with deferred(), no_grad():
            pairs = [(_written(ours), strip(theirs)) for ours, theirs in (*parameters, *buffers)]
            averages, values = [ours for ours, _ in pairs], [theirs for _, theirs in pairs]
            part = self._take if duck((self.n_averaged,)) is None else kernel(self._take, _halves)
            part(self.n_averaged, len(pairs) if self.use_buffers else len(parameters), *averages, *values)

    def _take(self, count: Any, averaged: int, *arrays: Array) -> None:
        """Take values, the second half of the arrays, into the first, and count them.

        It looks at the count, so a step that is captured makes it as one call.
        """
        averages, values = arrays[: len(arrays) // 2], arrays[len(arrays) // 2 :]
        n = int(count)
        by_dtype: dict[Any, list[tuple[Array, Array]]] = {}
        for i, (average, value) in enumerate(zip(averages, values, strict=True)):
            if n and i < averaged and average.dtype.kind in "fc":
                by_dtype.setdefault(average.dtype, []).append((average, value))
            else:
                average[...] = value
        for pairs in by_dtype.values():
            self._average([average for average, _ in pairs], [value for _, value in pairs], n)
        count += 1

    def _average(self, averages: list[Array], values: list[Array], n: int) -> None:
        if self.avg_fn is None:
            (self.multi_avg_fn or get_swa_multi_avg_fn())(averages, values, n)
        else:
            for average, value in zip(averages, values, strict=True):
                average[...] = strip(self.avg_fn(average, value, n))

    @contextmanager
    def applied(self, model: nn.Module) -> Iterator[nn.Module]:
        """Let the model have the averages inside a ``with`` block, and its own values again after it.

        What the block does to the parameters and buffers is lost, and an error in it does no harm.

        >>> from autograd_core import nn, optim
        >>> model = nn.Linear(1, 1, bias=False)
        >>> average = optim.AveragedModel(model)
        >>> for value in (1.0, 5.0):
        ...     _ = nn.init.constant_(model.weight, value)
        ...     average.update_parameters(model)
        >>> with average.applied(model):
        ...     print(model.weight.item())
        3.0
        >>> model.weight.item()
        5.0
        """
        pairs = [pair for pairs in self._pairs(model) for pair in pairs]
        kept = [strip(theirs).copy() for _, theirs in pairs]
        try:
            with deferred(), no_grad():
                for ours, theirs in pairs:
                    _written(theirs)[...] = strip(ours)
            yield model
        finally:
            with deferred(), no_grad():
                for (_, theirs), values in zip(pairs, kept, strict=True):
                    _written(theirs)[...] = values

    def _pairs(self, model: nn.Module) -> tuple[list[tuple[Any, Any]], list[tuple[Any, Any]]]:
        """Return the parameters here and in the model, in pairs, and the buffers likewise."""
        found = []
        for kind in ("parameters", "buffers"):
            ours, theirs = (list(getattr(m, kind)()) for m in (self.module, model))
            if [a.shape for a in ours] != [x.shape for x in theirs]:
                shapes = [{name: value.shape for name, value in getattr(m, f"named_{kind}")()}
                          for m in (self.module, model)]  # fmt: skip
                wrong = min(dict(shapes[0].items() ^ shapes[1].items()))
                raise ValueError(message(
                    "AveragedModel", f"a model with {wrong} of shape {shapes[1].get(wrong)}",
                    f"{shapes[0].get(wrong)}, as when it was made"))  # fmt: skip
            found.append(list(zip(ours, theirs, strict=True)))
        return found[0], found[1]


def _halves(count: Any, averaged: int, *arrays: Any) -> tuple[Any, ...]:
    """Return what :meth:`AveragedModel._take` writes into."""
    return (count, *arrays[: len(arrays) // 2])


def _written(value: Any) -> Any:
    """Return the memory of a parameter or buffer, to write to."""
    return value.writable("AveragedModel") if isinstance(value, Tensor) else value


def ema(
    model: nn.Module, decay: float = 0.999, bias_correction: bool = True, use_buffers: bool = False
) -> AveragedModel:
    """Return an :class:`AveragedModel` of exponential averages: ``a <- d a + (1 - d) p`` at each update.

    Args:
        model: the model; it is copied.
        decay: d; the average reaches over about ``1 / (1 - d)`` updates.
        bias_correction: see :func:`get_ema_multi_avg_fn`; with it, the average is good from the beginning.
        use_buffers: average the buffers too.

    Raises:
        ValueError: a decay outside [0, 1].

    >>> from autograd_core import nn, optim
    >>> model = nn.Linear(1, 1, bias=False)
    >>> average = optim.ema(model, 0.5)
    >>> for value in (0.0, 3.0):  # after each step of an optimizer
    ...     _ = nn.init.constant_(model.weight, value)
    ...     average.update_parameters(model)
    >>> average.module.weight.item()
    2.0
    """
    function = get_ema_multi_avg_fn(decay, bias_correction)
    return AveragedModel(model, multi_avg_fn=function, use_buffers=use_buffers)


def update_bn(loader: Iterable[Any], model: nn.Module, device: Any = None) -> None:
    """Compute the statistics of a model's batch normalizations anew, in one pass over the data.

    The averages of parameters have no statistics of their own. Each layer's become the means over all
    batches, and the model is afterwards in the mode that it was in. If something fails, all is as before.

    Args:
        loader: batches; of a tuple or list the first entry is what the model is called with.
        model: the model, an :class:`AveragedModel` as a rule.
        device: "cpu", where everything is.

    Raises:
        ValueError: a loader without batches.

    >>> import numpy as np
    >>> from autograd_core import nn, optim
    >>> model = nn.BatchNorm1d(2)
    >>> optim.update_bn([np.array([[1.0, 10.0], [3.0, 30.0]])], model)
    >>> model.running_mean
    array([ 2., 20.], dtype=float32)
    """
    model.to("cpu" if device is None else device)
    layers = [m for m in model.modules() if isinstance(m, nn.batchnorm._BatchNorm)]
    if not layers:
        return
    modes = [(m, m.training) for m in model.modules()]
    momenta = [m.momentum for m in layers]
    kept = [{name: np.array(b) for name, b in m.named_buffers()} for m in layers]
    count = 0
    try:
        for layer in layers:
            layer.reset_running_stats()
            layer.momentum = None
        model.train()
        with no_grad():
            for batch in loader:
                model(batch[0] if isinstance(batch, (list, tuple)) else batch)
                count += 1
        if not count:
            raise ValueError(message("update_bn", "a loader without batches", "at least one",
                                     "a loader anew, as an iterator serves once"))  # fmt: skip
    except BaseException:
        for layer, values in zip(layers, kept, strict=True):
            for name, array in layer.named_buffers():
                array[...] = values[name]
        raise
    finally:
        for layer, momentum in zip(layers, momenta, strict=True):
            layer.momentum = momentum
        for module, mode in modes:
            module.training = mode
