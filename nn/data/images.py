"""Images of handwritten digits: a small set that comes with the library, and MNIST's files."""

from __future__ import annotations

import gzip
import math
from pathlib import Path
from typing import Any

import numpy as np
from numpy import ndarray

from autograd_core.errors import message

__all__ = ["digits", "mnist", "read_idx"]


def digits(flat: bool = True) -> tuple[ndarray[Any, Any], ndarray[Any, Any]]:
    """Return the 1,797 handwritten digits of 8 x 8 pixels that come with the library.

    Args:
        flat: each image as one row of 64 numbers; otherwise 8 x 8.

    Returns:
        images, float32 from 0 to 1, (1797, 64) or (1797, 8, 8); labels, int64, (1797,).

    Source: E. Alpaydin and C. Kaynak, UCI Machine Learning Repository, 1998, CC BY 4.0
    (https://doi.org/10.24432/C50P49).

    >>> from autograd_core import nn
    >>> images, labels = nn.data.digits()
    >>> images.shape, images.dtype, labels[:5]
    ((1797, 64), dtype('float32'), array([0, 1, 2, 3, 4]))
    """
    from importlib import resources

    with resources.files(__package__).joinpath("digits.npz").open("rb") as file:
        stored = np.load(file)
        images, labels = stored["images"], stored["labels"]
    images = images.astype(np.float32) / 16
    return images.reshape(len(images), -1) if flat else images, labels.astype(np.int64)


IDX_TYPES = {8: ">u1", 9: ">i1", 11: ">i2", 12: ">i4", 13: ">f4", 14: ">f8"}


def read_idx(path: str | Path) -> ndarray[Any, Any]:
    """Read one array from a file in the IDX format, gzipped or not.

    The format: two zero bytes, a byte for the type, one for the number of axes, the lengths as
    big-endian 32-bit integers, then the elements in row order.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: the file is not IDX, or is cut short.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder) / "labels"
    ...     size = path.write_bytes(bytes([0, 0, 8, 1, 0, 0, 0, 3, 5, 0, 4]))
    ...     read_idx(path)
    array([5, 0, 4], dtype=uint8)
    """
    path = Path(path)
    content = path.read_bytes()
    if content[:2] == b"\x1f\x8b":
        content = gzip.decompress(content)
    if len(content) < 4 or content[:2] != b"\0\0" or content[2] not in IDX_TYPES:
        raise ValueError(message(
            "read_idx", f"{path}, which starts with {content[:4]!r}",
            "an IDX file: two zero bytes, a type, a number of axes"))  # fmt: skip
    dtype, axes = np.dtype(IDX_TYPES[content[2]]), content[3]
    start = 4 + 4 * axes
    header = content[4:start]
    shape = tuple(int(n) for n in np.frombuffer(header[: len(header) // 4 * 4], ">i4"))
    size = math.prod(shape)
    if len(shape) < axes or len(content) != start + size * dtype.itemsize:
        raise ValueError(message("read_idx", f"{path} of {len(content)} bytes",
                                 f"{start + size * dtype.itemsize} for its shape {shape}",
                                 "downloading it again"))  # fmt: skip
    array = np.frombuffer(content, dtype, offset=start).reshape(shape)
    return array.astype(dtype.newbyteorder("="))


def mnist(folder: str | Path, flat: bool = True) -> tuple[ndarray[Any, Any], ...]:
    """Read MNIST from its four files, as they are published, gzipped or not.

    Args:
        folder: where ``train-images-idx3-ubyte``, ``train-labels-idx1-ubyte`` and the two
            ``t10k-`` files are, with or without ``.gz``.
        flat: each image as one row of 784 numbers; otherwise 28 x 28.

    Returns:
        train_images, train_labels, test_images, test_labels; images float32 from 0 to 1.

    Raises:
        FileNotFoundError: a file is missing; the error names all four.

    >>> images, labels, *test = mnist("downloads")
    Traceback (most recent call last):
    FileNotFoundError: [mnist] got downloads, which has no train-images-idx3-ubyte[.gz], expected ...
    """
    folder = Path(folder)
    parts: list[ndarray[Any, Any]] = []
    for name in ("train", "t10k"):
        images, labels = (_find(folder, f"{name}-{kind}") for kind in
                          ("images-idx3-ubyte", "labels-idx1-ubyte"))  # fmt: skip
        if images.ndim != 3 or labels.shape != images.shape[:1]:
            raise ValueError(message(
                "mnist", f"images of shape {images.shape} and labels of shape {labels.shape} in "
                f"{folder}", "as many of both"))  # fmt: skip
        pixels = images.astype(np.float32) / 255
        parts += [pixels.reshape(len(pixels), -1) if flat else pixels, labels.astype(np.int64)]
    return tuple(parts)


def _find(folder: Path, name: str) -> ndarray[Any, Any]:
    for path in (folder / name, folder / f"{name}.gz"):
        if path.exists():
            return read_idx(path)
    raise FileNotFoundError(message(
        "mnist", f"{folder}, which has no {name}[.gz]",
        "train-images-idx3-ubyte, train-labels-idx1-ubyte, t10k-images-idx3-ubyte and "
        "t10k-labels-idx1-ubyte"))  # fmt: skip
