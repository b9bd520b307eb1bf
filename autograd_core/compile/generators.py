"""Random numbers in a step that is being captured: a draw is a call of the step."""

from __future__ import annotations

import pickle
from threading import get_ident
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy import ndarray

from .traced import Method, Traced

if TYPE_CHECKING:
    from .capture import Capture
    from .slots import Slot

__all__ = ["TracedGenerator", "read_state"]


class TracedGenerator:
    """A generator of random numbers in a step that is being captured: its draws are calls of the step."""

    __slots__ = ("_capture", "real", "slot")
    is_generator = True

    def __init__(self, capture: Capture, slot: Slot, real: Any) -> None:
        self._capture, self.slot, self.real = capture, slot, real

    @property  # type: ignore[misc]
    def __class__(self) -> Any:
        return type(self.real)

    def __getattr__(self, name: str) -> Any:
        draw = getattr(self.real, name)
        if get_ident() != self._capture.thread:
            return draw  # another thread draws while this one captures
        if name == "bit_generator":
            return TracedBits(self)
        if not callable(draw) or name.startswith("_"):
            raise self._capture.refusal(f"{name} of a generator")

        def act(*args: Any, **params: Any) -> Any:
            writes = args[:1] if name == "shuffle" else [x for x in (params.get("out"),) if x is not None]
            if any(type(x) is not Traced for x in writes):
                raise self._capture.refusal(f"{name} of a generator into what is no array of the step",
                                            "permutation, which returns it")  # fmt: skip
            return self._capture.call(Method(name), (self.slot, *args), params, writes, draws=draw)

        return act


class TracedBits:
    """The state of a generator in a captured step: as an array, so that it can be kept and put back."""

    __slots__ = ("generator",)

    def __init__(self, generator: TracedGenerator) -> None:
        self.generator = generator

    @property
    def state(self) -> Any:
        g = self.generator
        state = g._capture.call(read_state, (g.slot,), draws=lambda: read_state(g.real))
        state._slot.place = read_state  # it stands for no array: no step can hand it out
        return state

    @state.setter
    def state(self, state: Any) -> None:
        g = self.generator
        array = state if type(state) is Traced else packed(state)
        g._capture.call(write_state, (g.slot, array), draws=lambda array: write_state(g.real, array))

    def __getattr__(self, name: str) -> Any:
        raise self.generator._capture.refusal(f"{name} of a bit generator")


def packed(state: Any) -> ndarray[Any, Any]:
    """Return the state of a generator as bytes of a length that stays the same."""
    data = pickle.dumps(state)
    return np.frombuffer(data.ljust(-(-len(data) // 1024) * 1024, b"\0"), np.uint8)


def read_state(generator: np.random.Generator) -> ndarray[Any, Any]:
    return packed(generator.bit_generator.state)


def write_state(generator: np.random.Generator, state: ndarray[Any, Any]) -> None:
    generator.bit_generator.state = pickle.loads(state.tobytes())
