"""Single layers, forward and backward."""

from __future__ import annotations

from collections.abc import Iterator

from . import layers_convolution, layers_recurrent
from .table import Row


def rows() -> Iterator[Row]:
    yield from layers_convolution.rows()
    yield from layers_recurrent.rows()
