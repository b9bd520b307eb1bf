"""nn.utils.rnn: padding and packing, beside PyTorch's, there and back, with gradients."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import autograd_core as ag
from autograd_core import nn
from autograd_core.node import strip

rnn = nn.utils.rnn
RNG = np.random.default_rng(3)
SEQUENCES = [RNG.normal(size=(n, 2)) for n in (3, 1, 4)]
PADDED = RNG.normal(size=(4, 3, 2))


@pytest.fixture(scope="module")
def torch() -> Any:
    return pytest.importorskip("torch", reason="PyTorch is not installed: pip install autograd-core[oracle]")


def same(ours: Any, theirs: Any) -> None:
    if theirs is None:
        assert ours is None
    else:
        np.testing.assert_array_equal(np.asarray(strip(ours)), theirs.detach().numpy())


@pytest.mark.parametrize("side", ["left", "right"])
@pytest.mark.parametrize("first", [False, True])
def test_pad_sequence_as_pytorch(first: bool, side: str, torch: Any) -> None:
    theirs = torch.nn.utils.rnn.pad_sequence([torch.tensor(x) for x in SEQUENCES], first, 7.0, side)
    same(rnn.pad_sequence(SEQUENCES, first, 7.0, side), theirs)
    if side == "right":
        for x, y in zip(rnn.unpad_sequence(theirs.numpy(), [3, 1, 4], first), SEQUENCES, strict=True):
            np.testing.assert_array_equal(x, y)


@pytest.mark.parametrize(("lengths", "ordered"), [([4, 3, 1], True), ([1, 4, 4], False), ([2, 2, 1], True)])
@pytest.mark.parametrize("first", [False, True])
def test_packing_as_pytorch(first: bool, lengths: list[int], ordered: bool, torch: Any) -> None:
    x = PADDED.swapaxes(0, 1) if first else PADDED
    ours = rnn.pack_padded_sequence(x, lengths, first, ordered)
    theirs = torch.nn.utils.rnn.pack_padded_sequence(torch.tensor(x), lengths, first, ordered)
    for a, b in zip(ours, theirs, strict=True):
        same(a, b)
    for options in ({}, {"padding_value": -1.0, "total_length": 6}):
        back = rnn.pad_packed_sequence(ours, first, **options)
        for a, b in zip(back, torch.nn.utils.rnn.pad_packed_sequence(theirs, first, **options), strict=True):
            same(a, b)


def test_pack_sequence_as_pytorch_and_back(torch: Any) -> None:
    ours = rnn.pack_sequence(SEQUENCES, enforce_sorted=False)
    theirs = torch.nn.utils.rnn.pack_sequence([torch.tensor(x) for x in SEQUENCES], enforce_sorted=False)
    for a, b in zip(ours, theirs, strict=True):
        same(a, b)
    for x, y in zip(rnn.unpack_sequence(ours), SEQUENCES, strict=True):
        np.testing.assert_array_equal(x, y)
    assert rnn.invert_permutation(None) is None


def test_padding_and_packing_have_gradients() -> None:
    ag.check_gradients(lambda *xs: rnn.pad_sequence(xs), *SEQUENCES)
    ag.check_gradients(lambda x: rnn.pack_padded_sequence(x, [2, 4, 1], enforce_sorted=False).data, PADDED)
    packed = rnn.pack_padded_sequence(PADDED, [2, 4, 1], enforce_sorted=False)
    ag.check_gradients(lambda x: rnn.pad_packed_sequence(packed._replace(data=x))[0], packed.data)


def test_errors() -> None:
    with pytest.raises(ValueError, match=r"lengths \[1, 2, 3\], expected the longest first; try"):
        rnn.pack_padded_sequence(PADDED, [1, 2, 3])
    with pytest.raises(ValueError, match="a length of 5, expected 1 to 4"):
        rnn.pack_padded_sequence(PADDED, [5, 2, 1])
    with pytest.raises(ValueError, match="a length of 0"):
        rnn.pack_padded_sequence(PADDED, [4, 2, 0])
    with pytest.raises(ValueError, match=r"lengths of shape \(2,\) .*expected 3 integers"):
        rnn.pack_padded_sequence(PADDED, [4, 2])
    with pytest.raises(ValueError, match=r"an input of shape \(4,\)"):
        rnn.pack_padded_sequence(np.ones(4), [4])
    with pytest.raises(ValueError, match="total_length=2, expected at least 4, the longest sequence"):
        rnn.pad_packed_sequence(rnn.pack_sequence(SEQUENCES, enforce_sorted=False), total_length=2)
    with pytest.raises(TypeError, match="a ndarray, expected a PackedSequence"):
        rnn.pad_packed_sequence(PADDED)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="expected one or more that differ in their first axis only"):
        rnn.pad_sequence([np.ones((2, 3)), np.ones((2, 2))])
    with pytest.raises(ValueError, match="expected one or more"):
        rnn.pad_sequence([])
    with pytest.raises(ValueError, match="padding_side='up'"):
        rnn.pad_sequence(SEQUENCES, padding_side="up")
