"""What goes, or went, for a person or a program."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Sequence

from layerscope.launch.cleaning.removal import Removal
from layerscope.launch.following.status_text import shortened

_LONGEST_NAME = 48
_MOST_EPOCHS = 8
_MOST_NAMES = 3
_UNITS = ("B", "kB", "MB", "GB", "TB")


def cleaning_text(removals: Sequence[Removal], *, done: bool) -> str:
    """A line for each run of which something goes, what is left alone and why, and the sum.

    Parameters
    ----------
    done : bool
        Whether it went already.
    """
    going = [removal for removal in removals if removal.files]
    width = min(_LONGEST_NAME, max((len(removal.name) for removal in going), default=0))
    lines = [
        f"{shortened(removal.name, width):{width}}  {_size(removal.bytes):>8}  {_contents(removal)}"
        for removal in going
    ]
    lines += [*_left_alone(removals), *_unmeasured(going, done=done)]
    files, size = sum(len(removal.files) for removal in going), _size(sum(removal.bytes for removal in going))
    if not going:
        return "\n".join([*lines, "Nothing to remove."]) + "\n"
    total = f"{files:,} file{'s' if files > 1 else ''}, {size}."
    last = f"Removed {total}" if done else f"To be removed: {total} Nothing went yet; --yes removes it."
    return "\n".join([*lines, last]) + "\n"


def cleaning_json(removals: Sequence[Removal], *, done: bool) -> str:
    """The same for programs: one object with ``removals``, ``bytes`` in all, and whether it went."""
    plain = [
        {
            "name": removal.name,
            "files": [str(path) for path in removal.files],
            "bytes": removal.bytes,
            "epochs": list(removal.epochs),
            "unmeasured": list(removal.unmeasured),
            "left": removal.left,
        }
        for removal in removals
    ]
    total = sum(removal.bytes for removal in removals)
    return json.dumps({"removals": plain, "bytes": total, "removed": done}, indent=2) + "\n"


def _contents(removal: Removal) -> str:
    others = len(removal.files) - len(removal.epochs)
    parts = [f"checkpoints of epochs {_listed(removal.epochs)}"] if removal.epochs else []
    parts += [f"{others} other file{'s' if others > 1 else ''}"] if others > 0 else []
    return " and ".join(parts)


def _left_alone(removals: Iterable[Removal]) -> list[str]:
    """Each reason once, with how many it holds for."""
    names: dict[str, list[str]] = defaultdict(list)
    for removal in removals:
        if removal.left:
            names[removal.left].append(removal.name)
    return [f"left alone: {_listed(found, _MOST_NAMES)}: {why}" for why, found in names.items()]


def _unmeasured(removals: Iterable[Removal], *, done: bool) -> list[str]:
    lost = [
        f"{removal.name} (epochs {_listed(removal.unmeasured)})" for removal in removals if removal.unmeasured
    ]
    what = "were not measured in full and cannot be any more" if done else "are not measured in full yet"
    return [f"checkpoints that {what}: {_listed(lost, _MOST_NAMES)}"] if lost else []


def _listed(items: Sequence[object], most: int = _MOST_EPOCHS) -> str:
    words = [str(item) for item in items]
    return (
        ", ".join(words) if len(words) <= most else f"{', '.join(words[:most])} and {len(words) - most} more"
    )


def _size(count: float) -> str:
    """Three digits, powers of a thousand."""
    for unit in _UNITS:
        if count < 999.5 or unit == _UNITS[-1]:
            break
        count /= 1000
    return f"{count:.3g} {unit}"
