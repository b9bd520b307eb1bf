"""Images of digits and clothes: the IDX format, the files of MNIST, and their download."""

from __future__ import annotations

import functools
import gzip
import hashlib
import http.server
import importlib
import re
import socket
import struct
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from autograd_core import nn

D = nn.data
NAMES = (
    "train-images-idx3-ubyte", "train-labels-idx1-ubyte", "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte",
)  # fmt: skip
FILES = importlib.import_module("nn.data.mnist")  # as an attribute it is the function of that name


def test_the_digits_come_with_the_library() -> None:
    images, labels = D.digits()
    assert images.shape == (1797, 64)
    assert images.dtype == np.float32
    assert (images.min(), images.max()) == (0, 1)
    assert labels.shape == (1797,)
    assert labels.dtype == np.int64
    assert np.bincount(labels).tolist() == [178, 182, 177, 183, 181, 182, 181, 179, 174, 180]
    assert D.digits(flat=False)[0].shape == (1797, 8, 8)
    assert (images[0].reshape(8, 8)[0] * 16).tolist() == [0, 0, 5, 13, 9, 1, 0, 0]


# -- IDX ---------------------------------------------------------------------------------------------


def idx(array: Any, code: int = 8) -> bytes:
    shape = struct.pack(f">{array.ndim}I", *array.shape)
    return bytes([0, 0, code, array.ndim]) + shape + array.tobytes()


@pytest.mark.parametrize(
    ("code", "dtype"), [(8, ">u1"), (9, ">i1"), (11, ">i2"), (12, ">i4"), (13, ">f4"), (14, ">f8")]
)
def test_idx_files_are_read_gzipped_or_not(code: int, dtype: str, tmp_path: Path) -> None:
    array = np.arange(24).reshape(2, 3, 4).astype(dtype)
    for name, content in (("a", idx(array, code)), ("a.gz", gzip.compress(idx(array, code)))):
        (tmp_path / name).write_bytes(content)
        read = D.read_idx(tmp_path / name)
        assert np.array_equal(read, array)
        assert read.dtype == array.dtype.newbyteorder("=")
        read[:] = 0  # it can be written to


def test_idx_files_that_are_none_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "file"
    good = idx(np.zeros((2, 3), np.uint8))
    packed = gzip.compress(good)
    for content, text in [
        (b"", "starts with b''"), (b"PK\x03\x04", "expected an IDX file"), (good[:-1], "17 bytes"),
        (good + b"\0", "expected 18 for its shape"), (good[:6], r"shape \(\)|for its shape"),
        (b"\0\0\x07\x01", "expected an IDX file"), (packed[:-9], "damaged: Compressed file ended"),
        (packed[:-8] + bytes(8), "damaged: CRC check failed"),
        (packed[:10] + b"\xff" * 20, "damaged: Error -3"),
    ]:  # fmt: skip
        path.write_bytes(content)
        with pytest.raises(ValueError, match=text):
            D.read_idx(path)
    with pytest.raises(FileNotFoundError):
        D.read_idx(tmp_path / "none")


# -- MNIST's files -----------------------------------------------------------------------------------


def contents(n: int = 5, m: int = 3) -> dict[str, bytes]:
    """Return four files of the form of MNIST's, of noise."""
    rng = np.random.default_rng(0)
    images = [rng.integers(0, 256, (count, 28, 28)) for count in (n, m)]
    arrays = [images[0], np.arange(n), images[1], np.arange(m)]
    return {name: idx(array.astype(np.uint8)) for name, array in zip(NAMES, arrays)}


@pytest.mark.parametrize("read", [D.mnist, D.fashion_mnist], ids=["digits", "clothes"])
def test_images_of_ones_own_in_the_form_of_mnist(read: Any, tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"has no train-images-idx3-ubyte\[.gz\].*try download=True"):
        read(tmp_path)
    files = contents()
    for name, content in files.items():
        ending, pack = (".gz", gzip.compress) if name.startswith("train") else ("", bytes)
        (tmp_path / (name + ending)).write_bytes(pack(content))
    with pytest.raises(ValueError, match=r"train-images.*with MD5 .*expected .*check=False for images"):
        read(tmp_path)
    x, y, x_test, y_test = read(tmp_path, check=False)
    assert (x.shape, x_test.shape) == ((5, 784), (3, 784))
    assert x.dtype == np.float32
    assert 0 <= x.min() <= x.max() <= 1
    pixels = np.frombuffer(files[NAMES[2]], np.uint8, offset=16)
    assert np.array_equal(x_test.reshape(-1), pixels.astype(np.float32) / 255)
    assert (y.tolist(), y_test.tolist()) == ([0, 1, 2, 3, 4], [0, 1, 2])
    assert y.dtype == np.int64
    assert read(tmp_path, flat=False, check=False)[0].shape == (5, 28, 28)
    (tmp_path / "t10k-labels-idx1-ubyte").write_bytes(idx(np.zeros(2, np.uint8)))
    with pytest.raises(ValueError, match="expected as many of both"):
        read(tmp_path, check=False)


