"""Runs chosen by what their configs say."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from pathlib import Path
from typing import TypeVar

from layerscope.errors import UsageError
from layerscope.results.run_folders import run_folders
from layerscope.results.stored_config import Values, leaves, stored_values

_FILLERS = str.maketrans("", "", "-_")  # ids are the same with and without them

Name = TypeVar("Name")


def matching_runs(base: Path, wanted: Mapping[str, object]) -> list[Path]:
    """Folders of the runs whose resolved config holds every value of ``wanted``, sorted.

    Keys and words compare without regard to case, ``-`` and ``_``; a list of values where the config
    has a single one stands for any of them.

    Raises
    ------
    UsageError
        No run below the folder, a key that no config has, or no run that matches.
    """
    folders = existing_runs(base)
    if not wanted:
        return folders
    return chosen(base, {folder: stored_values(folder / "config.yaml") for folder in folders}, wanted)


def existing_runs(base: Path) -> list[Path]:
    """The run folders below ``base``.

    Raises
    ------
    UsageError
        There is none.
    """
    folders = run_folders(base)
    if not folders:
        raise UsageError(f"there is no run below {base}: no folder with a config.yaml and results")
    return folders


def chosen(base: Path, configs: Mapping[Name, Values], wanted: Mapping[str, object]) -> list[Name]:
    """Those of ``configs``, of runs below ``base``, that hold every value of ``wanted``.

    Raises
    ------
    UsageError
        A key that no config has, or no run that matches.
    """
    known = {_plain(key): key for key in dict.fromkeys(key for values in configs.values() for key in values)}
    asked = {_spelled(key, known): value for key, value in leaves(wanted).items()}
    found = [name for name, values in configs.items() if _matches(values, asked)]
    if not found:
        raise UsageError(_nothing_found(base, asked, list(configs.values())))
    return found


def _spelled(key: str, known: Mapping[str, str]) -> str:
    """``key`` as the configs spell it."""
    plain = _plain(key)
    if plain in known:
        return known[plain]
    near = difflib.get_close_matches(plain, known, n=3, cutoff=0.5)
    section = [name for name in known if name.split(".")[0] == plain.split(".")[0]]
    sections = sorted({name.split(".")[0] for name in known.values()})
    hint = ", ".join([known[name] for name in near or section] or sections)
    raise UsageError(f"no config has the key {key}; nearest: {hint}")


def _plain(word: str) -> str:
    return word.casefold().replace("_", "-")


def _matches(values: Values, asked: Mapping[str, object]) -> bool:
    return all(key in values and _agrees(values[key], value) for key, value in asked.items())


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


def _nothing_found(base: Path, asked: Mapping[str, object], configs: list[Values]) -> str:
    there = "; ".join(
        f"{key} is {' or '.join(sorted({str(values.get(key)) for values in configs}))}" for key in asked
    )
    wanted = ", ".join(f"{key} = {value}" for key, value in asked.items())
    return f"none of the {len(configs)} runs below {base} has {wanted}. In these runs, {there}"
