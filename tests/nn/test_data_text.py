"""Text as characters, and the windows that recurrent networks are trained on."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest

from autograd_core import nn

D = nn.data
TEXT = "the quick brown fox\njumps über the lazy dog — 𝔸 \ud800 twice"  # beyond 16 bits, and half a pair


def test_there_and_back() -> None:
    letters = D.Characters(TEXT)
    assert len(letters) == len(set(TEXT))
    assert letters.symbols == "".join(sorted(set(TEXT)))
    codes = letters.encode(TEXT)
    assert codes.dtype == np.int64
    assert [letters.symbols[i] for i in codes] == list(TEXT)
    assert letters.decode(codes) == TEXT
    assert letters.decode(codes[:12].reshape(2, 3, 2)) == [["th", "e ", "qu"], ["ic", "k ", "br"]]
    assert letters.decode(codes[0]) == "t"
    assert letters.decode([]) == ""
    assert letters.encode("").shape == (0,)
    assert "q" in letters
    assert "Q" not in letters
    assert D.Characters(letters.symbols).symbols == letters.symbols
    assert repr(D.Characters("hello")) == "Characters('ehlo')"


def test_unknown_characters_have_a_symbol_of_their_own() -> None:
    letters = D.Characters("abc", unknown="?")
    assert letters.symbols == "?abc"
    assert letters.decode(letters.encode("abcdéz")) == "abc???"
    last = D.Characters("abc", unknown="\ufffd")
    assert last.encode("zab\ufffd").tolist() == [3, 0, 1, 3]
    again = D.Characters(letters.symbols, unknown="?")
    assert again.symbols == letters.symbols
    assert repr(again) == "Characters('?abc', unknown='?')"
    assert D.Characters("a?", unknown="?").symbols == "?a", "which the text may have, too"


@pytest.mark.parametrize(
    ("error", "call", "text"),
    [
        (ValueError, lambda: D.Characters(""), "an empty text"),
        (TypeError, lambda: D.Characters(b"abc"), "text of type bytes, expected str; try bytes.decode"),
        (ValueError, lambda: D.Characters("a", unknown="<unk>"), "unknown='<unk>', expected one character"),
        (ValueError, lambda: D.Characters("abd").encode("dac"), r"'c' at position 2, expected one of 'abd'"),
        (ValueError, lambda: D.Characters("abd").encode("z"), r"'z' at position 0.*unknown='\\ufffd'"),
        (ValueError, lambda: D.Characters("a", unknown=5), "unknown=5, expected one character"),
        (TypeError, lambda: D.Characters("abd").encode(b"a"), "text of type bytes, expected str"),
        (IndexError, lambda: D.Characters("abd").decode([0, 3]), "code 3, expected 0 to 2"),
        (IndexError, lambda: D.Characters("abd").decode([-1]), "code -1"),
        (ValueError, lambda: D.Characters("abd").decode([0.5]), "codes of dtype float64, expected integers"),
        (TypeError, lambda: D.sequences("text", 2), "a text, expected numbers.*Characters"),
        (ValueError, lambda: D.sequences(range(3), 3), r"a sequence of shape \(3,\), expected more"),
        (ValueError, lambda: D.sequences(range(3), 0), "length=0, expected a positive integer"),
        (ValueError, lambda: D.sequences(range(3), 2, step=0), "step=0, expected a positive integer"),
        (ValueError, lambda: D.streams(range(6), 3, batch_size=2), "a sequence of 6, expected 7 or more"),
        (ValueError, lambda: D.streams(range(9), 3, batch_size=0), "batch_size=0"),
    ],
    ids=itertools.count(),
)
def test_wrong_texts_are_explained(error: Any, call: Any, text: str) -> None:
    with pytest.raises(error, match=text):
        call()


@pytest.mark.parametrize("step", [None, 1, 2, 5, 9])
@pytest.mark.parametrize("n", [5, 9, 10, 23])
@pytest.mark.parametrize("shape", [(), (2,), (2, 3)], ids=str)
def test_windows_and_what_comes_next(n: int, step: Any, shape: Any) -> None:
    codes = np.random.default_rng(0).normal(size=(n, *shape))
    x, y = D.sequences(codes, length=4, step=step)
    starts = range(0, n - 4, step or 4)
    assert len(x) == len(y) == len(starts)
    for i, start in enumerate(starts):
        assert np.array_equal(x[i], codes[start : start + 4])
        assert np.array_equal(y[i], codes[start + 1 : start + 5])
    assert np.shares_memory(x, codes)
    first, _ = next(iter(D.batches(x, y, batch_size=1, shuffle=False)))
    first[:] = 0  # a batch is a copy
    assert np.array_equal(x[0], codes[:4])


@pytest.mark.parametrize(("n", "length", "rows"), [(13, 3, 2), (14, 3, 2), (100, 7, 4), (8, 7, 1), (5, 1, 4)])
@pytest.mark.parametrize("shape", [(), (2,)], ids=str)
def test_each_batch_goes_on_where_the_one_before_it_ended(n: int, length: int, rows: int, shape: Any) -> None:
    codes = np.random.default_rng(0).normal(size=(n, *shape))
    loader = D.streams(codes, length, batch_size=rows)
    x, y = (np.concatenate(parts, axis=1) for parts in zip(*loader))
    count, part = len(loader), (n - 1) // rows
    assert count == part // length
    assert x.shape == (rows, count * length, *shape)
    for r in range(rows):
        assert np.array_equal(x[r], codes[r * part :][: count * length])
        assert np.array_equal(y[r], codes[r * part + 1 :][: count * length])
    second = list(loader.epoch(loader.draw_seed(), start=1))
    assert len(second) == count - 1


def test_streams_do_not_copy_the_text() -> None:
    codes = np.arange(100)
    assert all(np.may_share_memory(codes, a) for a in D.streams(codes, 7, 3).dataset.arrays)


def test_a_recurrent_network_learns_a_text() -> None:
    """Truncated backpropagation through time, the state carried from batch to batch."""
    nn.manual_seed(0)
    text = "abcabd" * 60  # what comes after ab depends on what came before it
    letters = D.Characters(text)
    network, head = nn.GRU(len(letters), 16, batch_first=True), nn.Linear(16, len(letters))
    parameters = [*network.parameters(), *head.parameters()]
    from autograd_core import optim

    optimizer = optim.Adam(parameters, lr=0.02)
    loader = D.streams(letters.encode(text), length=6, batch_size=4)
    for _ in range(12):
        state = None
        for x, y in loader:
            outputs, state = network(D.one_hot(x, len(letters)), state)
            state = state.detach()
            scores = head(outputs).reshape(-1, len(letters))
            loss = nn.functional.cross_entropy(scores, y.reshape(-1))
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    assert loss.item() < 0.1
