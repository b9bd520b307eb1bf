"""."""

from __future__ import annotations

from typing import Any

ROWS: list[Any] = []
