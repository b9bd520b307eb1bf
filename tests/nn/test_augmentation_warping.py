"""Images read between their pixels: exact where none is due, elsewhere against SciPy and PyTorch."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from autograd_core import nn
from nn.data.augmentation.interpolation import BLOCK, bilinear, smoothing
from nn.data.augmentation.warping import mapped

D = nn.data
DTYPES = [np.float16, np.float32, np.float64]
ATOL = {np.float16: 3e-3, np.float32: 3e-5, np.float64: 1e-11}


def images(*shape: int, dtype: Any = np.float64) -> Any:
    return np.random.default_rng(sum(shape)).random(shape).astype(dtype)


@pytest.fixture(scope="module")
def ndimage() -> Any:
    return pytest.importorskip("scipy.ndimage", reason="SciPy is missing: pip install 'autograd-core[scipy]'")


@pytest.fixture(scope="module")
def torch() -> Any:
    return pytest.importorskip("torch", reason="PyTorch is missing: pip install 'autograd-core[oracle]'")


def read(x: Any, rows: Any, cols: Any, fill: float) -> Any:
    """Return brightnesses at places that are all known."""
    return bilinear(x, lambda part: (rows[part].copy(), cols[part].copy()), fill)


# -- exact ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", DTYPES, ids=lambda d: d.__name__)
@pytest.mark.parametrize("shape", [(3, 6, 6), (3, 7, 7), (2, 3, 8, 8)], ids=str)
@pytest.mark.parametrize("turns", [-1, 0, 1, 2, 3, 4, 9])
def test_quarter_turns_are_exact(turns: int, shape: Any, dtype: Any) -> None:
    x = images(*shape, dtype=dtype)
    y = D.RandomRotation((90 * turns, 90 * turns))(x)
    assert y.dtype == dtype
    np.testing.assert_array_equal(y, np.rot90(x, turns, axes=(-2, -1)))
    z = D.RandomAffine((90 * turns, 90 * turns))(x)
    np.testing.assert_array_equal(z, y)


def test_half_turns_of_unequal_sides_are_exact() -> None:
    x = images(3, 5, 8, dtype=np.float32)
    np.testing.assert_array_equal(D.RandomRotation((180, 180))(x), x[:, ::-1, ::-1])


@pytest.mark.parametrize("augment", [
    D.RandomRotation(0), D.RandomAffine(0), D.RandomAffine(0, (0, 0), (1, 1), 0), D.ElasticTransform(0),
], ids=["rotation", "affine", "affine of zeros", "elastic"])  # fmt: skip
def test_nothing_to_do_changes_nothing(augment: Any) -> None:
    for shape in ((3, 1, 1), (3, 1, 7), (2, 3, 6, 5)):
        x = images(*shape, dtype=np.float32)
        np.testing.assert_array_equal(augment(x), x)


def test_whole_shifts_are_slices() -> None:
    x = images(3, 6, 7, dtype=np.float32)
    shift = np.array([[1.0, -2.0], [0.0, 3.0], [-99.0, 0.0]])
    y = mapped(x, np.tile(np.eye(2), (3, 1, 1)), shift, fill=9)
    expected = np.full_like(x, 9)
    expected[0, 1:, :-2] = x[0, :-1, 2:]
    expected[1, :, 3:] = x[1, :, :-3]
    np.testing.assert_array_equal(y, expected)


# -- against SciPy and PyTorch ----------------------------------------------------------------------


@pytest.mark.parametrize("dtype", DTYPES, ids=lambda d: d.__name__)
@pytest.mark.parametrize("shape", [(4, 9, 12), (3, 2, 6, 5), (1, 1, 1)], ids=str)
@pytest.mark.parametrize("fill", [0.0, 0.7])
def test_places_between_pixels(ndimage: Any, fill: float, shape: Any, dtype: Any) -> None:
    x = images(*shape, dtype=dtype)
    n, height, width = len(x), *shape[-2:]
    rng = np.random.default_rng(0)
    compute = np.float32 if dtype == np.float16 else dtype
    rows = rng.uniform(-3, height + 2, (n, height, width)).astype(compute)
    cols = rng.uniform(-3, width + 2, (n, height, width)).astype(compute)
    y = read(x, rows, cols, fill)
    assert y.dtype == dtype
    many, found = (a.reshape(n, -1, height, width) for a in (x, y))
    for i in range(n):
        for channel, mine in zip(many[i], found[i]):
            theirs = ndimage.map_coordinates(channel.astype(float), [rows[i], cols[i]], order=1,
                                             mode="grid-constant", cval=fill)  # fmt: skip
            np.testing.assert_allclose(mine, theirs, atol=ATOL[dtype])


def test_far_away_all_is_fill() -> None:
    x = images(2, 4, 4, dtype=np.float32)
    for far in (-1e30, -5, 1e30, 4, np.inf):
        rows = np.full((2, 4, 4), far, np.float32)
        np.testing.assert_array_equal(read(x, rows, np.ones_like(rows), 0.5), 0.5)


def test_large_batches_are_read_in_blocks(torch: Any) -> None:
    x = images(5, 3, 50, 65, dtype=np.float32)
    assert 2 * 50 * 65 < BLOCK < 3 * 50 * 65, "two images, two, and one"
    theta = np.random.default_rng(0).normal(np.eye(2, 3), 0.3, (5, 2, 3)).astype(np.float32)
    grid = torch.nn.functional.affine_grid(torch.tensor(theta), x.shape, align_corners=True)
    theirs = torch.nn.functional.grid_sample(torch.tensor(x), grid, align_corners=True).numpy()
    cols, rows = ((grid[..., k].numpy() + 1) * (n - 1) / 2 for k, n in ((0, 65), (1, 50)))
    np.testing.assert_allclose(read(x, rows, cols, 0), theirs, atol=2e-4)


SETTINGS = [(33.0, 1.0, 0.0, 0.0), (-120.0, 1.4, 0.0, 0.0), (0.0, 0.7, 25.0, 0.0), (15.0, 1.2, -20.0, 30.0)]


@pytest.mark.parametrize(("angle", "scale", "sx", "sy"), SETTINGS)
def test_affine_maps(ndimage: Any, torch: Any, angle: float, scale: float, sx: float, sy: float) -> None:
    """With PyTorch's grid for the matrix written out as torchvision has it, whose angles are clockwise."""
    x = images(2, 3, 16, 16)
    y = D.RandomAffine((angle, angle), None, (scale, scale), (sx, sx, sy, sy))(x)
    rot, a, b = np.deg2rad([-angle, sx, sy])
    forward = scale * np.array([
        [np.cos(rot - b) / np.cos(b), -np.cos(rot - b) * np.tan(a) / np.cos(b) - np.sin(rot)],
        [np.sin(rot - b) / np.cos(b), -np.sin(rot - b) * np.tan(a) / np.cos(b) + np.cos(rot)],
    ])  # fmt: skip
    theta = np.concatenate([np.linalg.inv(forward), np.zeros((2, 1))], axis=1)
    theta = torch.tensor(np.stack([theta, theta]))
    grid = torch.nn.functional.affine_grid(theta, x.shape, align_corners=False)
    theirs = torch.nn.functional.grid_sample(torch.tensor(x), grid, align_corners=False).numpy()
    np.testing.assert_allclose(y, theirs, atol=1e-12)
    wide = images(1, 9, 14)
    y = D.RandomAffine((angle, angle), None, (scale, scale), (sx, sx, sy, sy), fill=0.3)(wide)
    back = np.linalg.inv(forward)[::-1, ::-1]  # in (row, column)
    centre = np.array([4, 6.5])
    theirs = ndimage.affine_transform(wide[0], back, centre - back @ centre, order=1,
                                      mode="grid-constant", cval=0.3)  # fmt: skip
    np.testing.assert_allclose(y[0], theirs, atol=1e-12)


