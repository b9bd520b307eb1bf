"""The proof of a plan: replayed from where the captured step began, it gives the same bits."""

from __future__ import annotations

from typing import Any

from ..errors import CompileError
from .passes import same
from .plan import MISS, Plan
from .results import digests
from .trial import Trial
from .words import defined

__all__ = ["verified"]


def verified(trial: Trial) -> tuple[Plan, Any]:
    """Make a plan of a captured step, replay it from where that began, and compare every bit.

    Returns:
        the plan, and the result of the replay, which stands where the results of the step would.

    Raises:
        CompileError: the replay, or the step as it is, did not what the captured step did. Everything is then
            as it was before the step.
    """
    plan = Plan(trial.capture, trial.sites, trial.output, trial.effects, trial.written, trial.leaves)
    plan.root, plan.fun = trial.root, trial.fun
    ends = _ends(trial)
    trial.undo()
    if what := _otherwise(trial, ends):
        raise CompileError(
            f"[compile] got {what} from a step that is captured, expected what it gives as it is: "
            f"{defined(trial.fun)}; try to find where it tells one array from another by what a captured one "
            "does not have: isinstance(x, np.ndarray) in the place of type(x) is np.ndarray, and no id(x)"
        )
    try:
        plan.bind()
        result = plan.run(trial.args, trial.kwargs)
        what = f"no replay: {plan.accepts()}" if result is MISS else _misses(trial, result, ends)
    except CompileError:
        raise
    except Exception as error:
        what = f"{type(error).__name__}: {error}"
    if what:
        trial.undo()
        raise CompileError(
            f"[compile] got {what} from the replay of a step that was just captured: this is an error of the "
            "library; try fallback=True, and report it"
        )
    plan.root.update(args=None, kwargs=None)
    for site in plan.sites:
        if site.kind == "array":
            site.value = None  # of which the layout is known: an array would be held as long as the plan
    for slot in plan.slots:
        slot.copy = None
    return plan, result


def _otherwise(trial: Trial, ends: Any) -> str:
    """Make the step as it is, say what it does otherwise than where it was captured, and undo it."""
    try:
        return _misses(trial, trial.fun(*trial.args, **trial.kwargs), ends)
    except Exception as error:
        return f"no {type(error).__name__} ({error})"
    finally:
        trial.undo()


def _ends(trial: Trial) -> Any:
    """Return what the step left in the places that it wrote to, and in generators.

    By place, as a Tensor whose memory somebody holds copies it and writes there: it may be another array.
    """
    saved = trial.capture.saved
    written = [trial.sites[number].place for number, slot in trial.leaves.items() if slot.storage in saved]
    places = {place.id: place for place in (*written, *[place for place, _ in trial.effects])}
    arrays = [(place, digests(place.get())) for place in places.values()]
    return arrays, [(g, repr(g.bit_generator.state)) for g, _ in trial.capture.generators]


def _misses(trial: Trial, result: Any, ends: Any) -> str:
    """Say what is otherwise than at the end of the captured step; nothing if all bits are the same."""
    if not same(trial.expected, digests(result)):
        return "another result"
    for place, arrays in ends[0]:
        if not same(digests(place.get()), arrays):
            return f"another array in {place!r}"
    moved = any(repr(g.bit_generator.state) != state for g, state in ends[1])
    return "another state of a generator" if moved else ""
