"""States in files: what comes back, what is refused, and what is left where writing is cut short."""

from __future__ import annotations

import json
import os
import pickle
import re
import signal
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import safetensors.numpy

import autograd_core as ag
from autograd_core import nn, optim
from autograd_core.node import strip

RNG = np.random.default_rng(0)


@pytest.fixture(scope="module")
def torch() -> Any:
    return pytest.importorskip("torch", reason="not installed: pip install 'autograd-core[oracle]'")


class Net(nn.Module):
    """Parameters, buffers of several dtypes, one that is not saved, and a weight with two names."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Linear(3, 4)
        self.second = nn.Linear(3, 4, bias=False)
        self.second.weight = self.first.weight
        self.register_buffer("mean", RNG.normal(size=4).astype("f"))
        self.register_buffer("count", np.array(7))
        self.register_buffer("mask", np.array([True, False]))
        self.register_buffer("cache", np.zeros(2), persistent=False)

    def forward(self, x: Any) -> Any:
        return self.first(x) + self.second(x) - self.mean


def facts(module: Any) -> Any:
    """Return all that loading could change, the versions and gradients too."""
    parameters = [(n, id(p), p.version, p.data.ctypes.data, p.data.tobytes(), p.grad.tobytes())
                  for n, p in module.named_parameters()]  # fmt: skip
    return parameters, [(n, id(b), b.tobytes()) for n, b in module.named_buffers()]


def trained() -> Net:
    net = Net()
    net(RNG.normal(size=(2, 3))).sum().backward()
    return net


def same(a: Any, b: Any) -> bool:
    return a.keys() == b.keys() and all(
        np.array_equal(a[k], b[k]) and a[k].dtype == b[k].dtype and a[k].shape == b[k].shape for k in a
    )


# -- there and back -----------------------------------------------------------------------------------


def test_a_module_there_and_back(tmp_path: Path) -> None:
    net, other = Net(), Net()
    nn.save_file(net, tmp_path / "a.safetensors")
    state = nn.load_file(tmp_path / "a.safetensors")
    assert same(state, net.state_dict())
    assert state.metadata == {}
    assert list(state) == ["count", "mean", "first.weight", "first.bias", "second.weight", "mask"]  # aligned
    other.load_state_dict(state)
    assert same(other.state_dict(), net.state_dict())
    assert other.second.weight is other.first.weight
    nn.save_file(net.state_dict(), str(tmp_path / "b.safetensors"))
    raw = (tmp_path / "a.safetensors").read_bytes()
    assert raw == (tmp_path / "b.safetensors").read_bytes()
    assert int.from_bytes(raw[:8], "little") % 8 == 0, "arrays begin where a processor likes to read them"


ARRAYS = {
    "empty": np.zeros((0, 3), np.float32),
    "number": np.array(3.0),
    "slice": np.arange(24.0).reshape(4, 6)[::2, 1::2],
    "transposed": np.arange(6, dtype=np.int32).reshape(2, 3).T,
    "reversed": np.arange(5, dtype=np.uint8)[::-1],
    "broadcast": np.broadcast_to(np.float32(2), (2, 2)),
    "big-endian": np.arange(3, dtype=">f4"),
    "half": np.array([1, np.inf, np.nan], np.float16),
    "bool": np.array([[True, False]]),
    "complex": np.array([1 + 2j], np.complex64),
    "int8": np.array([-128, 127], np.int8),
    "uint64": np.array([2**64 - 1], np.uint64),
    "a name with ümläuts\n\"quotes\" and 'more'": np.zeros(1),
    "": np.ones(1),
}


@pytest.mark.parametrize("name", ARRAYS)
def test_arrays_of_every_kind_there_and_back(name: str, tmp_path: Path) -> None:
    x = ARRAYS[name]
    nn.save_file({name: x}, tmp_path / "x")
    for back in (nn.load_file(tmp_path / "x")[name], safetensors.numpy.load_file(tmp_path / "x")[name]):
        np.testing.assert_array_equal(back, x)
        assert back.dtype == x.dtype.newbyteorder("=")
        assert back.shape == x.shape
    back = nn.load_file(tmp_path / "x")[name]
    assert back.flags.writeable
    assert back.flags.owndata or back.base is not None


def test_tensors_numbers_and_lists_are_stored_as_arrays(tmp_path: Path) -> None:
    values = {"t": ag.tensor([1.0, 2.0], requires_grad=True), "p": nn.Parameter(np.ones(2)), "n": 3,
              "l": [1.5]}  # fmt: skip
    nn.save_file(values, tmp_path / "x")
    assert same(nn.load_file(tmp_path / "x"), {k: np.asarray(strip(v)) for k, v in values.items()})


METADATA = {
    "text": "a text", "number": 3, "float": 0.1, "none": None, "flag": True, "list": [1, [2.5, "x"]],
    "nested": {"a": {"b": []}}, "large": 2**127, "ümläut": "ß\n\"'", "infinite": float("inf"), "": {},
}  # fmt: skip


def test_metadata_there_and_back(tmp_path: Path) -> None:
    nn.save_file({"x": np.ones(1)}, tmp_path / "x", METADATA)
    assert nn.load_file(tmp_path / "x").metadata == METADATA
    with safetensors.safe_open(tmp_path / "x", "numpy") as file:
        assert file.metadata()["text"] == "a text"  # for any other reader
    nn.save_file({}, tmp_path / "x", {"random": nn.random.get_state()})
    assert nn.load_file(tmp_path / "x").metadata == {"random": nn.random.get_state()}
    assert nn.load_file(tmp_path / "x") == {}


def test_what_cannot_be_stored_is_listed_and_nothing_is_written(tmp_path: Path) -> None:
    state = {"a": np.array("text"), 3: np.ones(3), "b": np.ones(2, complex), "c": np.array([None]),
             "d": [[1], [2, 3]], "__metadata__": np.ones(1), "good": np.ones(1)}  # fmt: skip
    texts = ("a has dtype <U4", "3 is not a name", "b has dtype complex128", "c has dtype object",
             "d cannot be made an array", "'__metadata__' is not a name", "expected arrays of")  # fmt: skip
    with pytest.raises(TypeError, match="in which") as caught:
        nn.save_file(state, tmp_path / "x")  # type: ignore[arg-type]
    for text in texts:
        assert text in str(caught.value)
    assert "good" not in str(caught.value)
    wrong: dict[str, Any] = {"a": np.float32(3), "b": {1: 2}, "c": [{}, {"d": {2}}], "autograd_core": 3}
    with pytest.raises(TypeError, match="try float") as caught:
        nn.save_file({}, tmp_path / "x", wrong)
    for text in (
        "metadata['a'] is a float32", "metadata['b'][1] is a key that is no text",
        "metadata['c'][1]['d'] is a set", "metadata has the reserved key 'autograd_core'",
    ):  # fmt: skip
        assert text in str(caught.value)
    with pytest.raises(TypeError, match=r"\[save_file\] got a int, expected a Module or arrays by name"):
        nn.save_file(3, tmp_path / "x")  # type: ignore[arg-type]
    for nested in ({"optimizer": {"state": {}}}, optim.SGD(nn.Linear(2, 1).parameters())):
        with pytest.raises(TypeError, match=r"try optim.Checkpoints\(folder\).save"):
            nn.save_file(nested, tmp_path / "x")  # type: ignore[arg-type]
    with pytest.raises(FileNotFoundError, match="No such file or directory"):
        nn.save_file({}, tmp_path / "no" / "folder")
    with pytest.raises(IsADirectoryError, match="which is there and no file"):
        nn.save_file({}, tmp_path)
    assert list(tmp_path.iterdir()) == []


# -- beside PyTorch -----------------------------------------------------------------------------------


def networks(torch: Any) -> tuple[Any, Any]:
    torch.manual_seed(0)
    ours = nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 2))
    return ours, torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.Tanh(), torch.nn.Linear(4, 2))


@pytest.mark.parametrize("dtype", ["float32", "float64", "float16", "bfloat16"])
def test_a_file_of_pytorch_gives_its_outputs(torch: Any, dtype: str, tmp_path: Path) -> None:
    from safetensors.torch import save_file

    ours, theirs = networks(torch)
    theirs = theirs.to(getattr(torch, dtype))
    save_file(theirs.state_dict(), tmp_path / "x", {"format": "pt"})
    state = nn.load_file(tmp_path / "x")
    assert state.metadata == {"format": "pt"}
    assert {str(v.dtype) for v in state.values()} == {"float32" if dtype == "bfloat16" else dtype}
    ours.load_state_dict(state)
    assert {str(p.dtype) for p in ours.parameters()} == {"float32"}
    x = RNG.normal(size=(5, 3)).astype("f")
    expected = theirs.float()(torch.tensor(x)).detach()
    np.testing.assert_allclose(ours(x).numpy(), expected, rtol=1e-5, atol=1e-6)


def test_pytorch_reads_what_we_write(torch: Any, tmp_path: Path) -> None:
    from safetensors.torch import load_file

    ours, theirs = networks(torch)
    nn.save_file(ours, tmp_path / "x", {"epoch": 3})
    theirs.load_state_dict(load_file(tmp_path / "x"))
    x = RNG.normal(size=(5, 3)).astype("f")
    np.testing.assert_allclose(ours(x).numpy(), theirs(torch.tensor(x)).detach(), rtol=1e-5, atol=1e-6)


def test_tied_weights_of_pytorch(torch: Any, tmp_path: Path) -> None:
    from safetensors.torch import load_file, save_model

    ours, theirs = networks(torch)
    ours, theirs = nn.Sequential(ours[0], ours[1], nn.Linear(4, 4)), torch.nn.Sequential(
        theirs[0], theirs[1], torch.nn.Linear(4, 4)
    )
    for net in (ours, theirs):
        net.append(type(net[2])(4, 4))
        net[3].weight = net[2].weight
    save_model(theirs, str(tmp_path / "theirs"))
    state = nn.load_file(tmp_path / "theirs")
    ours.load_state_dict(state)
    assert state["2.weight"] is state["3.weight"]
    np.testing.assert_array_equal(ours[3].weight.numpy(), theirs[3].weight.detach())
    assert ours[3].weight is ours[2].weight
    with ag.no_grad():
        ours[3].weight += 1
    nn.save_file(ours, tmp_path / "ours")
    theirs.load_state_dict(load_file(tmp_path / "ours"))
    np.testing.assert_array_equal(ours[3].weight.numpy(), theirs[3].weight.detach())
    assert theirs[3].weight is theirs[2].weight


def test_float8_is_refused_by_name(torch: Any, tmp_path: Path) -> None:
    from safetensors.torch import save_file

    x = torch.ones(2)
    save_file({"a": x.to(torch.float8_e4m3fn), "b": x, "c": x.to(torch.float8_e5m2)}, tmp_path / "x")
    with pytest.raises(ValueError, match=r"a has dtype F8_E4M3, which NumPy lacks\n  c has dtype F8_E5M2"):
        nn.load_file(tmp_path / "x")


def test_no_pickle_is_ever_loaded(torch: Any, tmp_path: Path) -> None:
    torch.save({"x": torch.ones(2)}, tmp_path / "zip.pt")
    torch.save({"x": torch.ones(2)}, tmp_path / "old.pt", _use_new_zipfile_serialization=False)
    np.savez(tmp_path / "x.npz", x=np.ones(2))
    (tmp_path / "x.pickle").write_bytes(pickle.dumps(nn.Linear(2, 2)))
    for path in tmp_path.iterdir():
        with pytest.raises(ValueError, match=r"no pickle is ever loaded; try safetensors\.torch") as caught:
            nn.load_file(path)
        assert repr(str(path)) in str(caught.value)


# -- files that are not as they were written ----------------------------------------------------------


def written(folder: Path) -> tuple[bytes, Any]:
    path = folder / "whole"
    nn.save_file({"w": np.arange(3, dtype="f"), "n": np.array(7)}, path, {"epoch": 3, "by": "me"})
    return path.read_bytes(), nn.load_file(path)


def test_a_file_cut_at_any_byte_is_refused(tmp_path: Path) -> None:
    whole, _ = written(tmp_path)
    for n in [*range(len(whole)), None]:
        (tmp_path / "x").write_bytes(whole + b"\0" if n is None else whole[:n])
        with pytest.raises(ValueError, match=r"\[load_file\] got .*x', \d+ bytes that are cut, damaged or"):
            nn.load_file(tmp_path / "x")


def test_any_single_bit_that_flips_is_noticed(tmp_path: Path) -> None:
    whole, _ = written(tmp_path)
    for place in range(len(whole)):
        changed = bytearray(whole)
        changed[place] ^= 1 << place % 8
        (tmp_path / "x").write_bytes(changed)
        with pytest.raises(ValueError, match=r"\[load_file\] got .*damaged"):
            nn.load_file(tmp_path / "x")


@pytest.mark.parametrize("seed", range(5))
def test_random_bytes_in_the_header_are_noticed(seed: int, tmp_path: Path) -> None:
    whole, _ = written(tmp_path)
    rng = np.random.default_rng(seed)
    for _ in range(60):
        changed = bytearray(whole)
        for place in rng.integers(0, 8 + int.from_bytes(whole[:8], "little"), rng.integers(1, 9)):
            changed[place] = rng.integers(256)
        if changed != whole:
            (tmp_path / "x").write_bytes(changed)
            with pytest.raises(ValueError, match=r"\[load_file\] got .*damaged"):
                nn.load_file(tmp_path / "x")


@pytest.mark.parametrize(
    "given", [b"", b"\0" * 8, b"\xff" * 100, b"hello world" * 10, b"\x02" + b"\0" * 7 + b"[]"]
)
def test_other_files_are_refused(given: bytes, tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(given)
    with pytest.raises(ValueError, match=r"cut, damaged or of another format .*, expected a whole"):
        nn.load_file(tmp_path / "x")


def test_no_file_and_a_folder(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"\[load_file\] got '.*none', which is not there"):
        nn.load_file(tmp_path / "none")
    with pytest.raises(IsADirectoryError, match=r"\[load_file\] got the folder '.*', expected a file in it"):
        nn.load_file(tmp_path)


def test_a_file_without_digest_is_a_file_of_others(tmp_path: Path) -> None:
    safetensors.numpy.save_file({"x": np.ones(2)}, tmp_path / "x", {"a": "b"})
    state = nn.load_file(tmp_path / "x")
    assert (dict(state), state.metadata) == ({"x": pytest.approx(np.ones(2))}, {"a": "b"})
    safetensors.numpy.save_file({"x": np.ones(2)}, tmp_path / "x")
    assert nn.load_file(tmp_path / "x").metadata == {}
    safetensors.numpy.save_file({"x": np.ones(2)}, tmp_path / "x", {"autograd_core": json.dumps({})})
    with pytest.raises(ValueError, match="not what its digest says"):
        nn.load_file(tmp_path / "x")


# -- a module that a file does not fit ----------------------------------------------------------------


def test_a_state_that_does_not_fit_changes_nothing_and_lists_everything(tmp_path: Path) -> None:
    net = trained()
    before = facts(net)
    state: dict[str, Any] = {k: v + 1 if v.dtype.kind == "f" else v for k, v in net.state_dict().items()}
    del state["mask"]
    state |= {"extra": np.ones(1), "first.bias": np.ones(5), "count": np.array(1.5),
              "mean": np.full(4, 1e300), "second.weight": state["second.weight"] + 1}  # fmt: skip
    nn.save_file(state, tmp_path / "x")
    with pytest.raises(ValueError, match="does not fit") as caught:
        net.load_state_dict(nn.load_file(tmp_path / "x"))
    for text in (
        "mask is missing", "extra is not expected", "first.bias has shape (5,), expected (4,)",
        "count has dtype float64, expected int64", "mean has values that float32 cannot hold",
        "second.weight differs from first.weight, but both are the same here",
    ):  # fmt: skip
        assert text in str(caught.value)
    assert facts(net) == before


@pytest.mark.parametrize(
    ("name", "value", "text"),
    [
        ("count", np.array(2**63, np.uint64), "count has values that int64 cannot hold"),
        ("mask", np.array([1, 0]), "dtype int64, expected bool"),
        ("mean", np.ones(4, complex), "dtype complex128, expected float32"),
        ("mean", np.array(["a"] * 4), "dtype <U1, expected numbers"),
        ("mean", [[1.0], [1.0, 2.0]], "inhomogeneous"),
    ],
    ids=str,
)
def test_values_that_would_change_are_refused(name: str, value: Any, text: str) -> None:
    net = trained()
    before = facts(net)
    with pytest.raises(ValueError, match=text):
        net.load_state_dict({**net.state_dict(), name: value})
    assert facts(net) == before


def test_counts_that_became_floats_are_counts() -> None:
    norm = nn.BatchNorm1d(2)
    norm.load_state_dict({k: np.full(v.shape, 3.0) for k, v in norm.state_dict().items()})
    assert (norm.num_batches_tracked, norm.num_batches_tracked.dtype) == (3, np.int64)


class Unreadable:
    """What NumPy makes no array from, as PyTorch's bfloat16."""

    def __array__(self, *args: Any, **kwargs: Any) -> Any:
        raise TypeError("unsupported ScalarType")


