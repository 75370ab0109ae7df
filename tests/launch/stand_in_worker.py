"""Takes the place of the worker: behaves, at each start, as the next line of the run's ``behaviour`` says.

finish: trains in no time. fail, die: ends by an error, by a kill. work: until it is asked to stop; "work and
save" brings something forward before. deaf: works and does not listen.
"""

from __future__ import annotations

import argparse
import os
import signal
import time
from pathlib import Path

from layerscope.errors import LayerscopeError, Stopped
from layerscope.launch.workers.stopping import StopRequest
from layerscope.status import StatusFile, recording
from layerscope.training.manifest import CheckpointEntry, CheckpointManifest

PATIENCE = 120.0


def main():
    should_stop = StopRequest()
    should_stop.listen()
    flags = argparse.ArgumentParser()
    flags.add_argument("--folder", type=Path)
    flags.add_argument("--stages")
    options, _ = flags.parse_known_args()
    try:
        with recording(StatusFile(options.folder, options.stages), key=lambda: "key") as begin:
            begin()
            behave(next_behaviour(options.folder), options.folder, should_stop)
    except Stopped:
        if (options.folder / "hit at the end").exists():  # as by the TERM that follows Slurm's warning
            os.kill(os.getpid(), signal.SIGKILL)
        return Stopped.exit_code
    except LayerscopeError:
        return 1
    return 0


def next_behaviour(folder):
    starts = folder / "starts"
    number = len(starts.read_text().splitlines()) if starts.exists() else 0
    with starts.open("a") as stream:
        stream.write(f"{os.environ.get('LAYERSCOPE_JOB')}\n")
    return (folder / "behaviour").read_text().splitlines()[number]


def behave(word, folder, should_stop):
    if word == "finish":
        for epoch in (0, 2):
            path = folder / "checkpoints" / f"epoch_{epoch}"
            path.parent.mkdir(exist_ok=True)
            path.write_text("weights")
            CheckpointManifest(path.parent).record(epoch, CheckpointEntry(path.name, 7, "digest"))
    elif word == "fail":
        raise LayerscopeError("the loss is NaN")
    elif word == "die":
        os.kill(os.getpid(), signal.SIGKILL)
    else:
        if word == "work and save":
            (folder / "checkpoints").mkdir(exist_ok=True)
            (folder / "checkpoints" / "resume.pt").write_text(f"{time.time_ns()}")
        (folder / "at work").touch()
        wait_for(should_stop if word != "deaf" else lambda: False)
        raise Stopped("it has saved")


def wait_for(condition):
    end = time.monotonic() + PATIENCE
    while not condition():
        if time.monotonic() > end:
            raise LayerscopeError("nobody asked to stop")
        time.sleep(0.02)


if __name__ == "__main__":
    raise SystemExit(main())
