"""Convolutions: errors, the functions' own arguments, the lectures' filters, convolutions as matrices."""

from __future__ import annotations

import re
import warnings
from typing import Any

import numpy as np
import pytest

import autograd_core as ag
from autograd_core import nn

F = nn.functional


@pytest.fixture(scope="module")
def torch() -> Any:
    missing = "PyTorch is not installed: pip install 'autograd-core[oracle]'"
    return pytest.importorskip("torch", reason=missing)


def normal(*shape: int, seed: int = 0) -> Any:
    return np.random.default_rng(seed).normal(size=shape)


# -- errors --------------------------------------------------------------------------------------------

WRONG_CALLS = {
    "channels": (
        lambda: nn.Conv2d(3, 4, 3)(np.ones((2, 1, 8, 8))),
        "[Conv2d] got 1 channel (an input of shape (2, 1, 8, 8)), expected 3 channels",
    ),
    "channels last": (
        lambda: nn.Conv2d(3, 4, 3)(np.ones((2, 8, 8, 3))),
        "[Conv2d] got 8 channels (an input of shape (2, 8, 8, 3)), expected 3 channels; "
        "try ops.moveaxis(x, -1, -3), if the channels are the last axis",
    ),
    "no channels": (
        lambda: nn.Conv2d(1, 4, 3)(np.ones((5, 8, 8))),
        "[Conv2d] got 5 channels (an input of shape (5, 8, 8)), expected 1 channel; "
        "try x[:, np.newaxis], if these are images of one channel",
    ),
    "axes": (
        lambda: nn.Conv2d(3, 4, 3)(np.ones((8, 8))),
        "[Conv2d] got an input of shape (8, 8), expected (N, 3, H, W) or (3, H, W)",
    ),
    "axes of a signal": (
        lambda: nn.Conv1d(3, 4, 3)(np.ones((2, 3, 8, 8))),
        "expected (N, 3, L) or (3, L)",
    ),
    "axes, before the border": (
        lambda: nn.Conv3d(3, 4, 3, padding=1, padding_mode="reflect")(np.ones((8, 8))),
        "[Conv3d] got an input of shape (8, 8), expected (N, 3, D, H, W) or (3, D, H, W)",
    ),
    "large kernel": (
        lambda: nn.Conv2d(1, 1, (2, 5), padding=(0, 1), dilation=2)(np.ones((1, 4, 6))),
        "[Conv2d] got an input of size (4, 6), (4, 8) with its padding, and a kernel that reaches over "
        "(3, 9), expected a kernel within the padded input; try more padding, or a smaller kernel",
    ),
    "reflected": (
        lambda: nn.Conv1d(1, 1, 3, padding=4, padding_mode="reflect")(np.ones((1, 4))),
        "[Conv1d] got padding (4, 4) of axis 1 of an input of shape (1, 4), mode='reflect', "
        "expected at most 3",
    ),
    "around": (
        lambda: nn.Conv1d(1, 1, 3, padding=5, padding_mode="circular")(np.ones((1, 4))),
        "expected at most 4",
    ),
    "transposed channels": (
        lambda: nn.ConvTranspose2d(3, 4, 3)(np.ones((1, 4, 5, 5))),
        "[ConvTranspose2d] got 4 channels (an input of shape (1, 4, 5, 5)), expected 3 channels",
    ),
    "nothing is left": (
        lambda: nn.ConvTranspose1d(1, 1, 2, padding=2)(np.ones((1, 2))),
        "[ConvTranspose1d] got an output of size (-1,), expected 1 or more; try less padding",
    ),
    "output_size": (
        lambda: nn.ConvTranspose1d(1, 1, 3, stride=2)(np.ones((1, 5)), 13),
        "[ConvTranspose1d] got output_size=13 for an input of shape (1, 5), expected sizes from (11,) "
        "to (12,)",
    ),
    "numbers in output_size": (
        lambda: nn.ConvTranspose2d(1, 1, 3)(np.ones((1, 5, 5)), (3,)),
        "[ConvTranspose2d] got output_size=(3,), expected 2 numbers, or 3",
    ),
    "unfold": (
        lambda: nn.Unfold(3)(np.ones((4, 4))),
        "[Unfold] got an input of shape (4, 4), expected (N, C, H, W)",
    ),
    "unfold a small image": (
        lambda: nn.Unfold((2, 5))(np.ones((1, 4, 4))),
        "[Unfold] got images of size (4, 4) with kernel_size=(2, 5)",
    ),
    "fold": (
        lambda: nn.Fold((3, 4), 2)(np.ones((8, 5))),
        "[Fold] got an input of shape (8, 5), expected (N, C * 4, 6) or (C * 4, 6)",
    ),
    "fold into a small image": (
        lambda: nn.Fold(2, 3)(np.ones((9, 1))),
        "[Fold] got output_size=(2, 2)",
    ),
    "weight": (
        lambda: F.conv2d(np.ones((1, 4, 4)), np.ones((2, 1, 3))),
        "[conv2d] got a weight of shape (2, 1, 3), expected (O, C / groups, 2 sizes)",
    ),
    "bias": (
        lambda: F.conv1d(np.ones((1, 4)), np.ones((2, 1, 3)), np.ones(3)),
        "[conv1d] got a bias of shape (3,), expected (2,)",
    ),
    "groups": (
        lambda: F.conv1d(np.ones((2, 4)), np.ones((3, 1, 3)), groups=2),
        "[conv1d] got groups=2 for 3 out_channels, expected a divisor of it",
    ),
    "transposed groups": (
        lambda: F.conv_transpose1d(np.ones((3, 4)), np.ones((3, 1, 3)), groups=2),
        "[conv_transpose1d] got groups=2 for 3 in_channels, expected a divisor of it",
    ),
    "matrix": (
        lambda: F.convolution_matrix(np.ones((2, 3)), 4),
        "[convolution_matrix] got a weight of shape (2, 3), expected (O, C / groups, K, ...)",
    ),
}  # fmt: skip

