"""Augmentations: what all keep to, images moved and hidden, samples mixed, and what is refused."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from autograd_core import nn

D = nn.data
EVERY = {
    "shift": D.RandomShift(3), "shift by fractions": D.RandomShift((0.2, 0.0), fill=1),
    "crop": D.RandomCrop((9, 11), padding=2), "crop unequal": D.RandomCrop((5, 7)),
    "horizontal": D.RandomHorizontalFlip(), "vertical": D.RandomVerticalFlip(),
    "rotation": D.RandomRotation(40), "affine": D.RandomAffine(9, (0.1, 0.2), (0.8, 1.2), (-9, 9, -5, 5)),
    "elastic": D.ElasticTransform(9, 2), "noise": D.GaussianNoise(0.1), "erasing": D.RandomErasing(),
    "cutout": D.Cutout(4), "mixup": D.MixUp(num_classes=3), "cutmix": D.CutMix(num_classes=3),
    "apply": D.RandomApply([D.RandomRotation(9), D.RandomShift(2)]),
    "chain": D.Compose([D.RandomShift(1), D.RandomVerticalFlip()]),
    "rows": D.Compose([D.RandomRotation(9), D.RandomShift(1)], shape=(2, 9, 11)),
}  # fmt: skip
MIXING = ("mixup", "cutmix")
BYTES = {"shift", "shift by fractions", "crop", "crop unequal", "horizontal", "vertical", "erasing", "cutout",
         "cutmix", "chain"}  # fmt: skip
NAMES = list(EVERY)


def images(n: int = 24, dtype: Any = np.float32, channels: bool = True) -> Any:
    """Return images without a symmetry, (n, 2, 9, 11) or (n, 9, 11)."""
    shape = (n, 2, 9, 11) if channels else (n, 9, 11)
    return np.random.default_rng(5).uniform(10, 200, shape).astype(dtype)


def batch(name: str, dtype: Any = np.float32, channels: bool = True) -> tuple[Any, Any]:
    x = images(dtype=dtype, channels=channels)
    return (x.reshape(len(x), -1) if name == "rows" else x), np.arange(len(x)) % 3


# -- what all keep to -------------------------------------------------------------------------------


@pytest.mark.parametrize("name", NAMES)
def test_the_dtype_stays_and_the_input_is_left_alone(name: str) -> None:
    for dtype in (np.float16, np.float32, np.float64, *([np.uint8] if name in BYTES else [])):
        x, labels = batch(name, dtype)
        x.flags.writeable = labels.flags.writeable = False
        y, targets = EVERY[name](x, labels, rng=0)
        assert y.dtype == dtype
        assert len(y) == len(x)
        assert not np.shares_memory(y, x)
        assert not np.array_equal(y, x), "something happens"
        if name not in MIXING:
            assert targets is labels
            assert np.array_equal(EVERY[name](x, rng=0), y), "without targets the images alone"
        if name != "crop unequal":
            assert y.shape == x.shape


@pytest.mark.parametrize("name", NAMES)
def test_the_random_numbers_decide_all(name: str) -> None:
    x, labels = batch(name)
    augment = EVERY[name]
    first = augment(x, labels, rng=np.random.default_rng([7, 1]))
    again = augment(x, labels, rng=np.random.default_rng([7, 1]))
    other = augment(x, labels, rng=np.random.default_rng([7, 2]))
    assert all(np.array_equal(a, b) for a, b in zip(first, again))
    assert not np.array_equal(first[0], other[0])
    nn.manual_seed(3)
    a, b = augment(x, labels)[0], augment(x, labels)[0]
    nn.manual_seed(3)
    assert np.array_equal(augment(x, labels)[0], a), "the library's own by default"
    assert not np.array_equal(a, b)


@pytest.mark.parametrize("name", NAMES)
def test_float32_and_float64_are_changed_alike(name: str) -> None:
    (x, labels), (exact, _) = batch(name), batch(name, np.float64)
    y, targets = EVERY[name](x, labels, rng=1)
    z, also = EVERY[name](exact, labels, rng=1)
    np.testing.assert_allclose(y, z, rtol=1e-4, atol=2e-3)
    np.testing.assert_allclose(targets, also, atol=1e-6)


@pytest.mark.parametrize("name", [n for n in NAMES if n not in MIXING])
def test_each_image_has_random_numbers_of_its_own(name: str) -> None:
    x = np.repeat(batch(name)[0][:1], 24, axis=0)
    assert len(np.unique(EVERY[name](x, rng=0).reshape(24, -1), axis=0)) > 1


@pytest.mark.parametrize("name", [n for n in NAMES if n not in ("rows", "noise", *MIXING)])
def test_all_channels_move_together(name: str) -> None:
    gray = images(channels=False)
    x = np.stack([gray, gray * 2], axis=1)
    augment = D.RandomShift((0.2, 0.0)) if name == "shift by fractions" else EVERY[name]
    y = augment(x, rng=4)
    np.testing.assert_allclose(y[:, 1], 2 * y[:, 0], rtol=1e-6)
    np.testing.assert_array_equal(y[:, 0], augment(gray, rng=4))


@pytest.mark.parametrize("name", NAMES)
def test_an_empty_batch_stays_empty(name: str) -> None:
    x, labels = batch(name)
    assert len(EVERY[name](x[:0], labels[:0])[0]) == 0


@pytest.mark.parametrize("name", NAMES)
def test_text_says_how_it_was_made(name: str) -> None:
    augment = EVERY[name]
    assert repr(eval(repr(augment), vars(D).copy())) == repr(augment)
    x, labels = batch(name)
    again = eval(repr(augment), vars(D).copy())(x, labels, rng=0)
    assert all(np.array_equal(a, b) for a, b in zip(again, augment(x, labels, rng=0)))


def test_a_chain_passes_targets_and_random_numbers_on() -> None:
    x, labels = batch("chain")
    shift, mix = D.RandomShift(1), D.MixUp(num_classes=3)
    y, targets = D.Compose([shift, mix, np.sqrt])(x, labels, rng=9)
    rng = np.random.default_rng(9)
    expected, also = mix(shift(x, rng=rng), labels, rng=rng)
    np.testing.assert_array_equal(y, np.sqrt(expected))
    np.testing.assert_array_equal(targets, also)
    scale = D.Standardise(axis=None).fit(x)
    np.testing.assert_array_equal(D.Compose([scale, D.RandomShift(0)])(x), scale(x))
    inner = D.Compose([D.Compose([shift]), mix], shape=(9, 11))
    flat, *_, chances = inner(x[:, 0].reshape(24, -1), labels, labels, rng=9)
    np.testing.assert_allclose(flat, expected[:, 0].reshape(24, -1))
    np.testing.assert_array_equal(chances, also)


def test_batches_are_augmented_the_same_in_an_epoch_repeated() -> None:
    x, labels = batch("rows")
    loader = D.batches(x, labels, batch_size=7, shuffle=False, transform=EVERY["rows"])
    first = list(loader.epoch(11))
    again = list(loader.epoch(11, start=2))
    assert len(first) == 4
    for (a, s), (b, t) in zip(first[2:], again, strict=True):
        np.testing.assert_array_equal(a, b)
        np.testing.assert_array_equal(s, t)
    np.testing.assert_array_equal(first[1][0], EVERY["rows"](x[7:14], rng=[11, 1]))


# -- whole pixels -----------------------------------------------------------------------------------


def slices(x: Any, down: int, right: int, fill: float = 0) -> Any:
    """Return images moved by whole pixels, the plain way."""
    y = np.full_like(x, fill)
    height, width = x.shape[-2:]
    for i in range(height):
        for j in range(width):
            if 0 <= i - down < height and 0 <= j - right < width:
                y[..., i, j] = x[..., i - down, j - right]
    return y


def test_shifts_are_slices_and_each_is_as_likely() -> None:
    x = np.repeat(images(1), 900, axis=0)
    y = D.RandomShift((1, 2), fill=-5)(x, rng=0)
    moves = {(a, b): slices(x[0], a, b, -5) for a in (-1, 0, 1) for b in (-2, -1, 0, 1, 2)}
    counts = [int(np.sum(np.all(y == move, axis=(1, 2, 3)))) for move in moves.values()]
    assert sum(counts) == 900
    assert min(counts) > 900 / 15 - 5 * np.sqrt(60)
    assert max(counts) < 900 / 15 + 5 * np.sqrt(60)


def test_fractions_of_the_size_are_whole_pixels() -> None:
    x = np.repeat(images(1), 200, axis=0)  # 9 x 11
    y = D.RandomShift(0.25)(x, rng=0)
    moves = [slices(x[0], a, b) for a in range(-2, 3) for b in range(-2, 3)]
    assert all(any(np.array_equal(z, move) for move in moves) for z in y)
    assert any(np.array_equal(z, moves[0]) for z in y)


@pytest.mark.parametrize("mode", ["constant", "edge", "reflect", "symmetric"])
@pytest.mark.parametrize("padding", [None, 3, (1, 2), (1, 2, 3, 0)], ids=str)
def test_crops_are_parts_of_the_padded_image(padding: Any, mode: str) -> None:
    x = np.repeat(images(1, channels=False), 150, axis=0)
    known = {None: (0, 0, 0, 0), 3: (3, 3, 3, 3), (1, 2): (1, 2, 1, 2)}
    left, top, right, bottom = known.get(padding, padding)
    extra = {"constant_values": 7} if mode == "constant" else {}
    whole = np.pad(x[0], [(top, bottom), (left, right)], mode, **extra)
    y = D.RandomCrop((8, 10), padding, fill=7, padding_mode=mode)(x, rng=1)
    assert y.shape == (150, 8, 10)
    rows, cols = whole.shape[0] - 7, whole.shape[1] - 9
    parts = [whole[i : i + 8, j : j + 10] for i in range(rows) for j in range(cols)]
    seen = [next(k for k, part in enumerate(parts) if np.array_equal(z, part)) for z in y]
    assert len(set(seen)) > 0.7 * len(parts)


def test_small_images_are_padded_if_needed() -> None:
    x = images(3, np.uint8)
    y = D.RandomCrop((12, 11), pad_if_needed=True, fill=3)(x, rng=0)
    assert y.shape == (3, 2, 12, 11)
    assert all(any(np.array_equal(a[:, k : k + 9], b) for k in range(4)) for a, b in zip(y, x))
    np.testing.assert_array_equal(D.RandomCrop((9, 11), pad_if_needed=True)(x), x)
    rows = np.tile(np.arange(1, 10)[:, None], (200, 1, 11))
    tops = D.RandomCrop((12, 12), padding=1, pad_if_needed=True)(rows, rng=0)
    first = tops.max(axis=2).argmax(axis=1)  # where the last row, of 9, is
    assert set(first) == {10, 9}, "two lines are lacking but for the padding, and one is with it"


@pytest.mark.parametrize(("flip", "axis"), [(D.RandomHorizontalFlip, -1), (D.RandomVerticalFlip, -2)])
def test_flips(flip: Any, axis: int) -> None:
    x = images(400)
    always, never, half = flip(p=1), flip(p=0), flip()
    np.testing.assert_array_equal(always(x), np.flip(x, axis))
    np.testing.assert_array_equal(always(always(x)), x)
    np.testing.assert_array_equal(never(x), x)
    y = half(x, rng=0)
    turned = np.all(y == np.flip(x, axis), axis=(1, 2, 3))
    assert np.array_equal(y[~turned], x[~turned])
    assert 150 < turned.sum() < 250


def test_some_are_changed_and_the_others_left() -> None:
    x = images(400)
    y = D.RandomApply(D.RandomHorizontalFlip(1), p=0.25)(x, rng=0)
    turned = np.all(y == x[..., ::-1], axis=(1, 2, 3))
    assert np.array_equal(y[~turned], x[~turned])
    assert abs(turned.mean() - 0.25) < 5 * np.sqrt(0.25 * 0.75 / 400)
    np.testing.assert_array_equal(D.RandomApply(D.RandomVerticalFlip(1), p=0)(x), x)


# -- noise and hidden parts -------------------------------------------------------------------------


def test_noise_has_its_standard_deviation_and_bounds() -> None:
    x = np.full((10, 50, 50), 0.9)
    noise = D.GaussianNoise(0.2)(x, rng=0) - x
    assert abs(noise.mean()) < 5 * 0.2 / np.sqrt(noise.size)
    assert abs(noise.std() / 0.2 - 1) < 5 / np.sqrt(2 * noise.size)
    y = D.GaussianNoise(0.2, clip=(0, 1))(x, rng=0)
    np.testing.assert_array_equal(y, np.clip(x + noise, 0, 1))
    np.testing.assert_array_equal(D.GaussianNoise(0)(x), x)


def test_rectangles_have_their_areas_and_proportions() -> None:
    x = np.ones((2000, 40, 50))
    y = D.RandomErasing(0.75, scale=(0.05, 0.2), ratio=(0.5, 2), value=-1)(x, rng=0)
    hidden = y == -1
    erased = hidden.any(axis=(1, 2))
    assert abs(erased.mean() - 0.75) < 5 * np.sqrt(0.75 * 0.25 / 2000)
    rows, cols = hidden.any(axis=2).sum(axis=1)[erased], hidden.any(axis=1).sum(axis=1)[erased]
    np.testing.assert_array_equal(rows * cols, hidden.sum(axis=(1, 2))[erased])
    assert (np.abs(np.log(rows / cols)) < np.log(2) + 0.1).all()
    share = rows * cols / 2000
    assert 0.045 < share.min() < 0.06
    assert 0.19 < share.max() < 0.205
    assert hidden.any(axis=(0, 1)).all(), "any column can be hidden"
    assert hidden.any(axis=(0, 2)).all(), "any row can be hidden"
    np.testing.assert_array_equal(D.RandomErasing(0)(x), x)
    np.testing.assert_array_equal(D.RandomErasing(1, (1, 1), (9, 9))(x), x, "none of such a form fits")
    assert not D.RandomErasing(1, (1, 1), (0.8, 0.8))(x).any()


def test_cutout_is_centred_on_any_pixel() -> None:
    y = D.Cutout(3)(np.ones((500, 4, 4), int), rng=0)
    squares = set()
    for i in range(4):
        for j in range(4):
            z = np.ones((4, 4), int)
            z[max(0, i - 1) : i + 2, max(0, j - 1) : j + 2] = 0
            squares.add(z.tobytes())
    assert {z.tobytes() for z in y} == squares


# -- mixing -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("alpha", [0.2, 1.0])
def test_mixup_is_the_equation_with_shares_from_beta(alpha: float) -> None:
    n = 1500
    x, labels = np.eye(n), np.arange(n)
    y, targets = D.MixUp(alpha, n)(x, labels, rng=0)
    np.testing.assert_array_equal(y, targets)  # which of x and how much is read off, as from the targets
    share = y.diagonal()
    partner = np.where(share < 1, (y - np.diag(share)).argmax(axis=1), labels)
    np.testing.assert_allclose(y, share[:, None] * x + (1 - share[:, None]) * x[partner], atol=1e-15)
    variance = 1 / (4 * (2 * alpha + 1))  # of Beta(alpha, alpha)
    assert abs(share.mean() - 0.5) < 5 * np.sqrt(variance / n)
    assert abs(share.var() / variance - 1) < 0.1


def test_targets_of_all_kinds_are_mixed() -> None:
    x, labels = batch("mixup")
    regression, chances = np.linspace(0, 1, 24), np.eye(3, dtype=np.float32)[labels]
    y, a, b, c = D.MixUp(num_classes=3)(x, labels, regression, chances, rng=1)
    np.testing.assert_array_equal(a, c)
    assert (a.dtype, b.dtype) == (np.float32, np.float64)
    np.testing.assert_allclose(a.sum(axis=1), 1, atol=1e-6)
    loss = nn.functional.cross_entropy(y.reshape(24, -1)[:, :3], a)
    assert np.isfinite(loss.item())
    rows = D.MixUp()(x.reshape(24, -1), regression, rng=1)
    np.testing.assert_array_equal(rows[0], y.reshape(24, -1))
    np.testing.assert_array_equal(rows[1], b)


def test_cutmix_shares_are_areas() -> None:
    x = np.arange(300.0)[:, None, None] * np.ones((300, 20, 30))
    y, targets = D.CutMix(num_classes=300)(x, np.arange(300), rng=0)
    for k, (image, target) in enumerate(zip(y, targets)):
        np.testing.assert_allclose(target[k], np.mean(image == k))
        other = np.flatnonzero(image.reshape(-1) != k)
        if other.size:
            np.testing.assert_allclose(target[int(image.reshape(-1)[other[0]])], np.mean(image != k))
            inside = image != k
            assert inside.sum() == inside.any(axis=0).sum() * inside.any(axis=1).sum(), "a rectangle"
    half = D.CutMix(1e9, num_classes=300)(x, np.arange(300), rng=0)[0]  # the share is 1/2 for all
    inside = (half != x)[np.any(half != x, axis=(1, 2))]  # few are their own partners
    rows, cols = inside.any(axis=2).sum(axis=1), inside.any(axis=1).sum(axis=1)
    assert (rows.max(), cols.max()) == (14, 21), "a root of 1/2 of 20 and of 30"
    assert (rows.min(), cols.min()) == (7, 11), "with the centre on the first pixel half is cut off"


# -- errors -----------------------------------------------------------------------------------------

X = np.ones((4, 5, 6))
BYTES = X.astype(np.uint8)


@pytest.mark.parametrize(
    ("call", "text"),
    [
        (lambda: D.RandomShift(1)(np.ones((4, 30))), r"\(4, 30\), expected \(N, H, W\).*shape=\(H, W\)"),
        (lambda: D.RandomRotation(1)(np.ones(4)), r"images of shape \(4,\), expected \(N, H, W\) or"),
        (lambda: D.Cutout(1)(np.ones((4, 0, 3))), r"images of shape \(4, 0, 3\), expected pixels"),
        (lambda: D.RandomShift(-1), "max_shift=-1, expected a whole number"),
        (lambda: D.RandomShift(1.5), "max_shift=1.5"),
        (lambda: D.RandomShift((1, 2, 3)), r"max_shift=\(1, 2, 3\), expected a number, or two"),
        (lambda: D.RandomCrop(7)(X), "5 x 6 pixels, expected at least 7 x 7; try padding= or pad_if"),
        (lambda: D.RandomCrop(0), "rows=0, expected a positive"),
        (lambda: D.RandomCrop(3, padding=(1, 2, 3)), r"padding=\(1, 2, 3\), expected one, two or four"),
        (lambda: D.RandomCrop(3, padding=-1), "padding=-1"),
        (lambda: D.RandomCrop(3, padding_mode="wrap"), "padding_mode='wrap', expected constant, edge"),
        (lambda: D.RandomHorizontalFlip(1.1), "p=1.1, expected a number from 0 to 1"),
        (lambda: D.RandomVerticalFlip(-0.1), "p=-0.1"),
        (lambda: D.RandomRotation(-3), "degrees=-3, expected a number that is not negative"),
        (lambda: D.RandomRotation((3, 2)), r"degrees=\(3, 2\)"),
        (lambda: D.RandomAffine(0, translate=(0.1, 1.5)), "translate_rows=1.5"),
        (lambda: D.RandomAffine(0, scale=(0, 1)), r"scale=\(0, 1\), expected \(low, high\), both positive"),
        (lambda: D.RandomAffine(0, scale=2), "scale=2"),
        (lambda: D.RandomAffine(0, shear=90), "shear=90, expected degrees between"),
        (lambda: D.RandomAffine(0, shear=(1, 2, 3)), r"shear=\(1, 2, 3\)"),
        (lambda: D.ElasticTransform(-1), "alpha=-1"),
        (lambda: D.ElasticTransform(sigma=(1, -1)), r"sigma=\(1, -1\)"),
        (lambda: D.GaussianNoise(-0.1), "std=-0.1, expected a number that is not negative"),
        (lambda: D.GaussianNoise(0.1, clip=(1, 0)), r"clip=\(1, 0\)"),
        (lambda: D.RandomApply(D.RandomCrop(3))(X), r"shape \(5, 6\) made \(3, 3\), expected the same size"),
        (lambda: D.RandomApply([], p=2), "p=2"),
        (lambda: D.RandomErasing(2), "p=2"),
        (lambda: D.RandomErasing(scale=(0.1, 1.1)), r"scale=\(0.1, 1.1\)"),
        (lambda: D.RandomErasing(ratio=(0, 1)), r"ratio=\(0, 1\)"),
        (lambda: D.Cutout(0), "rows=0"),
        (lambda: D.MixUp(0), "alpha=0, expected a positive number"),
        (lambda: D.MixUp()(X, np.arange(4)), r"dtype int64, expected labels.*try MixUp\(num_classes=10\)"),
        (lambda: D.CutMix()(X, np.ones((4, 2), int)), r"try targets.astype\(np.float32\)"),
        (lambda: D.MixUp(num_classes=3)(X, np.arange(3)), r"shape \(3,\), expected as many as samples, 4"),
        (lambda: D.Compose([], shape=(5, 5))(X.reshape(4, -1)), r"\(4, 30\), expected \(N, 25\) for shape="),
        (lambda: D.RandomErasing(1, value=300)(BYTES), "the brightness 300 for images of dtype uint8"),
        (lambda: D.Cutout(1, value=0.5)(BYTES), "the brightness 0.5 for images of dtype uint8"),
        (lambda: D.RandomShift(1, fill=-1)(BYTES), "the brightness -1"),
        (lambda: D.RandomCrop(3, padding=1, fill=0.5)(BYTES), "the brightness 0.5"),
        (lambda: D.MixUp(num_classes=1)(1.0, [0]), r"samples of shape \(\), expected \(N, ...\)"),
        (lambda: D.Compose([], shape=(5,)), r"shape=\(5,\), expected \(H, W\) or \(C, H, W\)"),
    ],
)
def test_wrong_settings_and_images_are_explained(call: Any, text: str) -> None:
    with pytest.raises(ValueError, match=text):
        call()


@pytest.mark.parametrize(
    ("call", "text"),
    [
        (lambda: D.RandomRotation(5)(X.astype(np.uint8)), r"uint8, expected floating.*\(np.float32\) / 255"),
        (lambda: D.MixUp(num_classes=4)(X.astype(int), np.arange(4)), "expected floating"),
        (lambda: D.MixUp(num_classes=4)(np.eye(4, dtype=int), np.arange(4)), "int64, expected floating"),
        (lambda: D.RandomShift(1)(X.astype(complex)), "dtype complex128, expected real"),
        (lambda: D.MixUp(num_classes=3)(X), r"no targets, expected augment\(x, targets\)"),
        (lambda: D.Compose([D.RandomShift(1), 3]), "got 3, expected augmentations"),
        (lambda: D.RandomCrop(2.5), "rows=2.5, expected a positive whole"),
    ],
)
def test_wrong_types_are_explained(call: Any, text: str) -> None:
    with pytest.raises(TypeError, match=text):
        call()


def test_a_label_beyond_the_classes_is_named() -> None:
    with pytest.raises(IndexError, match="3"):
        D.MixUp(num_classes=3)(X, np.arange(4))
