"""The code as it was submitted, in a folder that jobs import it from, whatever is edited since."""

from __future__ import annotations

import importlib.metadata
import json
import os
import platform
import shutil
import socket
import subprocess
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from layerscope.files import storage_errors, temporary
from layerscope.launch.errors import LaunchError
from layerscope.provenance import git_state, now
from layerscope.source import (
    PACKAGE,
    RECORD,
    Files,
    contents_digest,
    contents_of,
    files_digest,
    package_files,
    source_digest,
    user_modules,
)

FOLDER = Path("jobs", "code")
CHANGES = "changes.diff"
LIBRARIES = "libraries.txt"
_NOT_CODE = (RECORD, CHANGES, LIBRARIES)

_LONGEST_DIFF = 10_000_000


@dataclass(frozen=True)
class Snapshot:
    """A folder with a copy of the code, to be first on Python's path, and the digest of what it holds."""

    path: Path
    digest: str


def take_snapshot(base: Path, models: Iterable[str] = ()) -> Snapshot:
    """Copy this package, and the user's modules that ``models`` name, into a folder below ``base``.

    There is one folder per state of the code: unchanged code is not copied again.

    Parameters
    ----------
    models : iterable of str
        Values of ``Model.model-name``; those of the form ``module:function`` bring the user's own code.

    Raises
    ------
    LaunchError
        The folder is there but does not hold what it should.
    StorageError
        It cannot be written.
    """
    named = sorted({model for model in models if ":" in model})
    contents = contents_of(_all_files(named))  # read once: somebody may be editing them
    digest = contents_digest(contents)
    path = base.absolute() / FOLDER / digest
    if path.is_dir():
        verify_snapshot(path, digest)
        return Snapshot(path, digest)
    with storage_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        beside = temporary(path)
        shutil.rmtree(beside, ignore_errors=True)
        try:
            _write(contents, beside)
            _describe(beside, digest, named)
            _become(beside, path)
        finally:
            shutil.rmtree(beside, ignore_errors=True)  # gone after the renaming
    return Snapshot(path, digest)


def verify_snapshot(path: Path, digest: str) -> None:
    """Make sure that a snapshot holds what was submitted.

    Raises
    ------
    LaunchError
        It does not, or is gone.
    """
    files = _files_in(path)
    if not files or files_digest(files) != digest:
        state = "does not hold the code that was submitted" if files else "is gone, or empty"
        raise LaunchError(f"{path} {state}. Delete the folder and submit again.")


def _all_files(models: Iterable[str]) -> Files:
    files = package_files()
    for model in models:
        for of_module in user_modules(model).values():
            files.update(of_module)
    return files


def _files_in(path: Path) -> Files:
    """All code below a snapshot; Python puts its caches beside it."""
    found = (one for one in path.rglob("*") if one.is_file() and "__pycache__" not in one.parts)
    names = {one.relative_to(path).as_posix(): one for one in found}
    return {name: one for name, one in names.items() if name not in _NOT_CODE}


def _write(contents: Mapping[str, bytes], folder: Path) -> None:
    for name, content in contents.items():
        target = folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)


def _become(beside: Path, path: Path) -> None:
    """Give the finished folder its name, unless somebody else just did."""
    try:
        beside.rename(path)
    except OSError:
        if not path.is_dir():
            raise


def _describe(folder: Path, digest: str, models: list[str]) -> None:
    """Put beside the code where it comes from and what was installed."""
    record: dict[str, Any] = {
        "digest": digest,
        "created": now(),
        "host": socket.gethostname(),
        "python": platform.python_version(),
        "git": git_state(PACKAGE),
        "modules": {name: one for model in ("", *models) for name, one in source_digest(model).items()},
        "from": {model: str(Path.cwd()) for model in models},
    }
    (folder / RECORD).write_text(json.dumps(record, indent=2) + "\n", encoding="utf-8")
    (folder / LIBRARIES).write_text("\n".join(_libraries()) + "\n", encoding="utf-8")
    if record["git"] and record["git"]["dirty"]:
        (folder / CHANGES).write_bytes(_diff())


def _libraries() -> list[str]:
    """Every installed distribution, as ``name==version``."""
    installed = importlib.metadata.distributions()
    return sorted({f"{one.metadata['Name']}=={one.version}" for one in installed}, key=str.lower)


def _diff() -> bytes:
    """How the tracked files differ from the commit."""
    try:
        answer = subprocess.run(
            ["git", "diff", "--no-color", "--no-ext-diff", "HEAD"],
            cwd=PACKAGE,
            capture_output=True,
            timeout=20,
            check=False,
            env={**os.environ, "GIT_OPTIONAL_LOCKS": "0"},
        )
    except (OSError, subprocess.TimeoutExpired):
        return b"git gave no answer\n"
    return answer.stdout[:_LONGEST_DIFF]
