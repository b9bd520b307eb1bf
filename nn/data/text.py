"""Text as characters: their numbers, and the windows that recurrent networks are trained on."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy import ndarray

from autograd_core.errors import message

from .batches import batches
from .loader import DataLoader
from .samplers import positive

__all__ = ["Characters", "sequences", "streams"]


class Characters:
    """A vocabulary of characters: those of a text, in the order of their Unicode numbers.

    Args:
        text: whatever has each character at least once.
        unknown: a character that stands for those the vocabulary does not have; without one they
            are an error.

    Attributes:
        symbols: the characters in order, as one text; ``Characters(symbols)`` is the same vocabulary.

    Raises:
        ValueError: the text has no characters.

    >>> from autograd_core import nn
    >>> letters = nn.data.Characters("hello world")
    >>> len(letters), letters.symbols
    (8, ' dehlorw')
    >>> letters.encode("hole")
    array([3, 5, 4, 2])
    >>> letters.decode([3, 5, 4, 2])
    'hole'
    """

    def __init__(self, text: str, unknown: str | None = None) -> None:
        if not isinstance(text, str):
            raise TypeError(message("Characters", f"text of type {type(text).__name__}", "str",
                                    "bytes.decode()"))  # fmt: skip
        if not text:
            raise ValueError(message("Characters", "an empty text", "each character at least once"))
        if unknown is not None and not (isinstance(unknown, str) and len(unknown) == 1):
            raise ValueError(message("Characters", f"unknown={unknown!r}", "one character", "'\\ufffd'"))
        self.unknown = unknown
        self._points = np.unique(_points(text + (unknown or "")))
        self.symbols = _text(self._points)

    def encode(self, text: str) -> ndarray[Any, Any]:
        """Return the number of each character: int64, (len(text),).

        Raises:
            ValueError: a character is not in the vocabulary, and there is none for unknown ones.
            TypeError: the text is none.
        """
        if not isinstance(text, str):
            raise TypeError(message("Characters", f"text of type {type(text).__name__}", "str"))
        points = _points(text)
        codes = np.searchsorted(self._points, points)
        known = self._points[np.minimum(codes, len(self) - 1)] == points
        if not known.all():
            if self.unknown is None:
                at = int(np.flatnonzero(~known)[0])
                raise ValueError(message("Characters", f"{text[at]!r} at position {at}",
                                         f"one of {_short(self.symbols)}",
                                         "a vocabulary with unknown='\\ufffd'"))  # fmt: skip
            codes[~known] = self.symbols.index(self.unknown)
        return codes.astype(np.int64, copy=False)

    def decode(self, codes: Any) -> Any:
        """Return the text of numbers (T,), or a list of texts of (N, T), and so on inwards.

        Raises:
            ValueError: these are no integers.
            IndexError: a number is not one of 0 ... len - 1.
        """
        found = np.asarray(codes)
        if found.size == 0:
            found = found.astype(np.int64)
        if found.dtype.kind not in "iu":
            raise ValueError(message("Characters", f"codes of dtype {found.dtype}", "integers",
                                     "probabilities.argmax(-1)"))  # fmt: skip
        if found.size and not 0 <= found.min() <= found.max() < len(self):
            wrong = found.min() if found.min() < 0 else found.max()
            raise IndexError(message("Characters", f"code {wrong}", f"0 to {len(self) - 1}"))
        if found.ndim > 1:
            return [self.decode(row) for row in found]
        return _text(self._points[found.reshape(-1)])

    def __len__(self) -> int:
        return len(self._points)

    def __contains__(self, character: object) -> bool:
        return isinstance(character, str) and len(character) == 1 and character in self.symbols

    def __repr__(self) -> str:
        return f"Characters({_short(self.symbols)}{f', unknown={self.unknown!r}' if self.unknown else ''})"


def _points(text: str) -> ndarray[Any, Any]:
    return np.frombuffer(text.encode("utf-32-le", "surrogatepass"), "<u4")


def _text(points: ndarray[Any, Any]) -> str:
    return points.astype("<u4").tobytes().decode("utf-32-le", "surrogatepass")


def _short(text: str) -> str:
    return repr(text) if len(text) <= 40 else f"{text[:40]!r}... ({len(text)} characters)"


def sequences(
    codes: Any, length: int, step: int | None = None
) -> tuple[ndarray[Any, Any], ndarray[Any, Any]]:
    """Return windows of a sequence, and for each position what comes next.

    x[i, t] = codes[i step + t] and y[i, t] = codes[i step + t + 1]: a network that reads x from a state of
    zeros learns to foretell y. What is left at the end and fills no window is left out.

    Args:
        codes: the sequence, (n,) or (n, ...).
        length: the number of positions in a window.
        step: from the start of one window to that of the next; ``length`` by default, so that they do not
            overlap. With 1 there are n - length of them. They are views: no memory is needed for them.

    Returns:
        x and y, (windows, length, ...), which are read-only. ``nn.data.batches(x, y)`` shuffles them.

    Raises:
        ValueError: the sequence is too short for one window and what comes after it.

    >>> from autograd_core import nn
    >>> x, y = nn.data.sequences(np.arange(8), length=3)
    >>> x
    array([[0, 1, 2],
           [3, 4, 5]])
    >>> y
    array([[1, 2, 3],
           [4, 5, 6]])
    """
    values, length = _sequence("sequences", codes, length)
    step = length if step is None else positive("sequences", "step", step)
    windows = np.moveaxis(np.lib.stride_tricks.sliding_window_view(values, length + 1, axis=0), -1, 1)[::step]
    return windows[:, :-1], windows[:, 1:]


def streams(codes: Any, length: int, batch_size: int = 32) -> DataLoader:
    """Cut a sequence into streams read side by side: batches for truncated backpropagation through time.

    The sequence is divided into ``batch_size`` parts of equal length. Row r of each batch is a window
    of part r, and each batch goes on where the one before it ended, so that the state of the network
    after one batch (detached) is its state before the next.

    Args:
        codes: the sequence, (n,) or (n, ...).
        length: the number of positions in a window; the gradient flows back through no more.
        batch_size: the number of parts, rows of each batch.

    Returns:
        a loader of pairs x and y, (batch_size, length, ...); y is what comes next. What is left at the
        end and fills no window is left out.

    Raises:
        ValueError: the sequence is too short for one batch.

    >>> from autograd_core import nn
    >>> for x, y in nn.data.streams(np.arange(13), length=3, batch_size=2):
    ...     print(x.tolist(), y.tolist())
    [[0, 1, 2], [6, 7, 8]] [[1, 2, 3], [7, 8, 9]]
    [[3, 4, 5], [9, 10, 11]] [[4, 5, 6], [10, 11, 12]]
    """
    values, length = _sequence("streams", codes, length)
    rows = positive("streams", "batch_size", batch_size)
    count = (len(values) - 1) // rows // length  # batches
    if count < 1:
        raise ValueError(message("streams", f"a sequence of {len(values)}",
                                 f"{rows * length + 1} or more: batch_size={rows} times length={length}, "
                                 "and what comes next"))  # fmt: skip
    part = (len(values) - 1) // rows
    starts = length * np.arange(count)[:, np.newaxis] + part * np.arange(rows)  # batch by batch
    return batches(*sequences(values, length, step=1), batch_size=rows, sampler=starts.reshape(-1))


def _sequence(who: str, codes: Any, length: int) -> tuple[ndarray[Any, Any], int]:
    if isinstance(codes, str):
        raise TypeError(message(who, "a text", "numbers", "Characters(text).encode(text)"))
    values, length = np.asarray(codes), positive(who, "length", length)
    if values.ndim < 1 or len(values) <= length:
        raise ValueError(message(who, f"a sequence of shape {values.shape}",
                                 f"more than length={length} values"))  # fmt: skip
    return values, length
