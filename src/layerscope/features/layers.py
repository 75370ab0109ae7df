"""Which modules a layer specification means."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
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
        An entry matches nothing; the message names the nearest modules.
    """
    named = {name: module for name, module in model.named_modules(remove_duplicate=False) if name}
    if spec is True:
        return {name: module for name, module in named.items() if not any(module.children())}
    matches = {entry: [name for name in named if f"^{name}".endswith(entry)] for entry in spec}
    unmatched = [entry for entry, names in matches.items() if not names]
    if unmatched:
        raise ModelError("\n".join(_no_match(entry, list(named)) for entry in unmatched))
    wanted = {name for names in matches.values() for name in names}
    return {name: module for name, module in named.items() if name in wanted}


def _no_match(entry: str, names: list[str]) -> str:
    near = difflib.get_close_matches(entry.lstrip("^."), names, n=5, cutoff=0.3)
    known = ", ".join(near or names[:8])
    return (
        f"Model.embedding-layers: {entry!r} matches no module of the model; "
        f"names near it: {known} (an entry matches the end of ^name)"
    )
