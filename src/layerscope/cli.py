"""The command line: flags → a command. No logic of its own."""

from __future__ import annotations

import argparse
import json
import logging
import shlex
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from layerscope.collection import collecting_nothing
from layerscope.errors import LayerscopeError, UsageError
from layerscope.launch.cleaning.keep_policy import HARMLESS
from layerscope.version import __version__

if TYPE_CHECKING:
    from layerscope.preview.tracer import Ask

DEFAULT_CONFIG = Path("config/debug.yaml")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command.

    Returns 0 only when all that was asked for succeeded, 2 for mistakes in the call or config, 1 otherwise.
    """
    logging.basicConfig(format="%(levelname)s: %(message)s", level=logging.WARNING, stream=sys.stderr)
    options = parser().parse_args(arguments)
    try:
        return _run(options)
    except LayerscopeError as error:
        _complain(str(error))
        return error.exit_code
    except BrokenPipeError:  # whoever read our output has heard enough
        sys.stdout = None
        return 1
    except KeyboardInterrupt:
        _complain("interrupted before anything was begun")
        return 130


def parser() -> argparse.ArgumentParser:
    """The flags."""
    import shtab

    flags = argparse.ArgumentParser(
        prog="layerscope",
        description="Train classifiers, save checkpoints, measure every layer of every checkpoint, draw the "
        "figures: here, in local worker processes, or as jobs on Slurm. Running the same command again does "
        "only what is missing.",
    )
    _config_flags(flags)
    _stage_flags(flags)
    _place_flags(flags)
    _question_flags(flags)
    output = flags.add_argument_group("output")
    output.add_argument("-q", "--quiet", action="store_true", help="say nothing but errors")
    output.add_argument(
        "--json", action="store_true", help="with --dry-run, --status or --clean: for programs"
    )
    output.add_argument(
        "--schema", action="store_true", help="print the JSON schema of a config, for editors"
    )
    output.add_argument(
        "--list-figures", action="store_true", help="print every figure, what it shows, and what it needs"
    )
    output.add_argument("--version", action="version", version=f"layerscope {__version__}")
    shtab.add_argument_to(output, ["--print-completion"], parent=flags)
    return flags


def _config_flags(flags: argparse.ArgumentParser) -> None:
    import shtab

    group = flags.add_argument_group("what to run")
    group.add_argument(
        "-c",
        "--config",
        type=Path,
        default=DEFAULT_CONFIG,
        metavar="FILE",
        help="config to run (%(default)s)",
    ).complete = shtab.FILE  # type: ignore[attr-defined]
    group.add_argument("-m", "--matrix", action="store_true", help="expand the file's Matrix section")
    group.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="SECTION.KEY=VALUE",
        dest="overrides",
        help="replace one value of the config; may be repeated",
    )
    group.add_argument(
        "--screen",
        action="store_true",
        help="compare the networks that the file's section Screen names: what is measured of their last "
        "features against their accuracies",
    )
    group.add_argument(
        "--only",
        action="append",
        default=[],
        metavar="RUN",
        help="only these runs of a matrix: a name, one with *, or KEY=VALUE such as lr=0.1; may be repeated",
    )


def _stage_flags(flags: argparse.ArgumentParser) -> None:
    group = flags.add_argument_group("how much of it")
    group.add_argument("--stages", metavar="A,B", help="only these of train, measure, plot (default: all)")
    group.add_argument("-p", "--no-plot", action="store_true", help="leave the figures out")
    group.add_argument("--no-measurements", action="store_true", help="leave the measurements out")
    where = group.add_mutually_exclusive_group()
    where.add_argument("--timestamp", action="store_true", help="start afresh in a dated subfolder")
    where.add_argument(
        "-n", "--no-timestamp", action="store_true", help="continue in the same folder (the default)"
    )


def _place_flags(flags: argparse.ArgumentParser) -> None:
    import shtab

    group = flags.add_argument_group("where")
    place = group.add_mutually_exclusive_group()
    place.add_argument("-s", "--slurm", action="store_true", help="submit jobs to Slurm, and return")
    place.add_argument(
        "--workers",
        type=_workers,
        metavar="N",
        help="so many runs at once in worker processes here; auto: as many as GPUs, or half the cores",
    )
    group.add_argument(
        "--profile",
        type=Path,
        metavar="FILE",
        help="what jobs ask of the cluster, where the config's section Slurm does not say (see slurm/)",
    ).complete = shtab.FILE  # type: ignore[attr-defined]
    group.add_argument("--device", default="auto", help="auto, cpu, cuda or cuda:N (%(default)s)")


def _question_flags(flags: argparse.ArgumentParser) -> None:
    titled = flags.add_argument_group("instead of running")
    group = titled.add_mutually_exclusive_group()
    group.add_argument(
        "-d",
        "--dry-run",
        "--dry_run",
        action="store_true",
        help="show what would be done, and what would go wrong; write nothing (but a cache)",
    )
    group.add_argument("--status", action="store_true", help="show how every run stands")
    group.add_argument(
        "--retry",
        nargs="?",
        const="all",
        metavar="WHAT",
        help="submit again what failed, timed-out, was lost, cancelled or stopped; default: all of these; "
        "with --workers do it here",
    )
    group.add_argument(
        "--report",
        action="store_true",
        help="write report.html beside the runs: one file with interactive figures, to send to somebody",
    )
    group.add_argument("--cancel", action="store_true", help="take the jobs out of Slurm's queue")
    group.add_argument("--logs", metavar="RUN", help="print the newest log of a run, or of several")
    group.add_argument(
        "--clean",
        nargs="?",
        const=HARMLESS,
        metavar="KEEP",
        help="show what finished runs do not need, and its size; KEEP says what stays, joined by commas: "
        "last, every:N, 10,20 or measured of the checkpoints; resume and jobs remove the resume points and "
        "the pickles of jobs (default: %(const)s, which leaves every checkpoint)",
    )
    group.add_argument(
        "--figures",
        nargs="*",
        metavar="NAME",
        help="draw just these figures, up to date or not, of a run, or of every run of a matrix and of all "
        "together; all, or no name: everything there is",
    )
    titled.add_argument(
        "--columns", type=int, choices=(1, 2), help="with --figures: as wide as one or two columns of a paper"
    )
    titled.add_argument(
        "--usetex", action="store_true", help="with --figures: text set by LaTeX, which must be installed"
    )
    titled.add_argument("--yes", action="store_true", help="with --clean: remove it")
    titled.add_argument(
        "-f", "--follow", action="store_true", help="with --logs: go on as the logs grow, until the runs end"
    )


def _workers(text: str) -> int | Literal["auto"]:
    if text == "auto":
        return "auto"
    if not text.isdigit() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is neither a number of at least 1 nor auto")
    return int(text)


def _run(options: argparse.Namespace) -> int:
    if options.schema:
        return _print_schema()
    if options.list_figures:
        return _list_figures()
    if options.screen:
        return _screen(options)
    if options.dry_run:
        with collecting_nothing(), _asking() as ask:
            return _carry_out(options, ask)
    with collecting_nothing() if options.status else nullcontext():
        return _carry_out(options, None)


@contextmanager
def _asking() -> Iterator[Ask]:
    """Somebody who answers questions about models; imports torch while this process reads the config.

    Where an earlier preview may have left the answers, that begins only when they are not all there.
    """
    from layerscope.preview.remembered import Remembering, cache_folder, knows_something
    from layerscope.preview.tracer import BackgroundTracer

    folder = cache_folder()
    with ExitStack() as started:
        if knows_something(folder):
            yield Remembering(lambda questions: started.enter_context(BackgroundTracer())(questions), folder)
        else:
            yield Remembering(started.enter_context(BackgroundTracer()), folder)


def _carry_out(options: argparse.Namespace, ask: Ask | None) -> int:
    from layerscope import commands
    from layerscope.console import Console
    from layerscope.experiment import Experiment

    command, stages = _command(options), _stages(options)
    experiment = Experiment.from_yaml(
        options.config,
        matrix=options.matrix,
        overrides=options.overrides,
        profile=options.profile,
        timestamp=options.timestamp,
    )
    again = f"the same command with {_dated(experiment.base)}" if options.timestamp else "the same command"
    console = Console(quiet=options.quiet, again=again)
    request = commands.Request(
        experiment,
        experiment.only(options.only),
        stages,
        device=options.device,
        slurm=options.slurm,
        workers=options.workers,
        json=options.json,
        ask=ask,
    )
    try:
        return command(request, console)
    except KeyboardInterrupt:
        _complain(f"interrupted; what was saved is intact, run {again} to continue")
        return 130


def _dated(base: Path) -> str:
    """The flags that name the dated folder which --timestamp made."""
    return f"{shlex.join(['--set', f'Logging.save-dir={base}'])} in place of --timestamp,"


def _command(options: argparse.Namespace) -> Callable[..., int]:
    """What the flags ask for."""
    from functools import partial

    from layerscope import commands

    _refuse_lonely(options)
    if options.retry is not None:
        return partial(commands.retry, what=options.retry)
    if options.logs is not None:
        return partial(commands.logs, name=options.logs, follow=options.follow)
    if options.clean is not None:
        return partial(commands.clean, keep=options.clean, remove=options.yes)
    if options.figures is not None:
        return partial(commands.draw, names=options.figures, columns=options.columns, usetex=options.usetex)
    chosen: dict[Callable[..., int], object] = {
        commands.preview: options.dry_run,
        commands.status: options.status,
        partial(commands.report, source=options.config): options.report,
        commands.cancel: options.cancel,
        commands.submit: options.slurm,
        commands.work_in_queue: options.workers,
        commands.work_here: True,
    }
    return next(command for command, wanted in chosen.items() if wanted)


def _refuse_lonely(options: argparse.Namespace) -> None:
    """Flags that mean something only beside another."""
    asked = options.dry_run or options.status or options.clean is not None
    lonely = {
        "--json is for --dry-run, --status and --clean": options.json and not asked,
        "--yes is for --clean": options.yes and options.clean is None,
        "--columns is for --figures": options.columns is not None and options.figures is None,
        "--figures draws in this process; for jobs or workers: --stages plot --set Logging.figures=all": bool(
            options.figures is not None and (options.slurm or options.workers)
        ),
        "--usetex is for --figures": options.usetex and options.figures is None,
        "--follow is for --logs": options.follow and options.logs is None,
        "--device is for work on this machine; jobs use a GPU when Slurm.gpus-per-run asks for one": (
            options.device != "auto" and (options.slurm or _retries_on_slurm(options))
        ),
        "--timestamp starts afresh: to come back to such a folder, --set Logging.save-dir=… names it": (
            options.timestamp and _about_what_is_there(options)
        ),
    }
    if wrong := [message for message, is_so in lonely.items() if is_so]:
        raise UsageError(wrong[0])


def _about_what_is_there(options: argparse.Namespace) -> bool:
    """Whether the question is about runs that were started before."""
    named = (options.retry, options.logs, options.clean, options.figures)
    flags = options.status or options.cancel or options.report
    return flags or any(value is not None for value in named)


def _retries_on_slurm(options: argparse.Namespace) -> bool:
    return options.retry is not None and options.workers is None


def _stages(options: argparse.Namespace) -> tuple[str, ...]:
    from layerscope.run import chosen_stages
    from layerscope.status import STAGES

    left_out = {"plot": options.no_plot, "measure": options.no_measurements}
    words = None if options.stages is None else [word.strip() for word in options.stages.split(",")]
    if words is not None and not all(words):
        raise UsageError(f"--stages {options.stages!r}: a name is empty; name some of {', '.join(STAGES)}")
    named = STAGES if words is None else chosen_stages(words)
    stages = tuple(stage for stage in named if not left_out.get(stage))
    if not stages:
        raise UsageError("the flags leave no stage to run")
    return stages


def _list_figures() -> int:
    from layerscope.commands import list_figures

    return list_figures()


def _screen(options: argparse.Namespace) -> int:
    from layerscope import commands
    from layerscope.config.screening import load_screening
    from layerscope.console import Console

    _refuse_beside_screen(options)
    screening = load_screening(options.config, options.overrides)
    console = Console(quiet=options.quiet)
    try:
        if options.dry_run:
            return commands.preview_screening(screening, console, json=options.json)
        return commands.screen(screening, console, device=options.device)
    except KeyboardInterrupt:
        _complain("interrupted; networks that were measured are kept, run the same command to continue")
        return 130


def _refuse_beside_screen(options: argparse.Namespace) -> None:
    """A screening trains nothing and submits nothing."""
    flags = ("matrix", "slurm", "status", "report", "cancel", "timestamp", "only", "workers", "profile")
    named = ("retry", "logs", "clean", "figures", "stages")
    others = [name for name in flags if getattr(options, name)]
    others += [name for name in named if getattr(options, name) is not None]
    if others:
        raise UsageError(
            f"--{others[0]} means nothing with --screen, which measures networks in this process"
        )
    if options.json and not options.dry_run:
        raise UsageError("--json is for --dry-run, --status and --clean")


def _print_schema() -> int:
    from layerscope.config import json_schema

    sys.stdout.write(json.dumps(json_schema(), indent=2) + "\n")
    return 0


def _complain(text: str) -> None:
    sys.stderr.write(f"layerscope: {text}\n")