@pytest.mark.parametrize("angle", [27, 100, 200, 290, -130, 361])
def test_rotation_is_scipys(ndimage: Any, angle: float) -> None:
    x = images(1, 11, 8)
    y = D.RandomRotation((angle, angle), fill=0.5)(x)
    theirs = ndimage.rotate(x[0], angle, reshape=False, order=1, mode="grid-constant", cval=0.5)
    np.testing.assert_allclose(y[0], theirs, atol=1e-12)


# -- what is drawn ----------------------------------------------------------------------------------


def test_angles_shifts_scales_and_shears_are_uniform_within_their_bounds() -> None:
    """Read off the middle pixel and its neighbours, of images that show rows and columns."""
    n, size = 4000, 41
    place = np.arange(size) - 20.0
    rows = np.tile(place[:, None], (n, 1, size))
    cols = np.tile(place, (n, size, 1))

    def drawn(augment: Any) -> tuple[Any, Any]:
        """Return the inverse matrix and the place that comes to the centre, as (row, column)."""
        r, c = (augment(x, rng=0)[:, 19:22, 19:22] for x in (rows, cols))
        matrix = np.array([[r[:, 2, 1] - r[:, 1, 1], r[:, 1, 2] - r[:, 1, 1]],
                           [c[:, 2, 1] - c[:, 1, 1], c[:, 1, 2] - c[:, 1, 1]]])  # fmt: skip
        return matrix.transpose(2, 0, 1), np.stack([r[:, 1, 1], c[:, 1, 1]], axis=1)

    def uniform(values: Any, low: float, high: float) -> None:
        assert low <= values.min() < low + 0.01 * (high - low)
        assert high - 0.01 * (high - low) < values.max() <= high
        share = np.sort((values - low) / (high - low))
        assert np.abs(share - (np.arange(n) + 0.5) / n).max() < 1.95 / np.sqrt(n), "Kolmogorov, 0.1%"

    matrix, _ = drawn(D.RandomRotation(30))
    uniform(np.rad2deg(np.arctan2(matrix[:, 0, 1], matrix[:, 0, 0])), -30, 30)
    _, centre = drawn(D.RandomAffine(0, translate=(0.1, 0.3)))
    uniform(-centre[:, 0], -0.3 * size, 0.3 * size)
    uniform(-centre[:, 1], -0.1 * size, 0.1 * size)
    matrix, _ = drawn(D.RandomAffine(0, scale=(0.5, 2)))
    uniform(1 / matrix[:, 0, 0], 0.5, 2)
    matrix, _ = drawn(D.RandomAffine(0, shear=(5, 25)))
    uniform(np.rad2deg(np.arctan(matrix[:, 1, 0])), 5, 25)
    matrix, _ = drawn(D.RandomAffine(0, shear=(0, 0, -20, 10)))
    uniform(np.rad2deg(np.arctan(matrix[:, 0, 1])), -20, 10)


