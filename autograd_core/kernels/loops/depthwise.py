"""A convolution in which each channel has filters of its own, as loops over its planes."""

from __future__ import annotations

from typing import Any

from ..team import share
from ..twins import loop
from .places import three

__all__ = ["correlate", "overlap", "spread"]

Sizes = tuple[int, ...]
RATE = 2e3  # multiplications of a thread in a microsecond


@loop
def inside(tap: int, stride: int, before: int, n: int, size: int) -> tuple[int, int]:
    """Return for which i in range(size) the place ``stride * i + tap - before`` is in range(n)."""
    low = max(0, -((tap - before) // stride))
    return low, max(low, min(size, (n - 1 - tap + before) // stride + 1))


@loop
def filter_planes(
    x: Any, w: Any, bias: Any, y: Any, channels: int, outs: int, kernel: Sizes, stride: Sizes, before: Sizes,
    dilation: Sizes, inner: Sizes, size: Sizes, start: int, stop: int,
) -> None:  # fmt: skip
    """Compute the outputs of some planes of x."""
    (k0, k1, k2), (n0, n1, n2), (m0, m1, m2) = kernel, inner, size
    (s0, s1, s2), (p0, p1, p2), (d0, d1, d2) = stride, before, dilation
    for plane in range(start * outs, stop * outs):
        unit, o = plane // outs, plane % (channels * outs)
        y[plane * m0 * m1 * m2 : (plane + 1) * m0 * m1 * m2] = bias[o]
        for t0 in range(k0):
            from0, to0 = inside(t0 * d0, s0, p0, n0, m0)
            for t1 in range(k1):
                from1, to1 = inside(t1 * d1, s1, p1, n1, m1)
                for t2 in range(k2):
                    low, high = inside(t2 * d2, s2, p2, n2, m2)
                    f = w[((o * k0 + t0) * k1 + t1) * k2 + t2]
                    for i0 in range(from0, to0):
                        for i1 in range(from1, to1):
                            at = ((plane * m0 + i0) * m1 + i1) * m2
                            a, b = i0 * s0 + t0 * d0 - p0, i1 * s1 + t1 * d1 - p1
                            source = ((unit * n0 + a) * n1 + b) * n2 + t2 * d2 - p2 + low * s2
                            row = y[at + low : at + high]
                            if s2 == 1:
                                of_x = x[source : source + high - low]
                                for j in range(high - low):
                                    row[j] += f * of_x[j]
                            else:
                                for j in range(high - low):
                                    row[j] += f * x[source + j * s2]


@loop
def spread_planes(
    g: Any, w: Any, x: Any, channels: int, outs: int, kernel: Sizes, stride: Sizes, before: Sizes,
    dilation: Sizes, inner: Sizes, size: Sizes, start: int, stop: int,
) -> None:  # fmt: skip
    """Add the gradients of some planes of x to the zeros in them."""
    (k0, k1, k2), (n0, n1, n2), (m0, m1, m2) = kernel, inner, size
    (s0, s1, s2), (p0, p1, p2), (d0, d1, d2) = stride, before, dilation
    for plane in range(start * outs, stop * outs):
        unit, o = plane // outs, plane % (channels * outs)
        for t0 in range(k0):
            from0, to0 = inside(t0 * d0, s0, p0, n0, m0)
            for t1 in range(k1):
                from1, to1 = inside(t1 * d1, s1, p1, n1, m1)
                for t2 in range(k2):
                    low, high = inside(t2 * d2, s2, p2, n2, m2)
                    f = w[((o * k0 + t0) * k1 + t1) * k2 + t2]
                    for i0 in range(from0, to0):
                        for i1 in range(from1, to1):
                            at = ((plane * m0 + i0) * m1 + i1) * m2
                            a, b = i0 * s0 + t0 * d0 - p0, i1 * s1 + t1 * d1 - p1
                            target = ((unit * n0 + a) * n1 + b) * n2 + t2 * d2 - p2 + low * s2
                            row = g[at + low : at + high]
                            if s2 == 1:
                                of_x = x[target : target + high - low]
                                for j in range(high - low):
                                    of_x[j] += f * row[j]
                            else:
                                for j in range(high - low):
                                    x[target + j * s2] += f * row[j]


@loop
def overlap_planes(
    g: Any, x: Any, w: Any, images: int, channels: int, outs: int, kernel: Sizes, stride: Sizes,
    before: Sizes, dilation: Sizes, inner: Sizes, size: Sizes, start: int, stop: int,
) -> None:  # fmt: skip
    """Add the gradients of the filters of some channels to the zeros in them."""
    (k0, k1, k2), (n0, n1, n2), (m0, m1, m2) = kernel, inner, size
    (s0, s1, s2), (p0, p1, p2), (d0, d1, d2) = stride, before, dilation
    for n in range(images):
        for plane in range((n * channels + start) * outs, (n * channels + stop) * outs):
            unit, o = plane // outs, plane % (channels * outs)
            for t0 in range(k0):
                from0, to0 = inside(t0 * d0, s0, p0, n0, m0)
                for t1 in range(k1):
                    from1, to1 = inside(t1 * d1, s1, p1, n1, m1)
                    for t2 in range(k2):
                        low, high = inside(t2 * d2, s2, p2, n2, m2)
                        total = x.dtype.type(0)
                        for i0 in range(from0, to0):
                            for i1 in range(from1, to1):
                                at = ((plane * m0 + i0) * m1 + i1) * m2
                                a, b = i0 * s0 + t0 * d0 - p0, i1 * s1 + t1 * d1 - p1
                                source = ((unit * n0 + a) * n1 + b) * n2 + t2 * d2 - p2 + low * s2
                                row = g[at + low : at + high]
                                if s2 == 1:
                                    of_x = x[source : source + high - low]
                                    for j in range(high - low):
                                        total += row[j] * of_x[j]
                                else:
                                    for j in range(high - low):
                                        total += row[j] * x[source + j * s2]
                        w[((o * k0 + t0) * k1 + t1) * k2 + t2] += total


def _axes(stride: Sizes, before: Sizes, dilation: Sizes, *sizes: Sizes) -> Any:
    """Return all settings for three axes: those in front have one place, one tap and no border."""
    kernel, inner, size, stride, dilation = three(*sizes, stride, dilation)
    return kernel, stride, (0,) * (3 - len(before)) + tuple(before), dilation, inner, size


def correlate(
    x: Any, w: Any, bias: Any, stride: Sizes, before: Sizes, dilation: Sizes, size: Sizes, y: Any
) -> None:
    (n, c), outs = x.shape[:2], len(w) // x.shape[1]
    axes = _axes(stride, before, dilation, w.shape[2:], x.shape[2:], size)

    share(filter_planes, n * c, y.size * w[0].size / RATE,
          x.reshape(-1), w.reshape(-1), bias, y.reshape(-1), c, outs, *axes)  # fmt: skip


def spread(
    g: Any, w: Any, stride: Sizes, before: Sizes, dilation: Sizes, groups: int, size: Sizes, x: Any
) -> None:
    n, outs = len(g), len(w) // groups
    axes = _axes(stride, before, dilation, w.shape[2:], size, g.shape[2:])
    x[...] = 0
    share(spread_planes, n * groups, g.size * w[0].size / RATE,
          g.reshape(-1), w.reshape(-1), x.reshape(-1), groups, outs, *axes)  # fmt: skip


def overlap(g: Any, x: Any, stride: Sizes, before: Sizes, dilation: Sizes, kernel: Sizes, w: Any) -> None:
    (n, c), outs = x.shape[:2], g.shape[1] // x.shape[1]
    axes = _axes(stride, before, dilation, kernel, x.shape[2:], g.shape[2:])
    w[...] = 0
    share(overlap_planes, c, g.size * w[0].size / RATE,
          g.reshape(-1), x.reshape(-1), w.reshape(-1), n, c, outs, *axes)  # fmt: skip
