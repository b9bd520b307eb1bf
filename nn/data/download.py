"""Download a file: whole, as published, or not at all."""

from __future__ import annotations

import gzip
import hashlib
import os
import secrets
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import IO

from autograd_core.errors import message

__all__: list[str] = []

TIMEOUT = 30.0  # seconds without an answer
BLOCK = 2**16


def download_file(who: str, urls: Sequence[str], path: Path, digest: str) -> Path:
    """Fetch a file from the first of its addresses that has it, and return its path.

    It is written beside ``path`` and moved there when its content, uncompressed if it is a ``.gz``, has the
    MD5 ``digest``. Whatever happens meanwhile, nothing else is left in the folder.

    Raises:
        OSError: no address gave that file; the error says what each gave.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    said = []
    for url in urls:
        temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}.part")
        try:
            with open(temporary, "xb") as file:
                _fetch(url, path.name, file)
            if (found := _md5(temporary, path.suffix == ".gz")) != digest:
                raise OSError(f"its MD5 is {found}, not {digest}")
            os.replace(temporary, path)
            return path
        except (OSError, EOFError, zlib.error) as error:
            said.append(f"{url}: {error}")
        finally:
            temporary.unlink(missing_ok=True)
    raise OSError(message(who, "no " + path.name + " from " + "; from ".join(said), "the published file",
                          f"fetching it by hand and putting it into {path.parent.resolve()}"))  # fmt: skip


def _fetch(url: str, name: str, file: IO[bytes]) -> None:
    from urllib.request import urlopen

    from tqdm import tqdm

    with urlopen(url, timeout=TIMEOUT) as answer:
        total = int(answer.headers.get("Content-Length") or 0)
        got = 0
        with tqdm(total=total or None, unit="B", unit_scale=True, desc=name, disable=None) as bar:
            while block := answer.read(BLOCK):
                file.write(block)
                got += len(block)
                bar.update(len(block))
        if got < total:
            raise OSError(f"it ended after {got} of {total} bytes")
        file.flush()
        os.fsync(file.fileno())


def _md5(path: Path, packed: bool) -> str:
    digest = hashlib.md5(usedforsecurity=False)
    with gzip.open(path) if packed else open(path, "rb") as file:
        while block := file.read(BLOCK):
            digest.update(block)
    return digest.hexdigest()
