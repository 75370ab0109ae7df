"""Which modules a layer specification means."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Sequence
from typing import Literal

from torch import nn

from layerscope.errors import ModelError

LayerSpec = Literal[True] | Sequence[str]


def select_modules(model: nn.Module, spec: LayerSpec) -> dict[str, nn.Module]:
    """Modules of ``model`` that ``spec`` matches, by dotted name, in definition order.

    Parameters
    ----------
    model : nn.Module
    spec : True or list of str
        ``True``: every leaf module. A list: every module whose dotted name, prefixed with ``^``, ends with
        an entry, so that ``.conv1`` is every block's conv1 and ``^fc`` only the top-level one.

    Raises
    ------
    ModelError
        An entry matches nothing; the message names the nearest modules. Entries that would match with another
        number are left out instead, as long as any entry matches: one list such as ``.conv1 .conv2 .conv3``
        serves a whole family, of which the shallower members have no ``.conv3``.
    """
    named = {name: module for name, module in model.named_modules(remove_duplicate=False) if name}
    if spec is True:
        return {name: module for name, module in named.items() if not any(module.children())}
    chosen = {name: module for name, module in named.items() if any(_matches(name, entry) for entry in spec)}
    wrong = [entry for entry in _unmatched(named, spec) if not chosen or not _numbered_sibling(named, entry)]
    if wrong:
        raise ModelError("\n".join(_no_match(entry, list(named)) for entry in wrong))
    return chosen


def absent_siblings(model: nn.Module, spec: LayerSpec) -> list[str]:
    """Entries of ``spec`` that :func:`select_modules` leaves out, since only their number is not there."""
    named = [name for name, _ in model.named_modules(remove_duplicate=False) if name]
    return [] if spec is True else _unmatched(named, spec)


def _matches(name: str, entry: str) -> bool:
    return f"^{name}".endswith(entry)


def _unmatched(names: Iterable[str], spec: Sequence[str]) -> list[str]:
    known = list(names)
    return [entry for entry in spec if not any(_matches(name, entry) for name in known)]


def _numbered_sibling(names: Iterable[str], entry: str) -> bool:
    """Whether the entry would match some module if its numbers were others."""
    pattern = re.compile(re.sub(r"\d+", r"\\d+", re.escape(entry)) + "$")
    return any(pattern.search(f"^{name}") for name in names)


def _no_match(entry: str, names: list[str]) -> str:
    near = difflib.get_close_matches(entry.lstrip("^."), names, n=5, cutoff=0.3)
    known = ", ".join(near or names[:8])
    return (
        f"Model.embedding-layers: {entry!r} matches no module of the model; "
        f"names near it: {known} (an entry matches the end of ^name)"
    )