WRONG_LAYERS = {
    "[Conv2d] got in_channels=0, expected a positive number": ((0, 1, 1), {}),
    "[Conv2d] got out_channels=-1, expected a positive number": ((1, -1, 1), {}),
    "[Conv2d] got kernel_size=0, expected a whole number, 1 or more, or 2 of them": ((1, 1, 0), {}),
    "[Conv2d] got kernel_size=(1, 2, 3), expected": ((1, 1, (1, 2, 3)), {}),
    "[Conv2d] got stride=(1, 0), expected": ((1, 1, 1, (1, 0)), {}),
    "[Conv2d] got padding=-1, expected a whole number, 0 or more": ((1, 1, 1, 1, -1), {}),
    "[Conv2d] got padding='full', expected whole numbers, 'valid' or 'same'": ((1, 1, 1, 1, "full"), {}),
    "[Conv2d] got padding='same' with stride=(2, 2), expected stride 1": ((1, 1, 3, 2, "same"), {}),
    "[Conv2d] got dilation=0, expected": ((1, 1, 1, 1, 0, 0), {}),
    "[Conv2d] got groups=0, expected": ((2, 2, 1), {"groups": 0}),
    "[Conv2d] got in_channels=3 with groups=2, expected a multiple of the groups": ((3, 2, 1), {"groups": 2}),
    "[Conv2d] got out_channels=3 with groups=2, expected a multiple": ((2, 3, 1), {"groups": 2}),
    "[Conv2d] got padding_mode='edge', expected 'zeros', 'reflect'": ((1, 1, 1), {"padding_mode": "edge"}),
}  # fmt: skip


@pytest.mark.parametrize("call", WRONG_CALLS)
def test_errors_of_calls(call: str) -> None:
    run, text = WRONG_CALLS[call]
    with pytest.raises(ValueError, match=re.escape(text)):
        run()


@pytest.mark.parametrize("text", WRONG_LAYERS)
def test_errors_of_layers(text: str) -> None:
    args, kwargs = WRONG_LAYERS[text]
    with pytest.raises(ValueError, match=re.escape(text)):
        nn.Conv2d(*args, **kwargs)


@pytest.mark.parametrize("make", [
    lambda: nn.Conv2d(1, 1, 2.5), lambda: nn.Conv2d(1, 1, "3"), lambda: nn.Conv1d(1, 1, True),
    lambda: nn.ConvTranspose2d(1, 1, 2, padding="same"),
])  # fmt: skip
def test_numbers_are_whole(make: Any) -> None:
    with pytest.raises(TypeError, match=r"\[Conv.*(whole number|expected)"):
        make()


