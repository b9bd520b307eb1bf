"""Images of handwritten digits that come with the library, and the IDX format of larger sets."""

from __future__ import annotations

import gzip
import math
import zlib
from pathlib import Path
from typing import Any

import numpy as np
from numpy import ndarray

from autograd_core.errors import message

__all__ = ["digits", "read_idx"]


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
    return parsed(path, unpacked(path))


def unpacked(path: str | Path) -> bytes:
    """Return what is in a file, gzipped or not."""
    content = Path(path).read_bytes()
    if content[:2] != b"\x1f\x8b":
        return content
    try:
        return gzip.decompress(content)
    except (EOFError, OSError, zlib.error) as error:
        raise ValueError(message("read_idx", f"{path}, which is damaged: {error}", "a whole gzip file",
                                 "downloading it again")) from error  # fmt: skip


def parsed(path: str | Path, content: bytes) -> ndarray[Any, Any]:
    """Return the array that the content of an IDX file is."""
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
