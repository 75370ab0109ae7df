"""Who answers questions about models: this process, or one of its own that imports torch meanwhile."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import asdict
from functools import partial
from pathlib import Path
from types import TracebackType

from layerscope.preview.question import Answer, Question
from layerscope.preview.tracing_process import without_torch

Receive = Callable[[], list[Answer]]
"""Waits for the answers, one for each question; raises :class:`NoAnswer` when there will be none."""

Ask = Callable[[Sequence[Question]], Receive]
"""Hands questions over, and returns at once."""

_SECONDS = 600
_START = "import sys; sys.path.pop(0); from layerscope.preview.tracing_process import main; main()"


class NoAnswer(Exception):
    """Nobody could be asked; the message says why."""


def ask_here(questions: Sequence[Question]) -> Receive:
    """Let this process answer, as soon as the answers are wanted."""
    return partial(_answers_from_here, questions)


def _answers_from_here(questions: Sequence[Question]) -> list[Answer]:
    with _writing_no_bytecode():
        try:
            from layerscope.preview.tracing import answer
        except ImportError as error:
            raise NoAnswer(without_torch(error)) from error
        return [answer(question) for question in questions]


class BackgroundTracer:
    """A process that imports torch while this one reads the config, then answers once.

    Start it first: torch takes most of the time of a preview. It is a context, whose end stops the process.
    """

    def __init__(self) -> None:
        package = str(Path(__file__).parents[2])
        paths = [package, *filter(None, [os.environ.get("PYTHONPATH")])]
        self._process = subprocess.Popen(
            [sys.executable, "-c", _START],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(paths)},
        )
        self._background = ThreadPoolExecutor(max_workers=1)

    def __enter__(self) -> BackgroundTracer:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with self._process:  # waits for its end, and closes its pipes
            self._process.kill()
            self._background.shutdown()

    def __call__(self, questions: Sequence[Question]) -> Receive:
        """Hand the questions over; may be called once."""
        asked = json.dumps([asdict(question) for question in questions]).encode()
        return self._background.submit(self._answers, asked).result

    def _answers(self, asked: bytes) -> list[Answer]:
        try:
            said, complaints = self._process.communicate(asked, timeout=_SECONDS)
        except subprocess.TimeoutExpired as error:
            raise NoAnswer(f"tracing the models took more than {_SECONDS} seconds") from error
        try:
            reply = json.loads(said)
        except ValueError as error:
            raise NoAnswer(self._obituary(complaints)) from error
        if isinstance(reply, str):
            raise NoAnswer(reply)
        return [Answer.from_plain(each) for each in reply]

    def _obituary(self, complaints: bytes) -> str:
        last = complaints.decode(errors="replace").strip().rpartition("\n")[2]
        return f"the process that traces the models ended with code {self._process.returncode}: {last}"


@contextmanager
def _writing_no_bytecode() -> Iterator[None]:
    """A preview leaves no trace, not even beside a user's own model."""
    before, sys.dont_write_bytecode = sys.dont_write_bytecode, True
    try:
        yield
    finally:
        sys.dont_write_bytecode = before