def test_what_is_no_array_and_a_state_within_another_are_named() -> None:
    net = nn.Linear(2, 3)
    with pytest.raises(ValueError, match="weight is no array to NumPy: unsupported ScalarType"):
        net.load_state_dict({**net.state_dict(), "weight": Unreadable()})
    with pytest.raises(ValueError, match=r"epoch is not expected(.|\n)*; try state\['model'\]"):
        net.load_state_dict({"epoch": 3, "model": net.state_dict()})


def test_narrow_buffers_and_read_only_ones() -> None:
    net = trained()
    net.register_buffer("small", np.zeros(2, np.int8))
    with pytest.raises(ValueError, match="small has values that int8 cannot hold"):
        net.load_state_dict({**net.state_dict(), "small": np.array([1, 300])})
    net.load_state_dict({**net.state_dict(), "small": np.array([1, 100])})
    assert net.small.tolist() == [1, 100]
    net.small.flags.writeable = False
    before = facts(net)
    with pytest.raises(ValueError, match="small cannot be written to: its array is read-only"):
        net.load_state_dict({k: v + 0 for k, v in net.state_dict().items()})
    assert facts(net) == before


def test_infinite_and_undefined_values_are_values() -> None:
    layer = nn.Linear(2, 1)
    layer.load_state_dict({"weight": [[np.inf, np.nan]], "bias": [-np.inf]})
    np.testing.assert_array_equal(layer.weight.numpy(), [[np.inf, np.nan]])