@pytest.mark.parametrize("make", [
    lambda: nn.ConvTranspose1d(1, 1, 2, stride=2, output_padding=2)(np.ones((1, 3))),
    lambda: F.conv_transpose1d(np.ones((1, 3)), np.ones((1, 1, 2)), output_padding=1),
])  # fmt: skip
def test_output_padding_is_less_than_a_step(make: Any) -> None:
    with pytest.raises(ValueError, match=r"output_padding=.*expected less than the stride or the dilation"):
        make()
    with pytest.raises(ValueError, match=r"\[ConvTranspose1d\] got padding_mode='reflect', expected 'zeros'"):
        nn.ConvTranspose1d(1, 1, 2, padding_mode="reflect")


# -- as PyTorch, where the modules do not reach --------------------------------------------------------


@pytest.mark.parametrize("dilation", [1, 2, (2, 1)])
@pytest.mark.parametrize("mode", ["zeros", "replicate"])
def test_same_with_even_kernels(dilation: Any, mode: str, torch: Any) -> None:
    settings = {"padding": "same", "dilation": dilation, "padding_mode": mode}
    theirs = torch.nn.Conv2d(2, 3, (2, 4), **settings).double()
    ours = nn.Conv2d(2, 3, (2, 4), **settings).to(np.float64)
    ours.load_state_dict(theirs.state_dict())
    x = normal(2, 2, 7, 8)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # PyTorch's own, of a copy that it makes
        expected = theirs(torch.tensor(x)).detach().numpy()
    np.testing.assert_allclose(ours(x).data, expected, rtol=1e-12, atol=1e-12)


