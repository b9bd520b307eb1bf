"""Resampling: functional forms beside PyTorch's, grids, derivatives, errors."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import autograd_core as ag
from autograd_core import nn

F = nn.functional
SHAPES = {1: (2, 2, 5), 2: (2, 2, 3, 5), 3: (1, 2, 3, 2, 4)}
MODES = {1: ["nearest", "nearest-exact", "linear", "area"],
         2: ["nearest", "nearest-exact", "bilinear", "bicubic", "area"],
         3: ["nearest", "nearest-exact", "trilinear", "area"]}  # fmt: skip
SIZES: list[dict[str, Any]] = [
    {"size": 4}, {"size": 1}, {"size": 40}, *({"scale_factor": s} for s in (2, 3, 1.15, 1.2, 2.1, 0.6)),
    {"scale_factor": 1.7, "recompute_scale_factor": True},
]  # fmt: skip
GRADIENT_OF_SOMETHING_ELSE = {  # in PyTorch: that of a copy, or of two copies of each element
    (1, "nearest", 1.15), (1, "nearest", 2.1), (2, "bicubic", 1.15),
    (3, "nearest", 1.15), (3, "nearest", 1.2), (3, "nearest", 2.1),
}  # fmt: skip


@pytest.fixture(scope="module")
def torch() -> Any:
    reason = "PyTorch is not installed: pip install 'autograd-core[oracle]'"
    return pytest.importorskip("torch", reason=reason)


@pytest.mark.parametrize("sizes", SIZES, ids=str)
@pytest.mark.parametrize(("n", "mode"), [(n, mode) for n, modes in MODES.items() for mode in modes])
def test_interpolation_as_pytorch(n: int, mode: str, sizes: dict[str, Any], torch: Any) -> None:
    """Also where the length stays and the scale is not 1, and PyTorch does this or that.

    There its gradient is not always that of its own output; ours is held to differences.
    """
    x = np.random.default_rng(0).normal(size=SHAPES[n])
    smooth = mode.endswith(("linear", "cubic"))
    for aligned in (None, False, True) if smooth else (None,):
        a, b = ag.tensor(x, requires_grad=True), torch.tensor(x, requires_grad=True)
        y = F.interpolate(a, **sizes, mode=mode, align_corners=aligned)
        z = torch.nn.functional.interpolate(b, **sizes, mode=mode, align_corners=aligned)
        np.testing.assert_allclose(y.detach().numpy(), z.detach().numpy(), rtol=1e-10, atol=1e-12)
        if (n, mode, sizes.get("scale_factor")) in GRADIENT_OF_SOMETHING_ELSE:
            ag.check_gradients(lambda x, k=aligned: F.interpolate(x, **sizes, mode=mode, align_corners=k), x)
            continue
        g = np.random.default_rng(1).normal(size=y.shape)
        y.backward(g)
        z.backward(torch.tensor(g))
        np.testing.assert_allclose(a.grad, b.grad.numpy(), rtol=1e-10, atol=1e-12)


def test_the_older_names(torch: Any) -> None:
    x = np.random.default_rng(0).normal(size=(1, 2, 3, 4))
    theirs = torch.tensor(x)
    for name, args in [("upsample_nearest", (5,)), ("upsample_bilinear", ((5, 3),)), ("upsample", (None, 2))]:
        with pytest.warns(UserWarning, match="deprecated"):
            expected = getattr(torch.nn.functional, name)(theirs, *args)
        np.testing.assert_allclose(getattr(F, name)(x, *args), expected.numpy(), rtol=1e-12)
    z = torch.nn.functional.channel_shuffle(theirs, 2).numpy()
    np.testing.assert_array_equal(F.native_channel_shuffle(x, 2), z)


def test_float32_and_long_axes(torch: Any) -> None:
    """Longer than one block of the matrix, so that only parts of it are used."""
    x = np.random.default_rng(0).normal(size=(1, 2, 70, 45)).astype("f4")
    sizes = {"bilinear": (150, 31), "bicubic": (33, 100), "nearest": (100, 77), "area": (50, 44)}
    for mode, size in sizes.items():
        y = F.interpolate(x, size, mode=mode)
        z = torch.nn.functional.interpolate(torch.tensor(x), size, mode=mode).numpy()
        assert y.dtype == np.float32
        np.testing.assert_allclose(y, z, rtol=3e-4, atol=3e-5)  # PyTorch's weights are float32 differences


def test_a_result_is_not_the_input() -> None:
    x = np.ones((1, 1, 3, 4))
    for mode in MODES[2]:
        y = F.interpolate(x, (3, 4), mode=mode)
        np.testing.assert_array_equal(y, x)
        assert not np.shares_memory(y, x)


def test_shuffles_undo_each_other() -> None:
    x = np.random.default_rng(0).normal(size=(2, 8, 3, 5))
    np.testing.assert_array_equal(F.pixel_unshuffle(F.pixel_shuffle(x, 2), 2), x)
    np.testing.assert_array_equal(F.channel_shuffle(F.channel_shuffle(x, 2), 4), x)
    assert F.channel_shuffle(np.ones((0, 4, 3)), 2).shape == (0, 4, 3)


# -- grids -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("aligned", [None, False, True])
@pytest.mark.parametrize("padding", ["zeros", "border", "reflection"])
@pytest.mark.parametrize(("n", "mode"), [(2, "bilinear"), (2, "nearest"), (2, "bicubic"), (3, "bilinear"),
                                         (3, "nearest")])  # fmt: skip
@pytest.mark.filterwarnings("ignore:Default grid_sample:UserWarning")
def test_grid_sample_as_pytorch(n: int, mode: str, padding: str, aligned: bool | None, torch: Any) -> None:
    rng = np.random.default_rng(0)
    x = rng.normal(size=(2, 2, 3, 4) if n == 2 else (1, 2, 3, 2, 4))
    grid = rng.uniform(-2.5, 2.5, (2, 3, 2, 2) if n == 2 else (1, 2, 3, 2, 3))
    a, u = (ag.tensor(v, requires_grad=True) for v in (x, grid))
    b, v = (torch.tensor(v, requires_grad=True) for v in (x, grid))
    y = F.grid_sample(a, u, mode, padding, aligned)
    z = torch.nn.functional.grid_sample(b, v, mode, padding, aligned)
    np.testing.assert_allclose(y.detach().numpy(), z.detach().numpy(), rtol=1e-10, atol=1e-12)
    g = rng.normal(size=y.shape)
    y.backward(g)
    z.backward(torch.tensor(g))
    np.testing.assert_allclose(a.grad, b.grad.numpy(), rtol=1e-10, atol=1e-12)
    ours = np.zeros_like(grid) if u.grad is None else u.grad
    np.testing.assert_allclose(ours, v.grad.numpy(), rtol=1e-9, atol=1e-11)


@pytest.mark.parametrize("padding", ["zeros", "border", "reflection"])
@pytest.mark.parametrize(("n", "mode"), [(2, "bilinear"), (2, "bicubic"), (3, "bilinear")])
def test_grid_sample_has_derivatives(n: int, mode: str, padding: str) -> None:
    rng = np.random.default_rng(2)
    x = rng.normal(size=(1, 1, 3, 4) if n == 2 else (1, 1, 2, 2, 3))
    grid = rng.uniform(-1.4, 1.4, (1, 1, 3, 2) if n == 2 else (1, 1, 1, 2, 3))
    ag.check_gradients(lambda x, g: F.grid_sample(x, g, mode, padding), x, grid, order=2)
    y = F.grid_sample(x.astype("f4"), grid.astype("f4"), mode, padding)
    assert y.dtype == np.float32


@pytest.mark.parametrize("aligned", [False, True])
@pytest.mark.parametrize("size", [(2, 1, 3, 4), (2, 1, 1, 5), (2, 2, 3, 4, 2)])
@pytest.mark.filterwarnings("ignore:Since version 1.3.0, affine_grid:UserWarning")
def test_affine_grids_as_pytorch(size: Any, aligned: bool, torch: Any) -> None:
    n = len(size) - 2
    theta = np.random.default_rng(0).normal(size=(2, n, n + 1))
    y = F.affine_grid(theta, size, aligned)
    z = torch.nn.functional.affine_grid(torch.tensor(theta), size, aligned).numpy()
    np.testing.assert_allclose(y, z, rtol=1e-12, atol=1e-14)
    ag.check_gradients(lambda t: F.affine_grid(t, size, aligned), theta, order=2)


@pytest.mark.parametrize("n", [2, 3])
def test_the_identity_reads_the_image_itself(n: int) -> None:
    x = np.random.default_rng(0).normal(size=(1, 2, 3, 4, 5)[: n + 2])
    theta = np.eye(n, n + 1)[None]
    for aligned in (False, True):
        grid = F.affine_grid(theta, x.shape, aligned)
        for mode in ("bilinear", "nearest"):
            y = F.grid_sample(x, grid, mode, align_corners=aligned)
            np.testing.assert_allclose(y, x, rtol=1e-12, atol=1e-14)


# fmt: off
WRONG: list[tuple[Any, type[Exception], str]] = [
    (lambda: F.interpolate(np.ones((1, 1, 3))), ValueError,
     r"\[interpolate\] got size=None, scale_factor=None, expected one of them"),
    (lambda: F.interpolate(np.ones((1, 1, 3)), 2, 2), ValueError,
     "got size=2, scale_factor=2, expected one of them"),
    (lambda: F.interpolate(np.ones((1, 1, 3)), 2, mode="cubic"), ValueError,
     "got mode='cubic', expected one of 'nea"),
    (lambda: F.interpolate(np.ones((1, 1, 3)), 2, mode="bilinear"), ValueError,
     r"got an input of shape \(1, 1, 3\) for mode='bilinear', expected \(N, C, H, W\).*try mode='linear'"),
    (lambda: F.interpolate(np.ones((1, 3)), 2), ValueError,
     r"expected \(N, C, L\) or \(N, C, H, W\) or \(N, C, D, H"),
    (lambda: F.interpolate(np.ones((1, 1, 3)), 2, align_corners=True), ValueError,
     "got align_corners=True with mode='nearest', expected None"),
    (lambda: F.interpolate(np.ones((1, 1, 3)), 2, recompute_scale_factor=True), ValueError,
     "got recompute_scale_factor=True with size="),
    (lambda: F.interpolate(np.ones((1, 1, 3, 3)), 2, mode="bilinear", antialias=True), NotImplementedError,
     r"\[interpolate\] got antialias=True, expected False"),
    (lambda: F.interpolate(np.ones((1, 1, 3)), scale_factor=0.1), ValueError,
     "expected at least one element"),
    (lambda: F.interpolate(np.ones((1, 1, 3)), scale_factor=-1), ValueError,
     "got scale_factor=-1, expected one pos"),
    (lambda: F.interpolate(np.ones((1, 1, 3)), (2, 2)), ValueError,
     r"got size=\(2, 2\), expected a whole number, 1 or more"),
    (lambda: nn.Upsample(2, mode="fast"), ValueError, r"\[Upsample\] got mode='fast'"),
    (lambda: nn.Upsample(2, 2), ValueError, r"\[Upsample\] got size=2, scale_factor=2, expected one of them"),
    (lambda: F.pixel_shuffle(np.ones((3, 2, 2)), 2), ValueError,
     r"\[pixel_shuffle\] got an input of shape \(3, 2, 2\) for upscale_factor=2, expected \(..., C x 4"),
    (lambda: F.pixel_unshuffle(np.ones((1, 3, 2)), 2), ValueError, r"expected \(..., C, H x 2, W x 2\)"),
    (lambda: F.channel_shuffle(np.ones((1, 3, 2)), 2), ValueError,
     r"expected \(N, C, ...\), C a multiple of 2"),
    (lambda: nn.PixelShuffle(0), ValueError,
     r"\[PixelShuffle\] got upscale_factor=0, expected a whole number, 1 or more"),
    (lambda: nn.ChannelShuffle(1.5), TypeError,
     r"\[ChannelShuffle\] got groups=1.5, expected a whole number"),
    (lambda: F.affine_grid(np.ones((1, 2, 3)), (2, 1, 3, 3)), ValueError,
     r"\[affine_grid\] got theta of shape \(1, 2, 3\) for an image of shape \(2, 1, 3, 3\)"),
    (lambda: F.grid_sample(np.ones((1, 1, 3, 3)), np.ones((2, 1, 1, 2))), ValueError,
     r"\[grid_sample\] got an input of shape \(1, 1, 3, 3\) and a grid of shape \(2, 1, 1, 2\)"),
    (lambda: F.grid_sample(np.ones((1, 1, 3, 3)), np.ones((1, 1, 1, 2)), "cubic"), ValueError,
     "got mode='cubic'"),
    (lambda: F.grid_sample(np.ones((1, 1, 3, 3, 3)), np.ones((1, 1, 1, 1, 3)), "bicubic"), ValueError,
     "got mode='bicubic', expected 'bilinear', 'nearest' or, for images"),
    (lambda: F.grid_sample(np.ones((1, 1, 3, 3)), np.ones((1, 1, 1, 2)), padding_mode="wrap"), ValueError,
     "got padding_mode='wrap', expected 'zeros', 'border' or 'reflection'"),
]
# fmt: on


@pytest.mark.parametrize(("call", "kind", "text"), WRONG, ids=range(len(WRONG)))
def test_errors(call: Any, kind: type[Exception], text: str) -> None:
    with pytest.raises(kind, match=text):
        call()