def test_a_common_prefix_is_named() -> None:
    net = nn.Sequential(nn.Linear(2, 2), nn.Tanh(), nn.Linear(2, 1))
    state = {f"module.{name}": value for name, value in net.state_dict().items()}
    text = "try {name.removeprefix('module.'): value for name, value in state.items()}"
    with pytest.raises(ValueError, match=re.escape(text)):
        net.load_state_dict(state)
    net.load_state_dict({name.removeprefix("module."): value for name, value in state.items()})
    with pytest.raises(ValueError, match="try strict=False"):
        net.load_state_dict({"a": 1})
    with pytest.raises(TypeError, match=r"\[Sequential.load_state_dict\] got a str, .*try nn.load_file"):
        net.load_state_dict("model.safetensors")  # type: ignore[arg-type]


# -- writing that is cut short --------------------------------------------------------------------------


@pytest.mark.parametrize("nameless", [True, False])
@pytest.mark.parametrize("where", ["write", "fsync", "replace"])
def test_an_error_while_writing_leaves_the_old_file(
    where: str, nameless: bool, tmp_path: Path, monkeypatch: Any
) -> None:
    whole, _ = written(tmp_path)

    def fail(*args: Any) -> Any:
        raise OSError(28, "No space left on device")

    if not nameless:
        monkeypatch.delattr(os, "O_TMPFILE", raising=False)
    if where == "write":
        opened = open

        def limited(*args: Any, **kwargs: Any) -> Any:
            file = opened(*args, **kwargs)
            return Full(file) if "b" in args[1] and args[1] != "rb" else file

        monkeypatch.setattr("builtins.open", limited)
    else:
        monkeypatch.setattr(os, where, fail)
    with pytest.raises(OSError, match="No space left"):
        nn.save_file({"w": np.zeros(100)}, tmp_path / "whole")
    monkeypatch.undo()
    assert [path.name for path in tmp_path.iterdir()] == ["whole"]
    assert (tmp_path / "whole").read_bytes() == whole


