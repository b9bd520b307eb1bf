"""What all preprocessing shares: samples that are checked, and learnt arrays that are saved and loaded."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from typing import Any, ClassVar, Self

import numpy as np
from numpy import ndarray

from autograd_core.errors import message

from .. import showing

__all__: list[str] = []


def samples(who: str, x: Any, least: int = 1) -> ndarray[Any, Any]:
    """Return ``x`` as an array of at least ``least`` samples of real numbers."""
    x = np.asarray(x)
    if x.dtype.kind not in "biuf":
        raise TypeError(message(who, f"data of dtype {x.dtype}", "real numbers"))
    if x.ndim < 1 or len(x) < least or x.size == 0:
        raise ValueError(message(who, f"data of shape {x.shape}",
                                 "samples" if least == 1 else f"at least {least} samples"))  # fmt: skip
    return x


def check_finite(who: str, learnt: Any, x: ndarray[Any, Any]) -> None:
    """Refuse what was learnt from samples with NaN or infinite numbers; only then look for them."""
    if not np.all(np.isfinite(learnt)):
        bad = np.flatnonzero(~np.isfinite(x).reshape(len(x), -1).all(axis=1))
        said = (f"{len(bad)} of {len(x)} samples with NaN or infinite numbers, the first at {bad[0]}"
                if bad.size else "numbers whose squares overflow")  # fmt: skip
        raise ValueError(message(who, said, "finite numbers", "leaving out or filling in what is missing"))


def floating(x: ndarray[Any, Any]) -> np.dtype[Any]:
    """Return the dtype of results: that of x if it is floating, otherwise float32."""
    return x.dtype if x.dtype.kind == "f" else np.dtype(np.float32)


class Fitted:
    """Preprocessing with arrays that ``fit`` learns; ``None`` before.

    ``arrays`` names them and says their shapes: ``"s"`` that of a sample, ``"k"`` the number of components,
    ``"ks"`` both.
    """

    arrays: ClassVar[dict[str, str]] = {}

    def fit(self, x: Any) -> Self:
        raise NotImplementedError

    def __repr__(self) -> str:
        return showing.call(self)

    def _need_fit(self) -> None:
        if any(getattr(self, name) is None for name in self.arrays):
            raise ValueError(message(type(self).__name__, "data before fit", "fit(train) first"))

    def state_dict(self) -> dict[str, ndarray[Any, Any]]:
        """Return copies of what was learnt, as ``nn.save_file`` stores it; settings are not among it."""
        self._need_fit()
        return {name: np.array(getattr(self, name)) for name in self.arrays}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take what another of this kind has learnt; all of it or, where it does not fit, nothing."""
        who = f"{type(self).__name__}.load_state_dict"
        if not isinstance(state, Mapping):
            raise TypeError(message(who, f"a {type(state).__name__}", "arrays by name"))
        if set(state) != set(self.arrays):
            raise ValueError(message(who, f"the names {', '.join(map(str, state))}", ", ".join(self.arrays)))
        values = {name: np.array(state[name]) for name in self.arrays}
        first, *_ = self.arrays
        sample, count = values[first].shape, np.shape(values.get("components", ()))[:1]
        shapes = {"s": sample, "k": count, "ks": count + sample}
        for name, kind in self.arrays.items():
            if values[name].shape != shapes[kind] or values[name].dtype.kind not in "biuf":
                raise ValueError(message(
                    who, f"{name} of shape {values[name].shape} and dtype {values[name].dtype}",
                    f"real numbers of shape {shapes[kind]}"))  # fmt: skip
        for name, value in values.items():
            setattr(self, name, value)


BLOCK = 2**19  # numbers at once; a float64 copy of all data would need twice their memory


def blocks(x: ndarray[Any, Any]) -> Iterator[slice]:
    """Yield the samples, some at once, of which float64 copies are small."""
    step = max(1, BLOCK // max(1, width(x.shape)))
    for start in range(0, len(x), step):
        yield slice(start, start + step)


def blockwise(
    x: ndarray[Any, Any], dtype: Any, f: Callable[[Any], Any], shape: tuple[int, ...] | None = None
) -> ndarray[Any, Any]:
    """Return what f, which computes in float64, makes of the samples; each is of ``shape``, or as it was."""
    y = np.empty((len(x), *(x.shape[1:] if shape is None else shape)), dtype)
    for part in blocks(x):
        y[part] = f(x[part])
    return y


def rotated(x: ndarray[Any, Any], *matrices: Any, before: Any = 0.0, after: Any = 0.0) -> ndarray[Any, Any]:
    """Return ``(x - before) @ matrix + after`` for each row; of several matrices, with one after the other.

    In float64: a direction of little variance is a small difference of large numbers.
    """

    def turned(part: ndarray[Any, Any]) -> Any:
        part = part - before
        for matrix in matrices:
            part = part @ matrix
        return part + after

    rows = x.reshape(len(x), width(x.shape))
    return blockwise(rows, floating(x), turned, matrices[-1].shape[1:])


def width(shape: tuple[int, ...]) -> int:
    """Return the numbers in one sample."""
    return math.prod(shape[1:])
