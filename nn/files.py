"""States in files of the safetensors format: arrays by name, and what one wants to remember beside them.

Such a file is data: loading it runs nothing, which a pickle cannot promise. PyTorch writes and reads the
same files (``safetensors.torch``). Ours have a digest of all that is in them, since the format itself
would not notice a number that changed.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import secrets
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
from numpy import ndarray

from autograd_core.errors import message
from autograd_core.node import strip

from .module import Module
from .state import entries

__all__ = ["FileState", "load_file", "save_file"]

DTYPES = {
    "F64": "<f8", "F32": "<f4", "F16": "<f2", "C64": "<c8", "BOOL": "|b1",
    "I64": "<i8", "I32": "<i4", "I16": "<i2", "I8": "|i1",
    "U64": "<u8", "U32": "<u4", "U16": "<u2", "U8": "|u1",
}  # fmt: skip
CODES = {dtype: code for code, dtype in DTYPES.items()}
OURS, DIGEST = "autograd_core", "autograd_core_sha256"  # keys of a file's texts
NESTED = "optim.Checkpoints(folder).save(step, {name: state}), for nested states such as an optimizer's"
PICKLES = (b"PK\x03\x04", b"\x80\x02", b"\x80\x03", b"\x80\x04", b"\x80\x05")


class FileState(dict[str, Any]):
    """Arrays by name, as ``load_file`` found them; ``metadata`` is what was saved beside them."""

    metadata: dict[str, Any]


def save_file(
    state: Module | Mapping[str, Any], path: str | os.PathLike[str], metadata: Mapping[str, Any] | None = None
) -> None:
    """Write the state of a module, or arrays by name, to a file.

    The file is whole or not there: what stood at ``path`` before stays until all has reached the disk,
    whatever happens meanwhile. A parameter with two names is written under both.

    Args:
        state: a module, or a dictionary such as its ``state_dict()``: arrays, Tensors, numbers.
        path: the file, usually ``*.safetensors``.
        metadata: plain data by name, such as the epoch or ``nn.random.get_state()``: what JSON knows, so
            dictionaries with texts as keys, lists, texts, numbers, booleans, None.

    What is nested, such as the state of an optimizer, goes into a file through ``optim.Checkpoints``.

    Raises:
        TypeError, ValueError: an entry cannot be stored; the text lists each, nothing is written.

    >>> import tempfile
    >>> from autograd_core import nn
    >>> model = nn.Linear(2, 3)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     nn.save_file(model, f"{folder}/model.safetensors", {"epoch": 7})
    ...     state = nn.load_file(f"{folder}/model.safetensors")
    >>> model.load_state_dict(state), state.metadata
    (Loaded(missing_keys=[], unexpected_keys=[]), {'epoch': 7})
    """
    arrays = _arrays(entries(state) if isinstance(state, Module) else state)
    texts = _texts(dict(metadata or {}))
    header = _header(arrays, texts | {DIGEST: _digest(arrays, texts)})
    _write(os.path.realpath(path), [header, *map(_bytes, arrays.values())])


def load_file(path: str | os.PathLike[str]) -> FileState:
    """Read a file that ``save_file`` wrote, or another one of the safetensors format.

    float16 stays; bfloat16, which NumPy lacks, becomes float32 of the same values. ``load_state_dict``
    brings both to the dtype of the module.

    Returns:
        arrays by name: a dictionary with an attribute ``metadata``.

    Raises:
        FileNotFoundError, IsADirectoryError: there is no such file.
        ValueError: the file is cut, damaged, of another format, or has dtypes that NumPy lacks.

    >>> import tempfile
    >>> from autograd_core import nn
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     nn.save_file({"mean": np.float32([1, 2])}, f"{folder}/statistics.safetensors")
    ...     nn.load_file(f"{folder}/statistics.safetensors")
    {'mean': array([1., 2.], dtype=float32)}
    """
    from safetensors import SafetensorError, deserialize

    shown = repr(os.fspath(path))
    if os.path.isdir(path):
        raise IsADirectoryError(message("load_file", f"the folder {shown}", "a file in it"))
    if not os.path.exists(path):
        raise FileNotFoundError(message("load_file", f"{shown}, which is not there", "a safetensors file"))
    with open(path, "rb") as file:
        raw = file.read()
    try:
        found = dict(deserialize(raw))  # type: ignore[no-untyped-call]
        header = json.loads(raw[8 : 8 + int.from_bytes(raw[:8], "little")])
    except (SafetensorError, ValueError, RecursionError) as error:
        raise _unreadable(shown, raw, error) from None
    del raw
    arrays, faults = FileState(), []
    texts: dict[str, str] = header.pop("__metadata__", {})
    for name in header:  # in the order of the file
        kind = found[name]["dtype"]
        if kind not in DTYPES and kind != "BF16":
            faults.append(f"{name} has dtype {kind}, which NumPy lacks")
        else:
            arrays[name] = _array(**found[name])
    if faults:
        raise ValueError(message("load_file", f"{shown}, in which\n  " + "\n  ".join(faults) + "\n",
                                 f"the dtypes {', '.join(DTYPES)}, BF16"))  # fmt: skip
    digest = texts.pop(DIGEST, None)
    if digest is None and OURS not in texts:
        _complete(arrays, texts)
    elif digest != _digest(arrays, texts):
        raise ValueError(message("load_file", f"{shown}, which is damaged: it is not what its digest says",
                                 "the file as nn.save_file wrote it", "another copy of it"))  # fmt: skip
    arrays.metadata = json.loads(texts.pop(OURS, "{}")) | texts
    return arrays


def _array(dtype: str, shape: list[int], data: bytearray) -> ndarray[Any, Any]:
    if dtype == "BF16":  # the upper half of a float32
        upper = np.frombuffer(data, "<u2") if data else np.zeros(0, "<u2")
        return (upper.astype(np.uint32) << 16).view(np.float32).reshape(shape)
    return np.ndarray(shape, DTYPES[dtype], data) if data else np.zeros(shape, DTYPES[dtype])


def _unreadable(shown: str, raw: bytes, error: Exception) -> ValueError:
    if raw.startswith(PICKLES):
        return ValueError(message(
            "load_file", f"{shown}, a pickle or zip as torch.save and np.savez write them",
            "a safetensors file: no pickle is ever loaded",
            "safetensors.torch.save_file(model.state_dict(), path) where PyTorch is"))  # fmt: skip
    said = str(error).removeprefix("Error while deserializing header: ")
    return ValueError(message("load_file", f"{shown}, {len(raw)} bytes that are cut, damaged or of another "
                              f"format ({said})", "a whole safetensors file"))  # fmt: skip


def _complete(arrays: FileState, texts: dict[str, str]) -> None:
    """Add the further names of shared arrays, which ``safetensors.torch.save_model`` notes as texts."""
    for name, first in list(texts.items()):
        if name not in arrays and first in arrays:
            arrays[name] = arrays[first]
            del texts[name]


def _arrays(state: Any) -> dict[str, ndarray[Any, Any]]:
    """Return what can be stored, in the layout and order of the file, or list what cannot."""
    if not isinstance(state, Mapping):
        hint = NESTED if hasattr(state, "state_dict") else ""
        raise TypeError(message("save_file", f"a {type(state).__name__}", "a Module or arrays by name", hint))
    arrays, faults = {}, []
    nested = any(isinstance(value, Mapping) for value in state.values())
    for name, value in state.items():
        try:
            array = np.asarray(strip(value))
        except Exception as error:
            faults.append(f"{name} cannot be made an array: {error}")
            continue
        little = array.dtype.newbyteorder("<")
        if not isinstance(name, str) or name == "__metadata__":
            faults.append(f"{name!r} is not a name")
        elif little.str not in CODES:
            faults.append(f"{name} has dtype {array.dtype}")
        else:
            arrays[name] = array.astype(little, order="C", copy=False, subok=False)
    if faults:
        known = ", ".join(np.dtype(d).name for d in CODES)
        raise TypeError(message("save_file", "a state in which\n  " + "\n  ".join(faults) + "\n",
                                f"arrays of {known}, by name", NESTED if nested else ""))  # fmt: skip
    return dict(sorted(arrays.items(), key=lambda item: -item[1].itemsize))  # so each is aligned


def _texts(metadata: dict[str, Any]) -> dict[str, str]:
    """Return metadata as the texts of a file: texts as they are, all else as one text of JSON."""
    faults = [f"metadata{place} is {what}" for place, what in _not_json(metadata, "")]
    faults += [f"metadata has the reserved key {key!r}" for key in (OURS, DIGEST) if key in metadata]
    if faults:
        raise TypeError(message("save_file", "; ".join(faults),
                                "dictionaries with texts as keys, lists, texts, numbers, booleans and None",
                                "float(x), or the array as an entry of the state"))  # fmt: skip
    texts = {key: value for key, value in metadata.items() if isinstance(value, str)}
    rest = {key: value for key, value in metadata.items() if key not in texts}
    return {OURS: json.dumps(rest)} | texts


def _not_json(value: Any, place: str) -> list[tuple[str, str]]:
    if isinstance(value, dict):
        wrong = [(f"{place}[{key!r}]", "a key that is no text") for key in value if not isinstance(key, str)]
        parts: Any = value.items()
    elif isinstance(value, (list, tuple)):
        wrong, parts = [], enumerate(value)
    else:
        plain = value is None or isinstance(value, (str, int, float))
        return [] if plain else [(place, f"a {type(value).__name__}")]
    return wrong + [found for key, part in parts for found in _not_json(part, f"{place}[{key!r}]")]


def _header(arrays: Mapping[str, ndarray[Any, Any]], texts: Mapping[str, str]) -> bytes:
    """Return the file's beginning; by the library's own writer no two files of one state are equal."""
    header: dict[str, Any] = {"__metadata__": texts}
    end = 0
    for name, array in arrays.items():
        start, end = end, end + array.nbytes
        kind = CODES[array.dtype.str]
        header[name] = {"dtype": kind, "shape": array.shape, "data_offsets": [start, end]}
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    return len(text).to_bytes(8, "little") + text


def _digest(arrays: Mapping[str, ndarray[Any, Any]], texts: Mapping[str, str]) -> str:
    digest = hashlib.sha256(json.dumps(sorted(texts.items())).encode())
    for name, array in sorted(arrays.items()):
        digest.update(json.dumps([name, array.dtype.str, array.shape]).encode())
        digest.update(_bytes(array))
    return digest.hexdigest()


def _bytes(array: ndarray[Any, Any]) -> memoryview:
    return array.reshape(-1).view(np.uint8).data


def _write(path: str, parts: Iterable[bytes | memoryview]) -> None:
    """Let ``parts`` be what stands at ``path``, all of it or, where anything goes wrong, nothing."""
    folder, name = os.path.split(path)
    if os.path.exists(path) and not os.path.isfile(path):
        raise IsADirectoryError(message("save_file", f"{path!r}, which is there and no file", "a file"))
    temporary = os.path.join(folder, f".{name}.{secrets.token_hex(4)}.tmp")
    place = os.open(folder, os.O_RDONLY) if hasattr(os, "O_DIRECTORY") else None
    try:
        with contextlib.ExitStack() as stack:
            try:  # without a name, so that nothing is left where the process is killed
                file = stack.enter_context(open(os.open(folder, os.O_TMPFILE | os.O_WRONLY, 0o666), "wb"))
                named = False
            except (AttributeError, OSError):  # another system, or a file system that cannot do this
                file, named = stack.enter_context(open(temporary, "xb")), True
            for part in parts:
                file.write(part)
            file.flush()
            os.fsync(file.fileno())
            if not named:  # with a folder's descriptor, as only so os.link follows this link
                os.link(f"/proc/self/fd/{file.fileno()}", temporary, src_dir_fd=place, follow_symlinks=True)
        os.replace(temporary, path)
        if place is not None:
            os.fsync(place)
    except BaseException:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(temporary)
        raise
    finally:
        if place is not None:
            os.close(place)
