"""Names of cells: which pieces they have, how a value is written in them, which names are refused."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Collection, Iterable, Iterator
from itertools import accumulate
from typing import Any

from layerscope.config.matrix_axes import Axis
from layerscope.config.names import SLURM_SECTION

_BARE = frozenset({"dataset-id", "model-name"})
"""Keys whose value needs no key before it."""

_SHORT = {"weight-decay": "wd"}

_SEPARATORS = re.compile(r"[/:]")
_UNSAFE = re.compile(r"[^\w.+=,@^~-]|(?<=\.)\.")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
_KEPT_BESIDE_RUNS = frozenset({"jobs", "figures", "pairs", "report.html", "estimators.csv"})
"""What lies directly below save-dir and is no run."""

_LONGEST_VALUE = 48
_LONGEST_PART = 200


def pieces(axis: Axis, index: int) -> tuple[str, ...]:
    """What the alternative at ``index`` adds to a name: nothing when there is no other.

    Nor does what is asked of the cluster: a run must be found again when it gets more memory.
    """
    if len(axis) == 1:
        return ()
    leaves = (leaf for leaf in axis.leaves if leaf.keys[0] != SLURM_SECTION)
    return tuple(piece(leaf.key, leaf.values[index]) for leaf in leaves)


def piece(key: str, value: Any) -> str:
    """One part of a name: ``lr_0.0001``, ``wd_0.0005``, ``MNIST``, ``embedding-layers_conv+fc``."""
    text = _safe(_text(value))
    return text if key in _BARE else f"{_SHORT.get(key, key)}_{text}"


def has_control_character(value: Any) -> bool:
    """Whether a value, written out, would break a line or a terminal."""
    return _CONTROL.search(_text(value)) is not None


def wrong_with(name: str) -> str | None:
    """Why a submatrix cannot have this name, which becomes folders below save-dir; None when it can."""
    parts = name.split("/")
    if has_control_character(name):
        return "it has a control character"
    if name.startswith("/"):
        return "it is an absolute path"
    if any(part.strip() in ("", ".", "..") for part in parts):
        return "a part of it is empty, '.' or '..'"
    if any(len(part.encode()) > _LONGEST_PART for part in parts):
        return f"it is longer than {_LONGEST_PART} bytes"
    return None


def reserved(names: Iterable[str]) -> Iterator[tuple[str, str]]:
    """First parts of names that no run can have, each once, with the reason."""
    for part in dict.fromkeys(name.partition("/")[0] for name in names):
        if part in _KEPT_BESIDE_RUNS:
            yield part, f"save-dir/{part} is kept for what concerns all runs"
        elif part.startswith("."):
            yield part, "folders that begin with a dot are passed over when runs are looked for"


def nested(names: Collection[str]) -> Iterator[tuple[str, str]]:
    """Pairs of names of which the first, as a folder, would hold the second."""
    known = set(names)
    for name in names:
        parts = name.split("/")
        outer = ("", *accumulate(parts[:-1], lambda folder, part: f"{folder}/{part}")) if name else ()
        yield from ((folder, name) for folder in outer if folder in known)


def _text(value: Any) -> str:
    return "+".join(map(str, value)) if isinstance(value, list) else str(value)


def _safe(text: str) -> str:
    """``text`` as part of a file name; what was cut or lost on the way is replaced by a digest."""
    readable = _SEPARATORS.sub("-", text)
    safe = _UNSAFE.sub("-", readable)[:_LONGEST_VALUE]
    if safe == readable and safe.strip("."):
        return safe
    return f"{safe}-{hashlib.sha256(text.encode()).hexdigest()[:8]}"
