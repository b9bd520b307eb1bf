"""The whole state of a training as data, what training it is of, and back."""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy import ndarray

from autograd_core.errors import message

from . import randomness
from .callbacks import Callback
from .feeding import length

__all__ = ["about", "differences", "put_back", "take"]

SAMPLED = 64  # samples of the data whose bytes are compared


def about(trainer: Any, loader: Any, steps: int | None) -> dict[str, Any]:
    """Return what has to be the same when a training goes on, in words that people read."""
    optimizer = trainer.optimizer
    return {
        "model": arrays_in(trainer.model),
        "loss": {"name": kind(trainer.loss), **arrays_in(trainer.loss)},
        "optimizer": {
            "name": kind(optimizer),
            "options": {k: repr(v) for k, v in optimizer.defaults.items()},
            "groups": [len(group["params"]) for group in optimizer.param_groups],
        },
        "data": {
            "batches": length(loader),
            **{
                name: getattr(loader, name)
                for name in ("samples", "batch_size", "drop_last")
                if isinstance(getattr(loader, name, None), int)
            },
            "order": kind(getattr(loader, "sampler", None)),
            **digests(getattr(getattr(loader, "dataset", None), "arrays", ())),
        },
        "callbacks": [kind(callback) for callback in remembering(trainer)],
        "metrics": list(trainer.metrics),
        "settings": {
            "accumulate": trainer.accumulate, "clip_norm": trainer.clip_norm,
            "clip_value": trainer.clip_value, "steps": steps,
        },
    }  # fmt: skip


def kind(thing: Any) -> str:
    if hasattr(thing, "scheduler"):
        return f"{type(thing).__name__} of {kind(thing.scheduler)}"
    return getattr(thing, "__name__", type(thing).__name__)


def remembering(trainer: Any) -> list[Any]:
    """Return the callbacks that have a state; others may come and go."""
    none = Callback.state_dict
    return [c for c in trainer.callbacks if getattr(type(c), "state_dict", none) is not none]


def arrays_in(module: Any) -> dict[str, str]:
    """Return dtype and shape of each array of a module."""
    state = module.state_dict() if hasattr(module, "state_dict") else {}
    return {name: f"{array.dtype} {array.shape}" for name, array in state.items()}


def digests(arrays: Any) -> dict[str, str]:
    """Return a text for each array that changes with its shape or with some of its samples."""
    found = {}
    for i, array in enumerate(arrays if isinstance(arrays, (tuple, list)) else ()):
        if isinstance(array, ndarray) and array.ndim and array.dtype != object:
            chosen = array[np.linspace(0, len(array) - 1, min(SAMPLED, len(array))).astype(int)]
            code = zlib.crc32(np.ascontiguousarray(chosen).tobytes())
            found[f"array {i}"] = f"{array.dtype} {array.shape}, samples {code:08x}"
    return found


def differences(theirs: Any, ours: Any, path: str = "") -> list[str]:
    """Say where two trees differ: first the checkpoint's, then what is here."""
    if isinstance(theirs, Mapping) and isinstance(ours, Mapping):
        names = [*theirs, *(name for name in ours if name not in theirs)]
        return [
            line for name in names
            for line in differences(theirs.get(name, "nothing"), ours.get(name, "nothing"),
                                    f"{path} {name}".strip())
        ]  # fmt: skip
    same = theirs == ours or (theirs != theirs and ours != ours)
    return [] if same else [f"{path}: {theirs} in the checkpoint, {ours} here"]


def check_same(path: Any, theirs: Mapping[str, Any], ours: Mapping[str, Any]) -> None:
    """Refuse a checkpoint of another training, and list what differs."""
    if found := differences(theirs, ours):
        data = any(": " in line and line.startswith("data array") for line in found)
        seeds = "nn.manual_seed(0) before data are split, " if data else ""
        raise ValueError(message(
            "Trainer.fit", f"a checkpoint of another training, {str(path)!r}:\n  "
            + "\n  ".join(found) + "\n",
            "the same model, optimizer, data and settings",
            f"{seeds}another folder, or checkpoints.clear() to begin anew"))  # fmt: skip


def take(trainer: Any, run: Any) -> dict[str, Any]:
    """Return the state of a training between two steps."""
    history = trainer.history
    return {
        "about": run.about,
        "model": trainer.model.state_dict(),
        "loss": trainer.loss.state_dict() if hasattr(trainer.loss, "state_dict") else {},
        "optimizer": trainer.optimizer.state_dict(),
        "callbacks": [callback.state_dict() for callback in remembering(trainer)],
        "metrics": {name: metric.state_dict() for name, metric in trainer.metrics.items()},
        "random": randomness.get_state(run.loader),
        "position": dict(vars(run.position)),
        "logs": {k: float(v) for k, v in trainer.logs.items()},
        "history": {
            "epochs": dict(history), "steps": dict(history.steps), "stopped": history.stopped,
        },
    }  # fmt: skip


def put_back(state: Mapping[str, Any], trainer: Any, run: Any) -> None:
    """Let a training go on from a state that ``take`` returned."""
    trainer.model.load_state_dict(state["model"])
    if state["loss"]:
        trainer.loss.load_state_dict(state["loss"])
    trainer.optimizer.load_state_dict(state["optimizer"])
    for callback, inside in zip(remembering(trainer), state["callbacks"], strict=True):
        callback.load_state_dict(inside)
    for name, metric in trainer.metrics.items():
        metric.load_state_dict(state["metrics"][name])
    vars(run.position).update(state["position"])
    trainer.logs = dict(state["logs"])
    history = trainer.history
    history.clear()
    history.update(state["history"]["epochs"])
    history.steps = state["history"]["steps"]
    history.stopped = state["history"]["stopped"]
    randomness.set_state(state["random"], run.loader)
