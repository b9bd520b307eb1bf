"""Mistakes that would otherwise train on in silence, and what is said of a loss that is not finite."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np

from autograd_core.errors import counted, message
from autograd_core.node import strip
from autograd_core.tensor import Tensor

__all__ = ["check_finite", "check_loss", "check_parameters", "check_shapes", "not_finite", "positive"]


def positive(who: str, **values: Any) -> None:
    """Refuse what is not a positive integer."""
    for name, value in values.items():
        if isinstance(value, bool) or not isinstance(value, (int, np.integer)) or value < 1:
            raise ValueError(message(who, f"{name}={value!r}", "a positive integer"))


def check_parameters(model: Any, loss: Any, optimizer: Any) -> None:
    """Refuse a model that cannot learn, or an optimizer of something else; warn of what it leaves out."""
    named = dict(model.named_parameters())
    learnt = {name: p for name, p in named.items() if p.requires_grad}
    if not learnt:
        what = f"a model whose {counted(len(named), 'parameter')} are frozen" if named else "no parameters"
        raise ValueError(message("Trainer", what, "a model with something to learn",
                                 "model.requires_grad_()" if named else ""))  # fmt: skip
    held = {id(p) for group in optimizer.param_groups for p in group["params"]}
    left = [name for name, p in learnt.items() if id(p) not in held]
    if len(left) == len(learnt):
        raise ValueError(message(
            "Trainer", f"an optimizer that holds none of the model's parameters ({_some(left)})",
            "the parameters of this model", f"optim.{type(optimizer).__name__}(model.parameters(), ...)"
        ))  # fmt: skip
    if left:
        warnings.warn(message("Trainer", f"an optimizer that does not hold {_some(left)}",
                              "all that requires a gradient", "requires_grad_(False) for what shall stay as "
                              "it is"), stacklevel=3)  # fmt: skip


def _some(names: list[str], most: int = 4) -> str:
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more


def check_loss(output: Any, target: Any, loss: Any) -> None:
    """Refuse a loss that cannot be followed back, is not one number, or has broadcast."""
    who = "Trainer.fit"
    if not isinstance(loss, Tensor):
        raise TypeError(message(who, f"a loss of type {type(strip(loss)).__name__}", "a Tensor",
                                "operations on the model's output, not on its .numpy()"))  # fmt: skip
    if loss.shape != ():
        raise ValueError(message(who, f"a loss of shape {loss.shape}", "one number",
                                 "reduction='mean', or .mean()"))  # fmt: skip
    if not loss.requires_grad:
        raise ValueError(message(who, "a loss that does not depend on any parameter that is learnt",
                                 "one made of the model's output", "no .detach(), .numpy() or no_grad() on "
                                 "the way"))  # fmt: skip
    check_shapes(who, output, target)


def check_shapes(who: str, output: Any, target: Any) -> None:
    """Refuse an output and a target of which a loss would broadcast one along the other's samples."""
    a, b = getattr(output, "shape", None), getattr(target, "shape", None)
    if a and b and a != b and {a, b} == {(a[0], 1), (a[0],)} and a[0] > 1 and target.dtype.kind == "f":
        raise ValueError(message(who, f"an output of shape {a} and a target of shape {b}, which broadcast to "
                                 f"{np.broadcast_shapes(a, b)}", "the same shape",
                                 f"y.reshape(-1{', 1' * (len(a) - 1)})"))  # fmt: skip


def not_finite(
    model: Any, batch: Any, loss: Any, value: float, epoch: int, step: int, rate: float
) -> FloatingPointError:
    """Return the error of a loss that is NaN or infinite: where it came from, and what helps."""
    named = list(model.named_parameters())
    parts = batch if isinstance(batch, tuple) else (batch,)
    hint = f"a rate below {rate:g}, clip_norm=1.0, or data that are standardised"
    bad = [i for i, part in enumerate(parts) if not _finite(part)]
    wrong = next((name for name, p in named if not _finite(p)), None)
    if bad:
        last = len(parts) > 1 and bad[0] == len(parts) - 1
        found = f"the batch's {'target' if last else 'input'} is not finite"
        hint = "np.isfinite(x).all() on the data"
    elif wrong:
        found = f"the parameter {wrong} is not finite since the step before"
    else:
        with np.errstate(all="ignore"):
            loss.backward()
        wrong = next((name for name, p in named if p.grad is not None and not _finite(p.grad)), None)
        found = f"the gradient of {wrong} is not finite" if wrong else "all gradients are finite"
        hint += "; ag.detect_anomaly() finds the operation"
    return FloatingPointError(message(
        "Trainer.fit", f"a loss of {value} in epoch {epoch}, step {step}: {found}", "a finite one",
        hint))  # fmt: skip


def _finite(x: Any) -> bool:
    array = np.asarray(strip(x))
    return array.dtype.kind not in "fc" or bool(np.isfinite(array).all())


def check_finite(model: Any, epoch: int, step: int) -> None:
    """Refuse to keep learnt parameters that are not finite."""
    for name, p in model.named_parameters():
        if p.requires_grad and not _finite(p):
            raise FloatingPointError(message(
                "Trainer.fit", f"the parameter {name} that is not finite after epoch {epoch}, step {step}",
                "finite ones, to be kept", "a smaller rate, or clip_norm=1.0"))  # fmt: skip
