"""How bright a colour is: what contrast is measured with."""

from __future__ import annotations

import re

__all__ = ["luminance"]


def luminance(colour: str) -> float:
    """Return the relative luminance (WCAG 2.2) of what CSS writes as ``rgb(...)``."""
    channels = [float(n) / 255 for n in re.findall(r"[\d.]+", colour)[:3]]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
