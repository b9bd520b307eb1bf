"""MNIST and Fashion-MNIST: 60,000 images to train on and 10,000 to test on, 28 x 28 pixels, 10 classes."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy import ndarray

from autograd_core.errors import message

from .download import download_file
from .images import parsed, unpacked

__all__ = ["fashion_mnist", "mnist"]

NAMES = (
    "train-images-idx3-ubyte", "train-labels-idx1-ubyte", "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte",
)  # fmt: skip


class Published(NamedTuple):
    """A set of four files: where they are, and the MD5 of each, uncompressed, in the order of NAMES."""

    mirrors: tuple[str, ...]
    digests: tuple[str, str, str, str]


MNIST = Published(
    ("https://ossci-datasets.s3.amazonaws.com/mnist/", "https://storage.googleapis.com/cvdf-datasets/mnist/"),
    ("6bbc9ace898e44ae57da46a324031adb", "a25bea736e30d166cdddb491f175f624",
     "2646ac647ad5339dbf082846283269ea", "27ae3e4e09519cfbb04c329615203637"),
)  # fmt: skip
FASHION = Published(
    ("http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",
     "https://github.com/zalandoresearch/fashion-mnist/raw/master/data/fashion/"),
    ("f4a8712d7a061bf5bd6d2ca38dc4d50a", "9018921c3c673c538a1fc5bad174d6f9",
     "8181f5470baa50b63fa0f6fddb340f0a", "15d484375f8d13e6eb1aabb0c3f46965"),
)  # fmt: skip


def mnist(
    folder: str | Path, flat: bool = True, download: bool = False, check: bool = True
) -> tuple[ndarray[Any, Any], ...]:
    """Read MNIST, handwritten digits, from its four files, as they are published, gzipped or not.

    Args:
        folder: where ``train-images-idx3-ubyte``, ``train-labels-idx1-ubyte`` and the two
            ``t10k-`` files are, with or without ``.gz``.
        flat: each image as one row of 784 numbers; otherwise 28 x 28.
        download: fetch those of the files that are not in the folder.
        check: compare each file with the published digest; without, files of other images of the same
            form are read too.

    Returns:
        train_images, train_labels, test_images, test_labels; images float32 from 0 to 1, labels int64.

    Raises:
        FileNotFoundError: a file is missing; the error names all four.
        ValueError: a file is damaged or another one.
        OSError: it could not be downloaded; the error says from where, and where to put it by hand.

    Source: Y. LeCun, C. Cortes, C. J. C. Burges, The MNIST database of handwritten digits.

    >>> images, labels, *test = mnist("downloads")
    Traceback (most recent call last):
    FileNotFoundError: [mnist] got downloads, which has no train-images-idx3-ubyte[.gz], expected ...
    """
    return _read("mnist", MNIST, Path(folder), flat, download, check)


def fashion_mnist(
    folder: str | Path, flat: bool = True, download: bool = False, check: bool = True
) -> tuple[ndarray[Any, Any], ...]:
    """Read Fashion-MNIST, articles of clothing in the form of MNIST; see :func:`mnist`.

    The classes are: T-shirt or top, trouser, pullover, dress, coat, sandal, shirt, sneaker, bag, ankle boot.
    Its files have the names of MNIST's and need a folder of their own.

    Source: H. Xiao, K. Rasul, R. Vollgraf, Fashion-MNIST: a novel image dataset for benchmarking machine
    learning algorithms, 2017.

    >>> images, labels, *test = fashion_mnist("downloads")
    Traceback (most recent call last):
    FileNotFoundError: [fashion_mnist] got downloads, which has no train-images-idx3-ubyte[.gz], ...
    """
    return _read("fashion_mnist", FASHION, Path(folder), flat, download, check)


def _read(
    who: str, published: Published, folder: Path, flat: bool, download: bool, check: bool
) -> tuple[ndarray[Any, Any], ...]:
    paths = [next((p for p in (folder / name, folder / f"{name}.gz") if p.exists()), None) for name in NAMES]
    for i, (name, path) in enumerate(zip(NAMES, paths)):
        if path is None and not download:
            raise FileNotFoundError(message(who, f"{folder}, which has no {name}[.gz]", ", ".join(NAMES),
                                            "download=True"))  # fmt: skip
        if path is None:
            urls = [f"{mirror}{name}.gz" for mirror in published.mirrors]
            paths[i] = download_file(who, urls, folder / f"{name}.gz", published.digests[i])
    arrays = []
    for path, digest in zip(paths, published.digests):
        assert path is not None
        content = unpacked(path)
        if check and (found := hashlib.md5(content, usedforsecurity=False).hexdigest()) != digest:
            raise ValueError(message(who, f"{path} with MD5 {found} (uncompressed)", digest,
                                     "another folder, or check=False for images of your own"))  # fmt: skip
        arrays.append(parsed(path, content))
    parts: list[ndarray[Any, Any]] = []
    for images, labels in (arrays[:2], arrays[2:]):
        if images.ndim != 3 or labels.shape != images.shape[:1]:
            raise ValueError(message(
                who, f"images of shape {images.shape} and labels of shape {labels.shape} in {folder}",
                "as many of both"))  # fmt: skip
        pixels = np.divide(images, np.float32(255), dtype=np.float32)
        parts += [pixels.reshape(len(pixels), -1) if flat else pixels, labels.astype(np.int64)]
    return tuple(parts)