class Full:
    """A file on a disk that has room for some more bytes."""

    def __init__(self, file: Any, room: int = 700) -> None:
        self.file, self.room = file, room

    def write(self, data: bytes) -> None:
        self.file.write(data[: self.room])
        self.room -= len(data)
        if self.room < 0:
            raise OSError(28, "No space left on device")

    def __enter__(self) -> Full:
        return self

    def __exit__(self, *error: object) -> None:
        self.file.close()


@pytest.mark.skipif(not hasattr(os, "O_TMPFILE"), reason="files without names are Linux's")
@pytest.mark.parametrize("room", [0, 1000, 1_500_000])
def test_a_process_killed_while_writing_leaves_the_old_file(room: int, tmp_path: Path) -> None:
    whole, _ = written(tmp_path)
    script = textwrap.dedent(f"""
        import builtins, os, signal, sys
        import numpy as np
        from autograd_core import nn
        opened = open
        class Killed:
            room = {room}
            def __init__(self, file): self.file = file
            def __enter__(self): return self
            def __exit__(self, *error): pass
            def write(self, data):
                self.file.write(data[:self.room]); self.file.flush()
                self.room -= len(data)
                if self.room < 0:
                    os.kill(os.getpid(), signal.SIGKILL)
        builtins.open = lambda *a, **k: Killed(opened(*a, **k)) if a[1] in ("wb", "xb") else opened(*a, **k)
        nn.save_file({{"w": np.zeros(200_000)}}, sys.argv[1])
    """)
    root = str(Path(nn.__file__).parents[1])
    done = subprocess.run([sys.executable, "-c", script, str(tmp_path / "whole")], cwd=root, timeout=100)
    assert done.returncode == -signal.SIGKILL
    assert (tmp_path / "whole").read_bytes() == whole
    assert [path.name for path in tmp_path.iterdir()] == ["whole"]