# -- elastic ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("sigma", [0.4, 1.0, 4.0, 9.0])
@pytest.mark.parametrize("length", [1, 2, 7, 28])
def test_smoothing_is_scipys(ndimage: Any, length: int, sigma: float) -> None:
    x = images(3, length)
    theirs = ndimage.gaussian_filter1d(x, sigma, axis=1, mode="reflect")
    np.testing.assert_allclose(x @ smoothing(length, sigma, np.float64).T, theirs, atol=1e-14)


def test_elastic_is_the_smoothed_field(ndimage: Any) -> None:
    x = images(3, 2, 20, 14)
    augment = D.ElasticTransform(alpha=(20, 30), sigma=(2, 3), fill=0.2)
    y = augment(x, rng=8)
    noise = np.random.default_rng(8).random((2, 3, 20, 14), dtype=np.float32).astype(float) * 2 - 1
    for i in range(3):
        down, right = (ndimage.gaussian_filter(u[i], (2, 3), mode="reflect") for u in noise)
        at = np.mgrid[:20, :14] + np.array([20 * down, 30 * right])
        for channel in range(2):
            theirs = ndimage.map_coordinates(x[i, channel], at, order=1, mode="grid-constant", cval=0.2)
            np.testing.assert_allclose(y[i, channel], theirs, atol=1e-10)


def moved(augment: Any, n: int, size: int) -> Any:
    """Return how far each place away from the border is moved: images show rows, which are interpolated."""
    x = np.tile(np.arange(float(size))[:, None], (n, 1, size))
    return (augment(x, rng=0) - x)[:, size // 4 : -size // 4, size // 4 : -size // 4]


def test_the_strength_of_the_field_is_as_told() -> None:
    field = moved(D.ElasticTransform(34, 4), 20, 100)
    assert abs(field.std() / (34 / 4 / np.sqrt(12 * np.pi)) - 1) < 0.03  # 0.163 alpha / sigma
    assert abs(field.mean()) < 5 * 34 / np.sqrt(3 * field.size)


def test_without_smoothing_the_field_is_noise() -> None:
    field = moved(D.ElasticTransform(2, 0), 5, 12)
    noise = np.random.default_rng(0).random((2, 5, 12, 12), dtype=np.float32).astype(float)
    np.testing.assert_allclose(field, 2 * (2 * noise[0, :, 3:-3, 3:-3] - 1), atol=1e-12)
