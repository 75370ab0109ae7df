"""Runs tasks in several real processes that talk over gloo. Started by conftest.py.

Reads one JSON request per line (task, size, folder, timeout, until, options), and answers with the exit code
and the output of each process. They are forked from this process, so that torch is imported once.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import sys
import time
import traceback
from pathlib import Path

import rank_tasks

from layerscope.errors import LayerscopeError


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def become(rank: int, size: int, port: int, folder: Path) -> None:
    names = {
        "RANK": rank,
        "LOCAL_RANK": rank,
        "WORLD_SIZE": size,
        "MASTER_ADDR": "127.0.0.1",
        "MASTER_PORT": port,
    }
    os.environ.update({name: str(value) for name, value in names.items()})
    output = os.open(folder / f"rank{rank}.out", os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    for stream in (1, 2):
        os.dup2(output, stream)


def work(task: str, folder: Path, options: dict[str, object]) -> int:
    try:
        getattr(rank_tasks, task)(folder, **options)
    except LayerscopeError as error:
        print(f"{type(error).__name__}: {error}", flush=True)
        return 3
    except BaseException:
        traceback.print_exc()
        return 1
    return 0


def start(rank: int, request: dict, port: int) -> int:
    child = os.fork()
    if child:
        return child
    code = 70
    try:
        become(rank, request["size"], port, Path(request["folder"]))
        code = work(request["task"], Path(request["folder"]), request["options"])
    finally:
        sys.stdout.flush()
        os._exit(code)  # nothing of the parent's is to be cleaned up twice


def wait(children: list[int], until: int | None, seconds: float) -> list[int | None]:
    """Exit codes by rank; None for what is killed: at the deadline, or when rank ``until`` has ended."""
    deadline, codes = time.monotonic() + seconds, dict.fromkeys(children)
    awaited = children if until is None else [children[until]]
    while None in [codes[child] for child in awaited] and time.monotonic() < deadline:
        for child in [child for child, code in codes.items() if code is None]:
            ended, status = os.waitpid(child, os.WNOHANG)
            if ended:
                codes[child] = os.waitstatus_to_exitcode(status)
        time.sleep(0.01)
    for child in [child for child, code in codes.items() if code is None]:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
    return [codes[child] for child in children]


def answer(request: dict) -> dict[str, object]:
    port, folder = free_port(), Path(request["folder"])
    folder.mkdir(parents=True, exist_ok=True)
    began = time.monotonic()
    children = [start(rank, request, port) for rank in range(request["size"])]
    codes = wait(children, request["until"], request["timeout"])
    outputs = [(folder / f"rank{rank}.out").read_text() for rank in range(request["size"])]
    return {"codes": codes, "outputs": outputs, "seconds": time.monotonic() - began}


if __name__ == "__main__":
    rank_tasks.warm_up()
    for line in sys.stdin:
        print(json.dumps(answer(json.loads(line))), flush=True)