def test_functions_as_pytorch(torch: Any) -> None:
    x, w, b = normal(2, 4, 7), normal(6, 2, 3), normal(6)
    for args in [(), (b,), (b, 2), (b, (2,), "valid"), (None, 1, "same", 2, 2), (b, 3, 2, 1, 2)]:
        groups = args[5] if len(args) > 5 else args[4] if len(args) > 4 else 2
        args = (*args, *(None, 1, 0, 1)[len(args) :], groups)[:5]
        given = [None if a is None else torch.tensor(a) if isinstance(a, np.ndarray) else a for a in args]
        expected = torch.nn.functional.conv1d(torch.tensor(x), torch.tensor(w), *given).numpy()
        np.testing.assert_allclose(F.conv1d(x, w, *args), expected, rtol=1e-12, atol=1e-12)
    x, w, b = normal(2, 4, 5), normal(4, 3, 3), normal(6)
    every = [(b, 1, 0, 0, 2, 1), (b, 2, 1, 1, 2, 1), (None, 2, 2, 0, 2, 3), (b, (3,), (1,), (2,), 2, (2,))]
    for args in every:
        given = [None if a is None else torch.tensor(a) if isinstance(a, np.ndarray) else a for a in args]
        expected = torch.nn.functional.conv_transpose1d(torch.tensor(x), torch.tensor(w), *given).numpy()
        np.testing.assert_allclose(F.conv_transpose1d(x, w, *args), expected, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("kind", [nn.Conv2d, nn.ConvTranspose2d])
def test_initialisation_is_uniform(kind: Any) -> None:
    layer = kind(6, 8, (3, 2), groups=2)
    bound = 1 / np.sqrt(layer.weight.shape[1] * 6)
    draws = []
    for seed in range(60):
        nn.manual_seed(seed)
        layer.reset_parameters()
        draws.append(np.concatenate([layer.weight.data.ravel(), layer.bias.data]))
    drawn = np.array(draws)
    assert np.abs(drawn).max() <= bound
    assert np.abs(drawn).max() > 0.99 * bound
    np.testing.assert_allclose(drawn.std(), bound / np.sqrt(3), rtol=0.02)


# -- derivatives ---------------------------------------------------------------------------------------


def test_third_derivatives_and_forward_mode() -> None:
    x, w = normal(2, 2, 4, 5), normal(2, 2, 2, 3, seed=1)

    def energy(x: Any, w: Any) -> Any:
        return ag.sum(F.conv2d(x, w, stride=(1, 2), padding=(1, 0)) ** 3)

    ag.check_gradients(energy, x, w, order=3)
    dx, dw = normal(2, 2, 4, 5, seed=2), normal(2, 2, 2, 3, seed=3)
    _, t = ag.jvp(F.conv2d, (x, w), (dx, dw))
    np.testing.assert_allclose(t, F.conv2d(dx, w) + F.conv2d(x, dw), rtol=1e-12)


def test_the_three_products_are_each_others_adjoints() -> None:
    x, w = normal(2, 4, 6, 5), normal(6, 2, 2, 3, seed=1)
    g = normal(2, 6, 3, 3, seed=2)
    how = {"stride": 2, "padding": (0, 1), "groups": 2}
    y, pull = ag.vjp(lambda x, w: F.conv2d(x, w, **how), x, w)
    assert y.shape == g.shape
    x_bar, w_bar = pull(g)
    for other in (np.vdot(x_bar, x), np.vdot(w_bar, w)):
        np.testing.assert_allclose(other, np.vdot(g, y), rtol=1e-12)
    up = F.conv_transpose2d(g, w, output_padding=0, **how)
    np.testing.assert_allclose(x_bar[..., : up.shape[2], : up.shape[3]], up, rtol=1e-12, atol=1e-12)


def test_images_that_are_data_get_no_gradient(monkeypatch: pytest.MonkeyPatch) -> None:
    from autograd_core.kernels import convolution

    layer = nn.Conv2d(1, 3, 2)
    monkeypatch.setattr(convolution, "spread", lambda *args: pytest.fail("the input's gradient was computed"))
    layer(np.ones((2, 1, 4, 5))).sum().backward()
    np.testing.assert_allclose(layer.weight.grad, np.full((3, 1, 2, 2), 2 * 3 * 4))


# -- the lectures' -------------------------------------------------------------------------------------


def test_the_vertical_edge_filter() -> None:
    """Rows (-1, 2, -1) answer to a thin vertical line, and to nothing that is the same from left to right."""
    vertical = np.array([[-1.0, 2.0, -1.0]] * 3)[None, None]
    line, step = np.zeros((1, 5, 7)), np.zeros((1, 5, 7))
    line[..., 3], step[..., 4:] = 1, 1
    np.testing.assert_array_equal(F.conv2d(line, vertical), [[[0, -3, 6, -3, 0]] * 3])
    np.testing.assert_array_equal(F.conv2d(step, vertical), [[[0, 0, -3, 3, 0]] * 3])
    turned = np.swapaxes(line, 1, 2)
    np.testing.assert_array_equal(F.conv2d(turned, vertical), np.zeros((1, 5, 3)))
    np.testing.assert_array_equal(F.conv2d(turned, np.swapaxes(vertical, 2, 3))[0, :, 0], [0, -3, 6, -3, 0])


def test_a_filter_as_a_matched_detector() -> None:
    """Of all patches of one norm, the one that is the filter itself answers most (Cauchy-Schwarz)."""
    patches = normal(50, 1, 3, 4)
    patches /= np.sqrt((patches**2).sum((1, 2, 3), keepdims=True))
    answers = F.conv2d(patches, patches[7:8])[:, 0, 0, 0]
    assert answers.argmax() == 7
    np.testing.assert_allclose(answers[7], 1)


def test_a_true_convolution_has_the_filter_flipped() -> None:
    x, w = normal(6, 7), normal(3, 2, seed=1)
    expected = np.zeros((4, 6))
    for i in range(4):
        for j in range(6):
            expected[i, j] = sum(w[k, m] * x[i + 2 - k, j + 1 - m] for k in range(3) for m in range(2))
    np.testing.assert_allclose(F.conv2d(x[None], w[None, None, ::-1, ::-1])[0], expected, rtol=1e-12)
    around = np.array([[sum(w[k, m] * x[(i - k) % 6, (j - m) % 7] for k in range(3) for m in range(2))
                        for j in range(7)] for i in range(6)])  # fmt: skip
    before = np.pad(x, ((2, 0), (1, 0)), "wrap")
    np.testing.assert_allclose(F.conv2d(before[None], w[None, None, ::-1, ::-1])[0], around, rtol=1e-12)


@pytest.mark.parametrize(("shape", "size", "how"), [
    ((2, 3, 2), 5, {}),
    ((2, 3, 2), (5,), {"stride": 2, "padding": 1}),
    ((4, 1, 2, 3), (3, 4), {"groups": 2, "padding": (0, 1), "dilation": (2, 1)}),
    ((2, 1, 1, 2, 2), (2, 3, 2), {"padding": "same"}),
])  # fmt: skip
def test_a_convolution_as_a_matrix(shape: Any, size: Any, how: Any) -> None:
    w = ag.tensor(normal(*shape), requires_grad=True)
    n = len(shape) - 2
    conv = getattr(F, f"conv{n}d")
    sizes = (size,) * n if isinstance(size, int) else size
    x = normal(shape[1] * how.get("groups", 1), *sizes, seed=1)
    M = F.convolution_matrix(w, size, **how)
    y = conv(x, w.data, **how)
    assert M.shape == (y.size, x.size)
    np.testing.assert_allclose(M.data @ x.ravel(), y.ravel(), rtol=1e-12, atol=1e-12)
    # Weights are tied: each entry of M is 0 or one of w, whose gradient is the sum over its places.
    G = normal(*M.shape, seed=2)
    (M * G).sum().backward()
    tied = [G[np.isclose(M.data, value)].sum() for value in w.data.ravel()]
    np.testing.assert_allclose(w.grad.ravel(), tied, rtol=1e-12, atol=1e-12)
    assert np.isclose(M.data[..., None], [0, *w.data.ravel()]).any(-1).all()


def test_the_transposed_matrix_is_the_transposed_convolution() -> None:
    w, y = normal(3, 2, 2, 3), normal(3, 2, 3, seed=1)
    M = F.convolution_matrix(w, (3, 8), stride=(1, 2), padding=(0, 1))
    assert M.shape == (3 * 2 * 4, 2 * 3 * 8)
    y = normal(3, 2, 4, seed=1)
    up = F.conv_transpose2d(y, w, stride=(1, 2), padding=(0, 1), output_padding=(0, 1))
    np.testing.assert_allclose(M.T @ y.ravel(), up.ravel(), rtol=1e-12, atol=1e-12)


def test_a_convolution_is_unfold_and_a_product() -> None:
    x, w = normal(2, 3, 5, 6), normal(4, 3, 2, 3, seed=1)
    columns = F.unfold(x, (2, 3), padding=1, stride=2)
    y = (w.reshape(4, -1) @ columns).reshape(2, 4, 3, 3)
    np.testing.assert_allclose(F.conv2d(x, w, stride=2, padding=1), y, rtol=1e-12, atol=1e-12)
    counted = F.fold(F.unfold(np.ones((1, 1, 4, 5)), (2, 3)), (4, 5), (2, 3))
    np.testing.assert_array_equal(counted[0, 0], np.outer([1, 2, 2, 1], [1, 2, 3, 2, 1]))


# -- as data -------------------------------------------------------------------------------------------


def test_repr_names_what_is_not_default() -> None:
    assert repr(nn.Conv2d(2, 4, 3)).startswith("Conv2d(2, 4, kernel_size=(3, 3), stride=(1, 1))")
    layer = nn.Conv1d(2, 4, 3, 2, "valid", 2, 2, False, "circular")
    assert layer.extra_repr() == (
        "2, 4, kernel_size=(3,), stride=(2,), padding='valid', dilation=(2,), groups=2, bias=False, "
        "padding_mode='circular'"
    )
    up = nn.ConvTranspose1d(2, 4, 3, 2, 1, 1)
    assert up.extra_repr() == "2, 4, kernel_size=(3,), stride=(2,), padding=(1,), output_padding=(1,)"


def test_integers_and_lists_are_images() -> None:
    for layer in (nn.Conv1d(1, 1, 2), nn.ConvTranspose1d(1, 1, 2)):
        expected = layer(np.array([[1.0, 2.0, 3.0]], np.float32))
        for x in (np.array([[1, 2, 3]]), [[1, 2, 3]], np.array([[1, 2, 3]], np.uint8)):
            y = layer(x)
            assert y.dtype == np.float32
            np.testing.assert_array_equal(y.data, expected.data)


def test_arrays_in_any_order_of_memory() -> None:
    x, w = normal(2, 3, 5, 4), normal(4, 3, 2, 2, seed=1)
    expected = F.conv2d(x, w)
    np.testing.assert_allclose(F.conv2d(np.asfortranarray(x), w[::1]), expected, rtol=1e-12)
    flipped = F.conv2d(x[:, ::-1], w[:, ::-1])
    np.testing.assert_allclose(flipped, expected, rtol=1e-12)
