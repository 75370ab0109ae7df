"""The process that answers for :class:`layerscope.preview.tracer.BackgroundTracer`."""

from __future__ import annotations

import gc
import json
import os
import sys
from dataclasses import asdict

from layerscope.preview.question import Question


def main() -> None:
    """Read questions from stdin, write the answers to stdout; what models print goes to stderr."""
    gc.disable()  # a fifth of the time that importing torch takes
    channel = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    try:
        from layerscope.preview.tracing import answer
    except ImportError as error:
        answers: object = without_torch(error)
        sys.stdin.read()
    else:
        sys.dont_write_bytecode = True  # from here on the models of users are imported
        answers = [asdict(answer(Question.from_plain(each))) for each in json.load(sys.stdin)]
    with channel:
        channel.write(json.dumps(answers))
    sys.stderr.flush()
    os._exit(0)  # clearing away what torch imported would take another second, and nobody needs it


def without_torch(error: ImportError) -> str:
    """Why nothing can be said of models."""
    return f"torch cannot be imported here ({error})"
