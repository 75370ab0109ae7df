"""Stages of one run in a process of their own: ``python -m layerscope.launch.worker --folder F --stages S``.

Its exit code is 0 when the stages are done, 1 when one failed or is blocked (the last line says why), and 75
when a signal stopped it after it had saved: it goes on when started again.
"""

from __future__ import annotations

import argparse
import logging
import sys
import traceback
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path

from layerscope.distributed.exchange import anybody, shared
from layerscope.distributed.ranks import rank, ranks_of
from layerscope.errors import Blocked, LayerscopeError, Stopped, UnexpectedError
from layerscope.launch.workers.blocked import block_after, retell, told_here, why_not_done
from layerscope.launch.workers.report import Report
from layerscope.launch.workers.stopping import StopRequest
from layerscope.provenance import now
from layerscope.run import Run, chosen_stages
from layerscope.status import recording


@dataclass(frozen=True)
class Worker:
    """One run's stages, done one after the other.

    Parameters
    ----------
    after : sequence of str
        Stages that have to be done before; without them the work is blocked.
    """

    run: Run
    device: str
    report: Report
    should_stop: StopRequest
    after: Sequence[str] = ()

    def work(self, stages: Sequence[str]) -> None:
        """Do the stages; those after one that failed are blocked.

        Raises
        ------
        LayerscopeError
            Why a stage failed, is blocked or was stopped.
        """
        for stage in stages:
            with self._blocking_later(stage, stages):
                self._do(stage)

    def _do(self, stage: str) -> None:
        if anybody(self.should_stop()):
            raise Stopped(f"stopped before {stage} began")
        self._require(stage)
        worked = getattr(self, f"_{stage}")()
        self.report.message(f"{stage} is done" if worked else f"{stage}: nothing left to do")

    def _require(self, stage: str) -> None:
        missing = shared(lambda: [name for name in self.after if not self.run.done(name)])
        if missing:
            with recording(self.run.status(stage), key=str) if rank() == 0 else nullcontext():
                raise Blocked(why_not_done(self.run, missing[0]))

    def _train(self) -> bool:
        self.report.epochs = self.run.config.optimizer.epochs
        return self.run.train(device=self.device, reporter=self.report, should_stop=self.should_stop)

    def _measure(self) -> bool:
        return self.run.measure(
            device=self.device, progress=self.report.measuring, should_stop=self.should_stop
        )

    def _plot(self) -> bool:
        return self.run.plot(should_stop=self.should_stop)

    @contextmanager
    def _blocking_later(self, stage: str, stages: Sequence[str]) -> Iterator[None]:
        """When ``stage`` fails, say so to the later ones; another process at work knows better."""
        try:
            yield
        except Stopped:
            raise
        except Exception:
            if told_here(self.run, stage) is not None:
                block_after(self.run, stage, stages)
            raise


def main(arguments: Sequence[str] | None = None) -> int:
    """Do the stages; the exit code, which no signal changes any more."""
    should_stop = StopRequest()
    should_stop.listen()  # before anything that takes time
    try:
        return _attempt(arguments, should_stop)
    finally:
        should_stop.ignore()


def _attempt(arguments: Sequence[str] | None, should_stop: StopRequest) -> int:
    options = _parser().parse_args(arguments)
    should_stop.follow(options.parent)
    logging.basicConfig(format="%(levelname)s: %(message)s", level=logging.WARNING, stream=sys.stderr)
    try:
        _work(options, should_stop)
    except LayerscopeError as error:
        return _ended(options.folder, error)
    except Exception as error:
        traceback.print_exc()
        return _ended(options.folder, UnexpectedError(f"{type(error).__name__}: {error}"))
    return 0


def _work(options: argparse.Namespace, should_stop: StopRequest) -> None:
    stages, after = (chosen_stages(filter(None, text.split(","))) for text in (options.stages, options.after))
    run = Run.open(options.folder)
    report = Report(run.name, sys.stdout if ranks_of().rank == 0 else None)
    report.begin(stages, options.device)
    try:
        with _together(options.device) as device:
            Worker(run, device, report, should_stop, after).work(stages)
    except LayerscopeError as error:
        retell(run, stages, str(error))  # of several processes, only now one knows why the others are lost
        raise


def _together(device: str) -> AbstractContextManager[str]:
    """Join the other processes of this run, if there are any."""
    if ranks_of().size == 1:
        return nullcontext(device)
    from layerscope.distributed.group import process_group

    return process_group(device)


def _ended(folder: Path, error: LayerscopeError) -> int:
    sys.stdout.flush()
    place = ranks_of().rank
    sys.stderr.write(f"{now()} {folder.name}{f' (process {place})' if place else ''}: {error}\n")
    return Stopped.exit_code if isinstance(error, Stopped) else LayerscopeError.exit_code


def _parser() -> argparse.ArgumentParser:
    flags = argparse.ArgumentParser(prog="python -m layerscope.launch.worker", description=__doc__)
    flags.add_argument("--folder", type=Path, required=True, help="the run's folder")
    flags.add_argument("--stages", required=True, metavar="A,B", help="what to do, of train, measure, plot")
    flags.add_argument("--after", default="", metavar="A,B", help="stages without which nothing may begin")
    flags.add_argument("--device", default="auto", help="auto, cpu, cuda or cuda:N (%(default)s)")
    flags.add_argument("--parent", type=int, metavar="PID", help="stop when this parent process is gone")
    return flags


if __name__ == "__main__":
    sys.exit(main())