# -- download ----------------------------------------------------------------------------------------


class Server:
    """An HTTP server of a folder, what it was asked for, and what it cuts short."""

    def __init__(self, folder: Path) -> None:
        self.asked: list[str] = []
        self.short: set[str] = set()
        outer = self

        class Handler(http.server.SimpleHTTPRequestHandler):
            def do_GET(self) -> None:
                outer.asked.append(self.path)
                if self.path in outer.short:
                    content = (folder / self.path[1:]).read_bytes()
                    self.send_response(200)
                    self.send_header("Content-Length", str(len(content)))
                    self.end_headers()
                    self.wfile.write(content[: len(content) // 2])
                else:
                    super().do_GET()

            def log_message(self, *args: Any) -> None:
                pass

        handler = functools.partial(Handler, directory=str(folder))
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        self.thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.01})


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    """Serve files like Fashion-MNIST's from /second/; /first/ is another address of theirs, and empty."""
    folder = tmp_path / "served"
    for name in ("first", "second"):
        (folder / name).mkdir(parents=True)
    digests = []
    for name, content in contents().items():
        (folder / "second" / f"{name}.gz").write_bytes(gzip.compress(content))
        digests.append(hashlib.md5(content).hexdigest())
    found = Server(folder)
    published = FILES.Published((f"{found.url}/first/", f"{found.url}/second/"), tuple(digests))
    monkeypatch.setattr(FILES, "FASHION", published)
    for variable in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(variable, raising=False)
    found.thread.start()
    yield found
    found.server.shutdown()
    found.server.server_close()
    found.thread.join()


def listed(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_what_is_missing_is_fetched_once(server: Server, tmp_path: Path) -> None:
    folder = tmp_path / "new" / "folder"
    x, y, *_ = D.fashion_mnist(folder, download=True)
    assert (x.shape, y.tolist()) == ((5, 784), [0, 1, 2, 3, 4])
    assert listed(folder) == sorted(f"{name}.gz" for name in NAMES)
    assert len(server.asked) == 8, "each at the second address, after the first had none"
    assert np.array_equal(D.fashion_mnist(folder, download=True)[0], x)
    assert np.array_equal(D.fashion_mnist(folder)[0], x)
    assert len(server.asked) == 8
    (folder / f"{NAMES[3]}.gz").unlink()
    D.fashion_mnist(folder, download=True)
    assert len(server.asked) == 10


@pytest.mark.parametrize("fault", ["short", "other", "not gzip", "gone"])
def test_a_download_that_fails_leaves_nothing_behind(fault: str, server: Server, tmp_path: Path) -> None:
    name = f"{NAMES[2]}.gz"
    served = tmp_path / "served" / "second" / name
    if fault == "short":
        server.short.add(f"/second/{name}")
    elif fault == "other":
        served.write_bytes(gzip.compress(b"something else"))
    elif fault == "not gzip":
        served.write_bytes(b"<html>Please log in</html>")
    else:
        served.unlink()
    size = served.stat().st_size if served.exists() else 0
    said = {"short": f"it ended after {size // 2} of {size} bytes", "other": "its MD5 is",
            "not gzip": "Not a gzipped file", "gone": "404"}[fault]  # fmt: skip
    folder = tmp_path / "data"
    with pytest.raises(OSError, match=re.escape(said)) as raised:
        D.fashion_mnist(folder, download=True)
    for part in (f"{server.url}/first/{name}: HTTP Error 404", f"{server.url}/second/{name}", str(folder)):
        assert part in str(raised.value)
    assert "fetching it by hand and putting it into" in str(raised.value)
    assert listed(folder) == [f"{NAMES[0]}.gz", f"{NAMES[1]}.gz"], "what came before stays"


def test_an_address_that_does_not_answer(tmp_path: Path, monkeypatch: Any) -> None:
    with socket.socket() as taken:  # bound, and nobody listens
        taken.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{taken.getsockname()[1]}/"
        monkeypatch.setattr(FILES, "FASHION", FILES.Published((url,), FILES.FASHION.digests))
        with pytest.raises(OSError, match=rf"\[fashion_mnist\] got no train-images.* from {url}.*by hand"):
            D.fashion_mnist(tmp_path, download=True)
    assert listed(tmp_path) == []
