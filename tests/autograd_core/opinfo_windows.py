"""Calls of PyTorch's layers that look through windows: convolutions, pooling, unfolding."""

from __future__ import annotations

from typing import Any

import numpy as np

import autograd_core as ag

from .opinfo import Call


def _tuple(v: Any, n: int) -> tuple[int, ...]:
    v = tuple(v) if isinstance(v, (tuple, list)) else (v,)
    return v * n if len(v) == 1 else v


def _windows(x: Any, size: Any, stride: Any, dilation: Any, n: int) -> Any:
    """Return what a kernel of ``size`` sees on the last n axes: these axes, then the kernel's."""
    size, stride, dilation = (_tuple(v, n) for v in (size, stride, dilation))
    reach = tuple((k - 1) * d + 1 for k, d in zip(size, dilation, strict=True))
    seen = ag.sliding_window_view(x, reach, tuple(range(-n, 0)))
    steps = [slice(None, None, s) for s in (*stride, *dilation)]
    return seen[(..., *steps)]


def _padded(x: Any, padding: Any, n: int, value: float = 0.0) -> Any:
    pairs = [(p, p) for p in _tuple(padding, n)]
    return np.pad(x, [(0, 0)] * (x.ndim - n) + pairs, constant_values=value)


def _conv(n: int) -> Call:
    """Return the convolution over n axes, as products of what each output sees."""
    axes = "xyz"[:n] + "uvw"[:n]

    def call(x: Any, w: Any, bias: Any = None, stride: Any = 1, padding: Any = 0, dilation: Any = 1,
             groups: int = 1) -> Any:  # fmt: skip
        if x.ndim == n + 1:
            return call(x[None], w, bias, stride, padding, dilation, groups)[0]
        if padding == "valid":
            padding = 0
        if padding == "same":
            total = [d * (k - 1) for d, k in zip(_tuple(dilation, n), w.shape[2:], strict=True)]
            x = np.pad(x, [(0, 0), (0, 0), *((t // 2, t - t // 2) for t in total)])
        else:
            x = _padded(x, padding, n)
        seen = _windows(x, w.shape[2:], stride, dilation, n)
        b, c = x.shape[:2]
        seen = np.reshape(seen, (b, groups, c // groups, *seen.shape[2:]))
        w = np.reshape(w, (groups, w.shape[0] // groups, *w.shape[1:]))
        y = np.einsum(f"bgc{axes},goc{axes[n:]}->bgo{axes[:n]}", seen, w)
        y = np.reshape(y, (b, w.shape[0] * w.shape[1], *y.shape[3:]))
        return y if bias is None else y + np.reshape(bias, (-1, *[1] * n))

    return call


def _reach(m: int, k: int, s: int, p: int, d: int, ceil: bool) -> tuple[int, int]:
    """Return the widths to add to a length m, so that windows fit; with ``ceil`` the last may jut out."""
    rest = m + 2 * p - d * (k - 1) - 1
    out = (-(-rest // s) if ceil else rest // s) + 1
    out -= ceil and (out - 1) * s >= m + p  # it must start inside
    return p, max(p, (out - 1) * s + d * (k - 1) + 1 - m - p)


def _avg_pool(n: int) -> Call:
    def call(x: Any, kernel_size: Any, stride: Any = None, padding: Any = 0, ceil_mode: bool = False,
             count_include_pad: bool = True, divisor_override: Any = None) -> Any:  # fmt: skip
        size, stride, padding = (_tuple(v, n) for v in (kernel_size, stride or kernel_size, padding))
        ends = [_reach(m, k, s, p, 1, ceil_mode)
                for m, k, s, p in zip(x.shape[-n:], size, stride, padding, strict=True)]  # fmt: skip
        counted = np.ones([m + 2 * p * count_include_pad for m, p in zip(x.shape[-n:], padding, strict=True)])
        around = [(0, b - p) if count_include_pad else (p, b) for p, b in ends]
        total = _windows(np.pad(x, [(0, 0)] * (x.ndim - n) + ends), size, stride, 1, n)
        axes = tuple(range(-n, 0))
        count = divisor_override or _windows(np.pad(counted, around), size, stride, 1, n).sum(axes)
        return np.sum(total, axis=axes) / count

    return call


def _max_pool(n: int) -> Call:
    def call(x: Any, *, kernel_size: Any, stride: Any = None, padding: Any = 0, dilation: Any = 1,
             ceil_mode: bool = False, return_indices: bool = False) -> Any:  # fmt: skip
        size, stride, padding, dilation = (
            _tuple(v, n) for v in (kernel_size, stride or kernel_size, padding, dilation))  # fmt: skip
        ends = [_reach(*lengths, ceil_mode)
                for lengths in zip(x.shape[-n:], size, stride, padding, dilation, strict=True)]  # fmt: skip
        wide = np.pad(x, [(0, 0)] * (x.ndim - n) + ends, constant_values=-np.inf)
        return np.max(_windows(wide, size, stride, dilation, n), axis=tuple(range(-n, 0)))

    return call


def _unfold(x: Any, kernel_size: Any, dilation: Any = 1, padding: Any = 0, stride: Any = 1) -> Any:
    seen = _windows(_padded(x, padding, 2), kernel_size, stride, dilation, 2)
    b, c, h, w, k, l = seen.shape  # noqa: E741
    return np.reshape(np.transpose(seen, (0, 1, 4, 5, 2, 3)), (b, c * k * l, h * w))


def _local_response(x: Any, size: int, alpha: float = 1e-4, beta: float = 0.75, k: float = 1.0) -> Any:
    squares = np.pad(np.square(x), [(0, 0), (size // 2, (size - 1) // 2), *[(0, 0)] * (x.ndim - 2)])
    return x / (alpha * np.mean(ag.sliding_window_view(squares, size, 1), axis=-1) + k) ** beta


CALLS: dict[str, Call] = {
    "nn.functional.local_response_norm": _local_response,
    "nn.functional.unfold": _unfold,
    **{f"nn.functional.{name}{n}d": make(n) for n in (1, 2, 3)
       for name, make in (("avg_pool", _avg_pool), ("conv", _conv), ("max_pool", _max_pool))},
}  # fmt: skip
