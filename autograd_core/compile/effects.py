"""What a captured step left behind: arrays and Tensors in places, and the Python state that it changed.

What it left is noted, as trees of slots, and put into the places as it would be eagerly. A change of other
Python state is a reason not to replay: the capture says which.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..errors import CompileError
from .capture import located
from .generators import TracedGenerator
from .passes import same
from .place import LOOKUP, Place
from .reach import equal, is_atom, progress
from .results import REFUSED, real, tree_of
from .trees import slots_of_tree
from .words import a_kind, short

if TYPE_CHECKING:
    from .trial import Before, Trial

__all__ = ["check_constants", "find_effects"]

STANDS = ("item", "attribute", "cell", "switch", "part", "field", "root")  # places of other values too


def find_effects(trial: Trial) -> None:
    """Note what the step put into places, and which Python state it changed."""
    changed: set[Any] = set()
    for entry in trial.entries.values():
        if not _is_below(entry.site.place.above, changed):
            _find_in_entry(trial, entry, changed)
    for site in trial.sites:
        place = site.place
        if (place.kind in STANDS and site.kind != "length") or site.kind == "object":
            continue
        if _is_below(place, changed):
            continue
        try:
            now = place.get()
            if site.kind == "length" and len(now) != site.value:
                _changed(trial, place, f"{place!r}: {site.value} items became {len(now)}")
            elif site.kind == "value" and not equal(now, site.value):
                _changed(trial, place, f"{place!r}: {short(site.value)} became {short(now)}")
        except LOOKUP:
            _changed(trial, place, f"{place!r} is gone")
    for site, before in trial.moved:
        if progress(site.value) != before:
            _changed(trial, site.place, f"{site.place!r}: {a_kind(site.value)} moved on")


def _find_in_entry(trial: Trial, entry: Before, changed: set[Any]) -> None:
    """Note what the step put into one place; enter the place into ``changed`` if that is another value."""
    place = entry.site.place
    try:
        now = place.get()
    except LOOKUP:
        _changed(trial, place, f"{place!r} is gone")
        return
    if entry.holds(now):
        return
    if place.kind == "field" and place.key == "extras" and entry.original is None and _is_spent(now):
        place.set(None)
        return
    changed.add(place.id)
    if entry.site.kind == "generator" or (is_atom(now) and equal(now, entry.original)):
        if entry.site.kind == "generator" and type(now) is not TracedGenerator:
            _changed(trial, place, f"{place!r}: another generator")
        return
    tree = tree_of(now, trial.capture, trial.lasting)
    if now is None and not is_atom(entry.original):
        trial.effects.append((place, None))
    elif tree is REFUSED or not slots_of_tree(tree):
        _changed(trial, place, f"{place!r}: {short(entry.original)} became {short(now)}")
    else:
        if entry.site.kind in ("object", "type"):
            trial.watch.moving.add(place.id)
        trial.effects.append((place, tree))
        place.set(real(now, trial.lasting))


def _is_below(place: Place | None, changed: set[Any]) -> bool:
    """Tell whether a place is one that changed, or starts from one."""
    while place is not None and place.id not in changed:
        place = place.above
    return place is not None


def _changed(trial: Trial, place: Place, reason: str) -> None:
    if not trial.reason:
        trial.reason, trial.where = reason, place.id


def _is_spent(extras: Any) -> bool:
    """Tell whether a Tensor only notes views of it that are gone."""
    if type(extras) is not dict or extras.keys() != {"views"}:
        return False
    return all(view() is None for view in extras["views"])


def check_constants(trial: Trial) -> None:
    """Make sure that no call of the step's own changed an array that it made outside of calls.

    Raises:
        CompileError: one was changed after it was used: the replay would use it as it was at first.
    """
    written = {s.storage for call in trial.capture.calls for s in call.writes}
    for slot in trial.capture.constants.values():
        if slot.kind == "constant" and slot.storage not in written and not same(slot.array, slot.copy):
            raise CompileError(
                f"[compile] got an array of shape {slot.shape} that was changed after it was used, by no "
                f"call that a replay would make: {located(slot.line)}; try to make it from arrays of the step"
            )
