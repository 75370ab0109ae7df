"""Whether a published data set is on this machine, told from names of files. Needs no torch."""

from __future__ import annotations

from pathlib import Path

from layerscope.data.folders import folder_places, missing_folders
from layerscope.data.idx import idx_places, missing_idx
from layerscope.data.torchvision_sets import LANDMARKS, torchvision_places

_IDX = ("mnist", "mnist_debug", "fashionmnist", "kmnist")
_FOLDERS = ("imagenet", "tinyimagenet")


def is_absent(name: str, root: Path | None) -> bool:
    """Whether the set ``name`` would be looked for in vain; False for one that is not looked for by name."""
    if name in _IDX:
        return all(missing_idx(place) for place in idx_places(name, root))
    if name in _FOLDERS:
        return all(missing_folders(place) for place in folder_places(name, root))
    if name in LANDMARKS:
        return not any((place / LANDMARKS[name]).exists() for place in torchvision_places(name, root))
    return False