def test_a_link_stays_a_link(tmp_path: Path) -> None:
    written(tmp_path)
    (tmp_path / "link").symlink_to(tmp_path / "whole")
    nn.save_file({"x": np.ones(1)}, tmp_path / "link")
    assert (tmp_path / "link").is_symlink()
    assert list(nn.load_file(tmp_path / "whole")) == ["x"]


# -- a run that goes on ---------------------------------------------------------------------------------


class Noisy(nn.Module):
    """A network that draws random numbers and keeps a running mean."""

    def __init__(self) -> None:
        super().__init__()
        self.net = nn.MLP([3, 8, 1])
        self.register_buffer("mean", np.zeros(1, np.float32))

    def forward(self, x: Any) -> Any:
        x = x + nn.random.generator().standard_normal(x.shape, np.float32)
        y = self.net(x)
        self.mean = np.float32(0.9) * self.mean + np.float32(0.1) * y.numpy().mean(0)
        return y


def steps(model: Any, optimizer: Any, n: int) -> list[float]:
    losses = []
    for _ in range(n):
        x = nn.random.generator().standard_normal((4, 3), np.float32)
        optimizer.zero_grad()
        loss = nn.functional.mse_loss(model(x), x[:, :1])
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses


def test_a_run_continues_bit_for_bit(tmp_path: Path) -> None:
    nn.manual_seed(3)
    model = Noisy()
    optimizer = optim.Adam(model.parameters(), lr=1e-2)
    steps(model, optimizer, 5)
    saved = optimizer.state_dict()
    state = {f"model.{k}": v for k, v in model.state_dict().items()}
    state |= {f"optimizer.{i}.{k}": v for i, kept in saved["state"].items() for k, v in kept.items()}
    nn.save_file(state, tmp_path / "x", {"groups": saved["param_groups"], "random": nn.random.get_state()})
    expected = steps(model, optimizer, 5)

    nn.manual_seed(99)
    other = Noisy()
    again = optim.Adam(other.parameters(), lr=1.0)
    found = nn.load_file(tmp_path / "x")
    other.load_state_dict({k[6:]: v for k, v in found.items() if k.startswith("model.")})
    kept: dict[int, dict[str, Any]] = {}
    for name, value in found.items():
        if name.startswith("optimizer."):
            _, i, key = name.split(".")
            kept.setdefault(int(i), {})[key] = value
    again.load_state_dict({"state": kept, "param_groups": found.metadata["groups"]})
    nn.random.set_state(found.metadata["random"])
    assert steps(other, again, 5) == expected
    assert same(other.state_dict(), model.state_dict())
