"""Slurm's commands as scripts that answer with what a real one has said."""

from __future__ import annotations

import os
from pathlib import Path


class Commands:
    """A folder of stand-ins that comes first on PATH, and what they were called with.

    Parameters
    ----------
    folder : Path
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def put(self, name: str, output: str = "", *, errors: str = "", code: int = 0, first: str = "") -> None:
        """A command that notes its arguments, does ``first``, and answers."""
        text = f"""\
#!/bin/sh
echo "$*" >> {self.folder}/{name}.calls
{first}
cat <<'END'
{output}
END
echo '{errors}' >&2
exit {code}
"""
        path = self.folder / name
        path.write_text(text, encoding="utf-8")
        path.chmod(0o755)

    def calls(self, name: str) -> list[str]:
        """The arguments of each call of a command."""
        path = self.folder / f"{name}.calls"
        return path.read_text(encoding="utf-8").splitlines() if path.exists() else []


def commands_alone(folder: Path, monkeypatch) -> Commands:
    """Stand-ins in a world without the real ones; the shell's own commands are there."""
    shell = folder / "shell"
    shell.mkdir()
    for name in ("sh", "cat", "mv", "sleep"):
        real = next(place for place in ("/bin", "/usr/bin") if Path(place, name).exists())
        (shell / name).symlink_to(Path(real, name))
    mine = folder / "commands"
    mine.mkdir()
    monkeypatch.setenv("PATH", os.pathsep.join([str(mine), str(shell)]))
    return Commands(mine)
