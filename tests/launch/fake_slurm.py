"""Slurm's commands in a few lines over one folder; what sbatch takes is queued until a test ends it."""

from __future__ import annotations

import json
import os
import re
import sys
from pathlib import Path

COMMANDS = ("sbatch", "srun", "squeue", "scontrol", "scancel", "sacct")

PROGRAM = r"""
import json, os, re, signal, sys
from pathlib import Path

place = Path({place!r})
name, arguments = Path(sys.argv[0]).name, sys.argv[1:]

def jobs():
    return {{int(path.stem): json.loads(path.read_text()) for path in place.glob("[0-9]*.json")}}

def option(text, name):
    found = re.search(rf"^#SBATCH --{{name}}=(.*)$", text, re.MULTILINE)
    return found[1] if found else ""

def indices(text):
    found = []
    for piece in text.partition("%")[0].split(","):
        first, _, last = piece.partition("-")
        found += range(int(first), int(last or first) + 1)
    return found

def sbatch(script):
    calls = place / "calls"
    number = len(calls.read_text().splitlines()) + 1 if calls.exists() else 1
    with calls.open("a") as stream:
        stream.write(script + "\n")
    trouble = json.loads((place / "troubles").read_text()).get(str(number), {{}})
    if trouble.get("refuse"):
        sys.exit(f"sbatch: error: Batch job submission failed: {{trouble['refuse']}}")
    text = Path(script).read_text()
    job = 100 * number
    entry = {{"script": script, "text": text, "indices": indices(option(text, "array"))}}
    ours = ("SLURM", "LAYERSCOPE", "RANK")
    inherited = {{key: value for key, value in os.environ.items() if key.startswith(ours)}}
    entry.update(dependency=option(text, "dependency"), environment=inherited)
    (place / f"{{job}}.json").write_text(json.dumps(entry))
    if trouble.get("kill"):
        os.kill(os.getppid(), signal.SIGKILL)
    if trouble.get("lose"):
        sys.exit("sbatch: error: Batch job submission failed: Socket timed out on send/recv operation")
    print(f"Submitted batch job {{job}}")

def squeue():
    print((place / "running").read_text())
    for job, entry in jobs().items():
        if any(argument.endswith("%F|%o") for argument in arguments):
            print(f"{{job}}|{{entry['script']}}")
            continue
        for index in entry["indices"]:
            print(f"{{job}}_{{index}}|PENDING||None")

def scancel():
    with (place / "cancelled").open("a") as stream:
        stream.writelines(argument + "\n" for argument in arguments)

if name == "sbatch":
    sbatch(arguments[-1])
elif name == "squeue":
    squeue()
elif name == "scontrol" and arguments[0] == "requeue":
    with (place / "requeued").open("a") as stream:
        stream.write(arguments[1] + "\n")
elif name == "scontrol":
    print("MaxArraySize            = " + (place / "max_array_size").read_text())
elif name == "scancel":
    scancel()
else:
    sys.exit(f"{{name}}: error: not here")
"""


class FakeSlurm:
    """A folder with the commands and what they were told.

    Parameters
    ----------
    place : Path
        An empty folder.
    monkeypatch
        Puts the commands on the ``PATH``.
    """

    def __init__(self, place, monkeypatch):
        self.place, self.bin = place, place / "bin"
        self.bin.mkdir(parents=True)
        program = f"#!{sys.executable} -ES\n" + PROGRAM.format(place=str(place))
        for name in COMMANDS:
            (self.bin / name).write_text(program, encoding="utf-8")
            (self.bin / name).chmod(0o755)
        self.troubles({})
        (place / "running").touch()
        self.max_array_size(1001)
        monkeypatch.setenv("PATH", f"{self.bin}{os.pathsep}{os.environ['PATH']}")

    def troubles(self, by_call):
        """The call of sbatch → what goes wrong: ``{"refuse": text}``, ``{"kill": 1}`` or ``{"lose": 1}``."""
        (self.place / "troubles").write_text(json.dumps(by_call), encoding="utf-8")

    def max_array_size(self, size):
        (self.place / "max_array_size").write_text(str(size), encoding="utf-8")

    @property
    def arrays(self):
        """What sbatch took, by id, in the order of submission."""
        found = {int(path.stem): json.loads(path.read_text()) for path in self.place.glob("[0-9]*.json")}
        return {str(job): found[job] for job in sorted(found)}

    @property
    def calls(self):
        """The scripts that sbatch was given, refused ones too."""
        path = self.place / "calls"
        return path.read_text(encoding="utf-8").splitlines() if path.exists() else []

    @property
    def cancelled(self):
        path = self.place / "cancelled"
        return path.read_text(encoding="utf-8").splitlines() if path.exists() else []

    @property
    def requeued(self):
        path = self.place / "requeued"
        return path.read_text(encoding="utf-8").splitlines() if path.exists() else []

    def running(self, job, state):
        """Put a job into the queue that sbatch never saw."""
        (self.place / "running").write_text(f"{job}|{state}|node1|None", encoding="utf-8")

    def end(self, job):
        """Take an array out of the queue."""
        (self.place / f"{job}.json").unlink()

    def summary(self):
        """Id → stage, number of jobs, dependency."""
        return {
            job: (
                re.search(r"job-name=\S*\.(\w+)", entry["text"])[1],
                len(entry["indices"]),
                entry["dependency"],
            )
            for job, entry in self.arrays.items()
        }


def stage_jobs(run):
    """Stage → state and job, as the run's own files say."""
    found = {}
    for path in sorted(Path(run.folder, "status").glob("*.json")):
        status = json.loads(path.read_text(encoding="utf-8"))
        found[path.stem] = f"{status['state']} {status['job']}".strip()
    return found
