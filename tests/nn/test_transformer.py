"""Transformers: masks and hints, first values, errors; positions: their equations."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import autograd_core as ag
from autograd_core import nn

F = nn.functional
RNG = np.random.default_rng(7)


def normal(*shape: int) -> Any:
    return RNG.normal(size=shape)


@pytest.mark.parametrize("batch_first", [False, True])
def test_a_causal_decoder_does_not_see_what_comes_later(batch_first: bool) -> None:
    model = nn.Transformer(8, 2, 1, 2, 16, dropout=0.0, batch_first=batch_first)
    source, target = normal(2, 4, 8), normal(2, 5, 8)
    changed = target.copy()
    changed[:, 3:] += 1
    mask = model.generate_square_subsequent_mask(5)

    def run(x: Any, **how: Any) -> Any:
        a, b = (source, x) if batch_first else (source.swapaxes(0, 1), x.swapaxes(0, 1))
        y = model(a, b, **how).numpy()
        return y if batch_first else y.swapaxes(0, 1)

    for how in ({"tgt_mask": mask}, {"tgt_mask": mask, "tgt_is_causal": True}, {"tgt_mask": np.isinf(mask)}):
        np.testing.assert_allclose(run(target, **how)[:, :3], run(changed, **how)[:, :3], atol=1e-6)
        assert abs(run(target, **how) - run(changed, **how))[:, 3:].min() > 1e-6
    assert abs(run(target) - run(changed))[:, :3].max() > 1e-3


def test_masks_are_found_to_be_causal() -> None:
    layer = nn.TransformerEncoderLayer(4, 2, 3)
    hints: list[bool] = []

    class Told(nn.Module):
        def forward(self, x: Any, mask: Any, padding: Any, is_causal: bool) -> Any:
            hints.append(is_causal)
            return layer(x, mask, padding, is_causal)

    encoder = nn.TransformerEncoder(Told(), 1)
    x, causal = np.ones((3, 2, 4), np.float32), F.causal_mask(3)
    learnt = ag.tensor(causal, requires_grad=True)
    for mask in (causal, np.isinf(causal), causal.T, None, causal * 2, learnt):
        encoder(x, mask)
    encoder(x, causal, is_causal=False)
    assert hints == [True, True, False, False, True, False, False]


def test_padded_positions_do_not_matter() -> None:
    layer = nn.TransformerEncoderLayer(8, 2, 16, dropout=0.0, batch_first=True)
    x = normal(2, 5, 8)
    other = x.copy()
    other[:, 3:] += 1
    padding = np.arange(5) >= np.full((2, 1), 3)
    a, b = (layer(v, src_key_padding_mask=padding).numpy()[:, :3] for v in (x, other))
    np.testing.assert_allclose(a, b, atol=1e-6)


def test_copies_start_alike_and_a_transformer_does_not() -> None:
    encoder = nn.TransformerEncoder(nn.TransformerEncoderLayer(4, 2, 3), 2)
    a, b = (layer.linear1.weight.numpy() for layer in encoder.layers)
    assert (a == b).all()
    assert a is not b
    model = nn.Transformer(4, 2, 2, 1, 3)
    a, b = (layer.linear1.weight.numpy() for layer in model.encoder.layers)
    assert (a != b).any()
    assert abs(a).max() <= (6 / 7) ** 0.5


def test_modules_and_functions_as_activations() -> None:
    x = normal(3, 2, 4)
    layers = [nn.TransformerEncoderLayer(4, 2, 5, 0.0, activation=a) for a in ("gelu", F.gelu, nn.GELU())]
    for layer in layers[1:]:
        layer.load_state_dict(layers[0].state_dict())
    first, *others = (layer(x).numpy() for layer in layers)
    for y in others:
        np.testing.assert_array_equal(y, first)


def test_custom_encoders_and_decoders() -> None:
    class Nothing(nn.Module):
        def forward(self, x: Any, *args: Any, **how: Any) -> Any:
            return x

    x = normal(3, 2, 4)
    model = nn.Transformer(4, 2, custom_encoder=Nothing(), custom_decoder=Nothing())
    np.testing.assert_array_equal(model(x, x), x)


def test_dropout_is_of_training_only() -> None:
    layer = nn.TransformerEncoderLayer(4, 2, 5, 0.5)
    x = normal(3, 2, 4).astype(np.float32)
    assert (layer(x).numpy() != layer(x).numpy()).any()
    layer.eval()
    np.testing.assert_array_equal(layer(x).numpy(), layer(x).numpy())


@pytest.mark.parametrize(("call", "match"), [
    (lambda: nn.TransformerEncoderLayer(4, 3), "embed_dim=4, num_heads=3"),
    (lambda: nn.TransformerEncoderLayer(4, 2, activation="tanh"),
     "activation='tanh', expected 'relu', 'gelu' or"),
    (lambda: nn.TransformerEncoder(nn.TransformerEncoderLayer(4, 2, 3), -1), "num_layers=-1"),
    (lambda: nn.Transformer(4, 2, 1, 1, 3)(np.ones((3, 2, 4)), np.ones((3, 1, 4))),
     r"src \(3, 2, 4\), tgt \(3, 1, 4\)"),
    (lambda: nn.Transformer(4, 2, 1, 1, 3)(np.ones((3, 2, 5)), np.ones((3, 2, 4))), "with E = 4 and one N"),
    (lambda: nn.Transformer(4, 2, 1, 1, 3)(np.ones((3, 4)), np.ones((3, 2, 4))),
     r"expected \(length, N, E\)"),
])  # fmt: skip
def test_errors(call: Any, match: str) -> None:
    with pytest.raises(ValueError, match=match):
        call()


# -- positions -------------------------------------------------------------------------------------


def test_sinusoids_are_the_papers() -> None:
    p = F.sinusoidal_encoding(50, 6, dtype=np.float64)
    for t, i in [(0, 0), (7, 1), (49, 2)]:
        angle = t / 10000 ** (2 * i / 6)
        assert p[t, 2 * i : 2 * i + 2] == pytest.approx([np.sin(angle), np.cos(angle)])
    inner = p @ p.T  # sum of cos(w (s - t)): of the distance only
    for k in range(5):
        np.testing.assert_allclose(np.diagonal(inner, k), inner[0, k], rtol=1e-9)
    assert F.sinusoidal_encoding(3, 5).shape == (3, 5)


def test_longer_sequences_than_were_computed_beforehand() -> None:
    layer = nn.SinusoidalPositionalEncoding(4, max_len=2)
    x = np.zeros((5, 4), np.float32)
    np.testing.assert_array_equal(layer(x), F.sinusoidal_encoding(5, 4))
    np.testing.assert_array_equal(layer(x[:3]), F.sinusoidal_encoding(3, 4))
    assert not layer.state_dict()


@pytest.mark.parametrize("interleaved", [True, False])
def test_rotary_inner_products_depend_on_the_distance_only(interleaved: bool) -> None:
    q, k = normal(6), normal(6)
    rotated = [F.rotary_embedding(np.tile(x, (9, 1)), interleaved=interleaved) for x in (q, k)]
    inner = rotated[0] @ rotated[1].T
    for d in range(-8, 9):
        np.testing.assert_allclose(np.diagonal(inner, d), np.diagonal(inner, d)[0], rtol=1e-12)
    assert abs(inner[0] - inner[0, 0])[1:].min() > 1e-3
    np.testing.assert_allclose(np.linalg.norm(rotated[0], axis=1), np.linalg.norm(q))


def test_rotary_pairs() -> None:
    x = normal(2, 3, 8)
    order = np.arange(8).reshape(2, 4).T.ravel()  # x_0, x_4, x_1, x_5 ...
    halves = F.rotary_embedding(x, interleaved=False)
    np.testing.assert_allclose(halves[..., order], F.rotary_embedding(x[..., order]), rtol=1e-12)
    one = F.rotary_embedding(np.ones((1, 8)), np.array([3]))
    z = (1 + 1j) * np.exp(3j * 10000.0 ** (-np.arange(4) / 4))  # the paper's equation in complex numbers
    np.testing.assert_allclose(one[0, ::2] + 1j * one[0, 1::2], z)


def test_rotary_positions() -> None:
    x = normal(5, 4)
    np.testing.assert_array_equal(
        F.rotary_embedding(x)[2:], F.rotary_embedding(x[2:], np.arange(2, 5)))  # fmt: skip
    each = F.rotary_embedding(np.stack((x, x)), np.stack((np.arange(5), np.arange(5) + 7)))
    np.testing.assert_array_equal(each[1], F.rotary_embedding(x, np.arange(5) + 7))


@pytest.mark.parametrize(("call", "match"), [
    (lambda: nn.RotaryEmbedding(3), "dim=3, expected an even number"),
    (lambda: nn.RotaryEmbedding(4)(np.ones((3, 6))), r"shape \(3, 6\), expected \(..., L, 4\)"),
    (lambda: F.rotary_embedding(np.ones((3, 4)), np.arange(2)), r"positions of shape \(2,\)"),
    (lambda: F.rotary_embedding(np.ones((3, 5))), "D even"),
    (lambda: nn.LearnedPositionalEmbedding(2, 4)(np.ones((3, 4))),
     "3 positions, expected at most 2; try max_len=3"),
    (lambda: nn.LearnedPositionalEmbedding(2, 4)(np.ones((2, 3))), r"shape \(2, 3\), expected \(..., L, 4\)"),
    (lambda: nn.SinusoidalPositionalEncoding(4, batch_first=False)(np.ones((2, 3))),
     r"expected \(L, ..., 4\)"),
    (lambda: F.sinusoidal_encoding(-1, 4), "length=-1"),
])  # fmt: skip
def test_errors_of_positions(call: Any, match: str) -> None:
    with pytest.raises(ValueError, match=match):
        call()
