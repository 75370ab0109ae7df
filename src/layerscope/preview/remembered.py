"""Answers about models that were given once, kept in the user's cache folder.

Importing torch takes seconds, on a shared file system half a minute; who edits a matrix and looks again has
not changed its networks.
"""

from __future__ import annotations

import hashlib
import json
import os
import platform
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict
from importlib import metadata
from pathlib import Path
from typing import Any

from layerscope.errors import StorageError
from layerscope.files import write_atomic
from layerscope.preview.question import Answer, Question
from layerscope.preview.tracer import Ask, Receive
from layerscope.source import source_digest

VARIABLE = "LAYERSCOPE_CACHE"
"""Environment variable: another folder than ``~/.cache/layerscope``; empty: nothing is kept."""

_LIBRARIES = ("torch", "torchvision", "timm")
_MOST = 500
"""Answers that are kept, the newest; one has a few kilobytes."""


def cache_folder() -> Path | None:
    """Where answers are kept; None when the user wants none to be."""
    named = os.environ.get(VARIABLE)
    if named is not None:
        return Path(named).expanduser() if named else None
    base = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    return Path(base).expanduser() / "layerscope"


def knows_something(folder: Path | None) -> bool:
    """Whether any answer of these versions is kept: then it pays to look first and to ask afterwards."""
    return folder is not None and any((folder / "models" / _versions()).glob("*.json"))


class Remembering:
    """Asks only what is not known.

    An answer holds for the very question, this version of the package and of the libraries that models come
    from. Questions about the user's own models or files of weights are always asked, and what was wrong with
    a model is not kept.

    Parameters
    ----------
    ask : callable
        Who knows; asked at most once, all questions together.
    folder : Path, optional
        Where answers are kept; None: nowhere.
    """

    def __init__(self, ask: Ask, folder: Path | None) -> None:
        self._ask = ask
        self._folder = folder / "models" if folder is not None else None

    def __call__(self, questions: Sequence[Question]) -> Receive:
        """The answers as they were, if each is known; else those that are given now."""
        if self._folder is None or not all(map(_may_be_kept, questions)):
            return self._ask(questions)
        folder = self._folder / _versions()
        paths = [folder / f"{_digest(asdict(question))}.json" for question in questions]
        known = [_read(path) for path in paths]
        found = [answer for answer in known if answer is not None]
        if len(found) == len(questions):
            return lambda: found
        return _keeping(self._ask(questions), paths)


def _keeping(receive: Receive, paths: Sequence[Path]) -> Receive:
    """Receive answers, and keep those that a preview can do with."""

    def answers() -> list[Answer]:
        given = receive()
        with suppress(OSError, StorageError):  # a full or read-only home is no reason to fail
            for path, answer in zip(paths, given, strict=True):
                if not _is_complaint(answer):
                    path.parent.mkdir(parents=True, exist_ok=True)
                    write_atomic(path, json.dumps(asdict(answer)), durable=False)
            _forget_oldest(paths[0].parents[1])
        return given

    return answers


def _may_be_kept(question: Question) -> bool:
    """Whether the answer depends on nothing but the package and its libraries."""
    files = (question.model, *(way.pairs or {} for way in question.measuring))
    return ":" not in question.model["model-name"] and not any(each.get("weights") for each in files)


def _is_complaint(answer: Answer) -> bool:
    return bool(answer.problem or any(way.problem for way in answer.measuring) or any(answer.lr_problems))


def _versions() -> str:
    libraries = {library: _version(library) for library in _LIBRARIES}
    return _digest({"python": platform.python_version(), **source_digest(), **libraries})


def _digest(said: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()[:32]


def _version(library: str) -> str:
    try:
        return metadata.version(library)
    except metadata.PackageNotFoundError:
        return "none"


def _read(path: Path) -> Answer | None:
    try:
        return Answer.from_plain(json.loads(path.read_bytes()))
    except (OSError, ValueError, TypeError, KeyError):  # not there, or damaged: it is asked anew
        return None


def _forget_oldest(folder: Path) -> None:
    kept = sorted(folder.rglob("*.json"), key=lambda path: path.stat().st_mtime_ns, reverse=True)
    for path in kept[_MOST:]:
        path.unlink(missing_ok=True)
