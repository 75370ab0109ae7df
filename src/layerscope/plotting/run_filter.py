"""Run folders below a folder, chosen by what their configs say."""

from __future__ import annotations

import difflib
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from layerscope.config import load_config
from layerscope.errors import UsageError

Keys = tuple[str, ...]

_FILLERS = str.maketrans("", "", "-_")  # ids are the same with and without them


def matching_runs(base_dir: Path, wanted: Mapping[str, object]) -> list[Path]:
    """Folders of the runs whose resolved config holds every value of ``wanted``, sorted.

    Keys and words compare without regard to case, ``-`` and ``_``; a list of values where the config
    has a single one stands for any of them.

    Raises
    ------
    UsageError
        No run below the folder, a key that no config has, or no run that matches.
    """
    folders = list(_run_folders(base_dir))
    if not folders:
        raise UsageError(f"there is no run below {base_dir}: no folder with a config.yaml and results")
    if not wanted:
        return folders
    configs = {folder: _leaves(load_config(folder / "config.yaml").resolved()) for folder in folders}
    asked = _leaves(wanted)
    known = set().union(*configs.values())
    for key in asked:
        _check_key(key, known)
    found = [folder for folder, leaves in configs.items() if _matches(leaves, asked)]
    if not found:
        raise UsageError(_nothing_found(base_dir, asked, list(configs.values())))
    return found


def _run_folders(base_dir: Path) -> Iterator[Path]:
    for place, folders, files in os.walk(base_dir):
        if "config.yaml" in files and ("log.csv" in files or "measurements" in folders):
            folders.clear()  # runs do not hold runs
            yield Path(place)
        else:
            folders[:] = sorted(name for name in folders if not name.startswith("."))


def _leaves(tree: Mapping[str, Any], above: Keys = ()) -> dict[Keys, object]:
    leaves: dict[Keys, object] = {}
    for name, value in tree.items():
        key = (*above, _plain(name))
        leaves.update(_leaves(value, key) if isinstance(value, Mapping) else {key: value})
    return leaves


def _plain(word: str) -> str:
    return word.casefold().replace("_", "-")


def _matches(leaves: Mapping[Keys, object], asked: Mapping[Keys, object]) -> bool:
    return all(key in leaves and _agrees(leaves[key], value) for key, value in asked.items())


def _agrees(has: object, wanted: object) -> bool:
    if isinstance(wanted, (list, tuple)) and not isinstance(has, (list, tuple)):
        return any(_agrees(has, one) for one in wanted)
    return _comparable(has) == _comparable(wanted)


def _comparable(value: object) -> object:
    if isinstance(value, str):
        return value.casefold().translate(_FILLERS)
    if isinstance(value, bool):
        return str(value)  # True is not the number 1
    if isinstance(value, (list, tuple)):
        return [_comparable(one) for one in value]
    return value


def _check_key(key: Keys, known: set[Keys]) -> None:
    if key in known:
        return
    spelled = {".".join(one): one for one in known}
    near = difflib.get_close_matches(".".join(key), spelled, n=3, cutoff=0.5)
    section = [name for name, one in spelled.items() if one[0] == key[0]]
    hint = ", ".join(near or section or sorted({one[0] for one in known}))
    raise UsageError(f"no config has the key {'.'.join(key)}; nearest: {hint}")


def _nothing_found(base_dir: Path, asked: Mapping[Keys, object], configs: list[dict[Keys, object]]) -> str:
    there = "; ".join(
        f"{'.'.join(key)} is {' or '.join(sorted({str(leaves.get(key)) for leaves in configs}))}"
        for key in asked
    )
    wanted = ", ".join(f"{'.'.join(key)} = {value}" for key, value in asked.items())
    return f"none of the {len(configs)} runs below {base_dir} has {wanted}. In these runs, {there}"
