"""Runs chosen by their names, or by what the matrix or their configs say."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from fnmatch import fnmatchcase
from typing import Any, TypeVar

from layerscope.config.nearest import suggestion
from layerscope.config.yaml_reader import value_from_text
from layerscope.errors import ConfigError, UsageError
from layerscope.run_folder import RunFolder

R = TypeVar("R", bound=RunFolder)

_SHORT = {"wd": "weight-decay"}
"""Words that stand for a key in the names of runs."""


def select(runs: Sequence[R], patterns: Iterable[str]) -> list[R]:
    """Those of ``runs`` that ``patterns`` mean, in their order; all of them when there is no pattern.

    A pattern is the name of a run, one with ``*``, ``?`` or ``[…]``, or ``key=value`` with a key of the
    config (``Optimizer.lr`` or just ``lr``; ``exclusive`` for submatrices). Names add up, and so do several
    values of one key; different keys, and names and keys, have to agree.

    Raises
    ------
    UsageError
        A pattern that means no run.
    """
    names, conditions = _sorted_out(runs, patterns)
    chosen = list(runs)
    if names:
        chosen = [run for run in chosen if any(fnmatchcase(run.name, name) for name in names)]
    for key, values in conditions.items():
        chosen = [run for run in chosen if any(_agrees(_value(run, key), value) for value in values)]
    if not chosen:
        raise UsageError(f"no run is all of it: {', '.join(patterns)}")
    return chosen


def _sorted_out(runs: Sequence[R], patterns: Iterable[str]) -> tuple[list[str], dict[str, list[str]]]:
    """The names among ``patterns``, and key → values; each means at least one run."""
    names: list[str] = []
    conditions: dict[str, list[str]] = {}
    for pattern in patterns:
        if any(fnmatchcase(run.name, pattern) for run in runs):
            names.append(pattern)
        elif "=" in pattern:
            key, value = _condition(runs, pattern)
            conditions.setdefault(key, []).append(value)
        else:
            raise UsageError(f"no run is called {pattern!r}; {_nearest(pattern, [run.name for run in runs])}")
    return names, conditions


def _condition(runs: Sequence[R], pattern: str) -> tuple[str, str]:
    word, _, value = pattern.partition("=")
    key = _key(runs, word.strip())
    if not any(_agrees(_value(run, key), value) for run in runs):
        there = sorted({str(_value(run, key)) for run in runs})
        raise UsageError(f"no run has {key} = {value}; there is {', '.join(there[:10])}")
    return key, value


def _key(runs: Sequence[R], word: str) -> str:
    """The full key that ``word`` stands for: one of the matrix, if there is such a one."""
    axes = dict.fromkeys(key for run in runs for key in run.axes)
    known = dict.fromkeys(key for run in runs[:1] for key in _values(run))
    found = [key for key in axes if _means(word, key)] or [key for key in known if _means(word, key)]
    if not found:
        words = [key.rpartition(".")[2] for key in known]
        raise UsageError(f"no config has the key {word!r}; {_nearest(word, [*words, *known])}")
    if len(found) > 1:
        raise UsageError(f"{word!r} may be {' or '.join(found)}; write one of these")
    return found[0]


def _means(word: str, key: str) -> bool:
    asked = _SHORT.get(word, word).casefold().replace("_", "-")
    spelled = key.casefold()
    return asked in (spelled, spelled.rpartition(".")[2])


def _value(run: RunFolder, key: str) -> Any:
    return run.axes[key] if key in run.axes else _values(run).get(key)


def _values(run: RunFolder) -> dict[str, Any]:
    tree = run.config.resolved()
    return {f"{section}.{key}": value for section, keys in tree.items() for key, value in _items(keys)}


def _items(keys: Any) -> Iterable[tuple[str, Any]]:
    return keys.items() if isinstance(keys, Mapping) else ()


def _agrees(has: Any, text: str) -> bool:
    """Whether a value is the one that ``text`` spells: ``1e-1`` is 0.1, ``mlp_*`` any such word."""
    if isinstance(has, str):
        return _plain(text) == _plain(has) or fnmatchcase(has.casefold(), text.casefold())
    try:
        wanted = value_from_text(text, "")
    except ConfigError:
        return False
    return isinstance(has, bool) == isinstance(wanted, bool) and has == wanted


def _plain(word: str) -> str:
    return word.casefold().replace("_", "").replace("-", "")


def _nearest(word: str, known: Sequence[str]) -> str:
    return (
        suggestion(word, known) if len(known) <= 20 else suggestion(word, known).partition("; known")[0][:200]
    )
