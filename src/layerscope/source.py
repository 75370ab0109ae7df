"""The code behind results: the files of this package and of the user's own modules, and their digests."""

from __future__ import annotations

import ast
import functools
import hashlib
import importlib.util
import sys
import sysconfig
from collections.abc import Iterator, Mapping
from importlib.machinery import ModuleSpec, PathFinder
from pathlib import Path

PACKAGE = Path(__file__).parent

RECORD = "snapshot.json"
"""The file that makes a folder a snapshot (see :mod:`layerscope.launch.submission.snapshot`)."""

_CODE = (".py", ".yaml", ".yml")
_MARKER = "py.typed"
_INSTALLED = ("site-packages", "dist-packages")

Files = dict[str, Path]
"""Name below a folder of Python's path (``layerscope/cli.py``) → the file itself."""


@functools.cache
def source_digest(model: str = "") -> dict[str, str]:
    """Module → digest of its files: this package, and what a ``module:function`` model is made of."""
    found = {PACKAGE.name: files_digest(package_files())}
    for name, files in user_modules(model).items():
        found[name] = files_digest(files)
    return found


def package_files() -> Files:
    """The files of this package."""
    return _files_of(PACKAGE)


def user_modules(model: str) -> dict[str, Files]:
    """The user's own modules that a ``module:function`` model needs, each with its files.

    That is the module and what it imports, as far as it is not installed. Nothing is imported to find out.
    """
    name, colon, _ = model.partition(":")
    found: dict[str, Files] = {}
    open_names = [name.partition(".")[0]] if colon else []
    while open_names:
        top = open_names.pop()
        if top not in found and (files := _local_files(top)):
            found[top] = files
            open_names += [imported for path in files.values() for imported in _imported(path)]
    return dict(sorted(found.items()))


def own_folders() -> list[Path]:
    """Where the user's modules are looked for first: the snapshot a job works from, the working folder."""
    around = PACKAGE.parent
    return [*([around] if (around / RECORD).exists() else []), Path.cwd()]


def files_digest(files: Files) -> str:
    """Sixteen hexadecimal digits that change with the name or content of any of ``files``."""
    return contents_digest(contents_of(files))


def contents_of(files: Files) -> dict[str, bytes]:
    """What is in ``files`` now."""
    return {name: path.read_bytes() for name, path in files.items()}


def contents_digest(contents: Mapping[str, bytes]) -> str:
    """The digest of files of these names with these contents."""
    digest = hashlib.sha256()
    for name in sorted(contents):
        digest.update(f"{name}\0{len(contents[name])}\0".encode())
        digest.update(contents[name])
    return digest.hexdigest()[:16]


def _files_of(place: Path) -> Files:
    """A module's files: itself, or all that belongs to a package."""
    if place.is_file():
        return {place.name: place}
    inside = (path for path in place.rglob("*") if path.suffix in _CODE or path.name == _MARKER)
    return {
        f"{place.name}/{path.relative_to(place).as_posix()}": path
        for path in sorted(inside)
        if path.is_file() and not _hidden(path.relative_to(place))
    }


def _hidden(path: Path) -> bool:
    return any(part.startswith(".") or part == "__pycache__" for part in path.parts)


def _local_files(name: str) -> Files:
    """The files of a top-level module that lies in the user's own folders; none for any other."""
    if name in (PACKAGE.name, "") or name in sys.stdlib_module_names or name in sys.builtin_module_names:
        return {}
    places = _places(_spec(name))
    return (
        {}
        if any(map(_installed, places))
        else {key: path for one in places for key, path in _files_of(one).items()}
    )


def _spec(name: str) -> ModuleSpec | None:
    """Where a module would be imported from."""
    try:
        return PathFinder.find_spec(name, [*map(str, own_folders()), *sys.path]) or importlib.util.find_spec(
            name
        )
    except (ImportError, ValueError):
        return None


def _places(spec: ModuleSpec | None) -> list[Path]:
    """The folders of a package, or the file of a module."""
    if spec is None:
        return []
    if spec.submodule_search_locations is not None:
        return [Path(place) for place in spec.submodule_search_locations]
    return [Path(spec.origin)] if spec.origin and spec.origin.endswith(".py") else []


def _installed(place: Path) -> bool:
    return any(part in _INSTALLED for part in place.parts) or place.is_relative_to(
        sysconfig.get_path("stdlib")
    )


def _imported(path: Path) -> Iterator[str]:
    """The top-level names that a file imports, anywhere in it."""
    if path.suffix != ".py":
        return
    try:
        tree = ast.parse(path.read_bytes())
    except (SyntaxError, ValueError):  # whoever imports it is told
        return
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module.partition(".")[0]
