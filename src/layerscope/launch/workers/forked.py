"""Workers as forks of this process, which has loaded what they need.

To start Python and to load pandas and matplotlib takes longer than to draw one figure: a thousand runs of
which only figures are missing would wait for little else.
"""

from __future__ import annotations

import gc
import importlib
import os
import runpy
import sys
import traceback
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, NoReturn

from layerscope.provenance import provenance

_NEEDED_TO_DRAW = ("pandas", "layerscope.plotting.plotter", "layerscope.plotting.run.overview")
_NO_THREADS = {"OPENBLAS_NUM_THREADS": "1", "JE_ARROW_MALLOC_CONF": "background_thread:false"}
"""Variables that keep numpy, and the allocator of pandas' texts, from starting threads as they are loaded."""
MANY = 100_000
"""New objects between two searches for garbage of a fork, which has little time to make any."""


class Forked:
    """A fork, asked for what :class:`subprocess.Popen` is asked for."""

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self.returncode: int | None = None

    def wait(self) -> int:
        """Wait for its end; its exit code, or minus the signal that killed it."""
        if self.returncode is None:
            self.returncode = os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])
        return self.returncode


def ready_to_draw() -> bool:
    """Load what drawing needs; whether forks may then be made.

    Only a process of a single thread may fork: a fork has that one thread, and would wait for ever for what
    another held. Libraries that are not loaded yet are kept from starting any; drawing has no use for them.
    """
    if _threads() != 1:
        return False
    with _variables(_NO_THREADS):
        for name in _NEEDED_TO_DRAW:
            importlib.import_module(name)
        from layerscope.plotting.drawing.saving import rehearse

        rehearse()
    provenance()
    if _threads() != 1:
        return False
    gc.collect()
    gc.freeze()  # else every fork would copy all of this, only to look through it for garbage
    return True


@contextmanager
def _variables(wanted: Mapping[str, str]) -> Iterator[None]:
    before = {name: os.environ.get(name) for name in wanted}
    os.environ.update(wanted)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


def _threads() -> int:
    """The threads of this process, numpy's included; 0 where the system does not tell."""
    try:
        return sum(1 for _ in Path("/proc/self/task").iterdir())
    except OSError:
        return 0


def fork(module: str, arguments: Sequence[str], environment: Mapping[str, str], output: BinaryIO) -> Forked:
    """Run ``python -m module arguments`` in a fork of this process, with these variables and this output."""
    for stream in (sys.stdout, sys.stderr):
        if stream is not None:
            stream.flush()
    pid = os.fork()
    if pid == 0:
        _become(module, arguments, environment, output)
    return Forked(pid)


def _become(
    module: str, arguments: Sequence[str], environment: Mapping[str, str], output: BinaryIO
) -> NoReturn:
    """Do the module's work and end, whatever happens: what called :func:`fork` must not go on twice."""
    code: object = 1
    try:
        gc.set_threshold(MANY, *gc.get_threshold()[1:])
        _redirect(output)
        os.environ.clear()
        os.environ.update(environment)
        sys.argv = [module, *arguments]
        sys.modules.pop(module, None)
        runpy.run_module(module, run_name="__main__", alter_sys=True)
        code = 0
    except SystemExit as end:
        code = end.code
    except BaseException:
        traceback.print_exc()
    finally:
        _end(code)


def _redirect(output: BinaryIO) -> None:
    with Path(os.devnull).open("rb") as nothing:
        os.dup2(nothing.fileno(), 0)
    os.dup2(output.fileno(), 1)
    os.dup2(output.fileno(), 2)
    sys.stdout = os.fdopen(1, "w", encoding="utf-8", closefd=False)
    sys.stderr = os.fdopen(2, "w", encoding="utf-8", closefd=False)


def _end(code: object) -> NoReturn:
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code if isinstance(code, int) else int(code is not None))
