"""The exceptions a user can meet.

Each carries a message that says what is wrong, where, and what to do. The command line prints the
message without a traceback and leaves with the error's exit code; anything else that escapes is a bug.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path


class LayerscopeError(Exception):
    """Something the user can understand and mend."""

    exit_code = 1


@dataclass(frozen=True, order=True)
class Problem:
    """One mistake in a file: where it is and what it is."""

    source: str
    line: int
    message: str

    def __str__(self) -> str:
        place = f"{self.source}:{self.line}" if self.line else self.source
        return f"{place}: {self.message}"


class ConfigError(LayerscopeError):
    """Every mistake found in a config, all at once."""

    exit_code = 2

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = sorted(set(problems))
        count = len(self.problems)
        lines = "\n".join(f"  {problem}" for problem in self.problems)
        super().__init__(f"{count} problem{'s' if count != 1 else ''} in the config:\n{lines}")


class UsageError(LayerscopeError):
    """Flags that do not go together."""

    exit_code = 2


class MissingPackage(LayerscopeError):
    """What is asked for takes a package that is not installed; the message says how to get it."""


class DataError(LayerscopeError):
    """Data that is missing, broken, or not what the config says."""


class ModelError(LayerscopeError):
    """A model that cannot be built, or a layer specification that matches nothing."""


class TrainingDiverged(LayerscopeError):
    """The loss became NaN or infinite."""


class DamagedFile(LayerscopeError):
    """A stored file whose content is not what was written."""

    def __init__(self, path: Path, reason: str, remedy: str) -> None:
        self.path = path
        super().__init__(f"damaged file {path}: {reason}. {remedy}")


class RunFolderError(LayerscopeError):
    """A run folder that cannot be used: it holds another config, or another process works in it."""


class Blocked(RunFolderError):
    """A stage whose inputs are not there: an earlier stage has to come first."""


class Stopped(LayerscopeError):
    """A stage that was asked to stop; what it saved is intact, and it goes on when started again."""

    exit_code = 75


class StorageError(LayerscopeError):
    """A file could not be written (full disk, quota, permissions)."""


class UnexpectedError(LayerscopeError):
    """An error that nobody foresaw: a bug here, or in a library or the user's own code."""


class MeasurementError(LayerscopeError):
    """Features that cannot be measured: not finite, labels out of range, another architecture."""
