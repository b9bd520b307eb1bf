"""Bring columns to mean 0 and standard deviation 1, with numbers learnt from the training set."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
from numpy import ndarray

from autograd_core.errors import message

__all__ = ["Standardise", "standardise"]


class Standardise:
    """Shift and scale each column: ``(x - mean) / std``, fitted once and applied to all.

    A constant column has no scale: it is only shifted, to 0.

    >>> import numpy as np
    >>> from autograd_core import nn
    >>> train, test = np.array([[1.0, 5.0], [3.0, 5.0]]), np.array([[4.0, 6.0]])
    >>> scale = nn.data.Standardise().fit(train)
    >>> scale(test)
    array([[2., 1.]])
    >>> scale.inverse(scale(test))
    array([[4., 6.]])
    """

    mean: ndarray[Any, Any] | None = None
    std: ndarray[Any, Any] | None = None

    def fit(self, x: Any) -> Self:
        """Learn the mean and standard deviation of each column of ``x``: (samples, ...)."""
        x = np.asarray(x)
        if x.ndim < 1 or len(x) == 0:
            raise ValueError(message("Standardise", f"data of shape {x.shape}", "samples"))
        self.mean = np.asarray(np.mean(x, axis=0, dtype=np.float64))
        std = np.std(x, axis=0, dtype=np.float64)
        constant = np.all(x == x[:1], axis=0)  # exactly: its std may be a rounding error
        self.std = np.asarray(np.where(constant, 1.0, std))
        return self

    def _fitted(self, x: Any) -> tuple[Any, Any, Any]:
        if self.mean is None or self.std is None:
            raise ValueError(message("Standardise", "data before fit", "fit(train) first"))
        x = np.asarray(x)
        if x.shape[1:] != self.mean.shape:
            raise ValueError(message("Standardise", f"samples of shape {x.shape[1:]}",
                                     f"{self.mean.shape}, as in fit"))  # fmt: skip
        dtype = x.dtype if x.dtype.kind == "f" else np.dtype(np.float32)
        return x, self.mean, (self.std, dtype)

    def __call__(self, x: Any) -> ndarray[Any, Any]:
        """Return ``(x - mean) / std``, in the floating dtype of x (float32 for integers)."""
        x, mean, (std, dtype) = self._fitted(x)
        return np.asarray((x - mean) / std, dtype)

    def inverse(self, x: Any) -> ndarray[Any, Any]:
        """Return ``x * std + mean``: what the columns were before."""
        x, mean, (std, dtype) = self._fitted(x)
        return np.asarray(x * std + mean, dtype)


def standardise(train: Any, *others: Any) -> Any:
    """Standardise ``train``, and the others with the numbers of ``train``.

    >>> import numpy as np
    >>> from autograd_core import nn
    >>> train, test = nn.data.standardise(np.array([[1.0], [3.0]]), np.array([[4.0]]))
    >>> test
    array([[2.]])
    """
    scale = Standardise().fit(train)
    return tuple(scale(x) for x in (train, *others)) if others else scale(train)
