"""The command line: flags → Experiment. No logic of its own."""

from __future__ import annotations

import argparse
import json
import logging
import sys
from collections.abc import Sequence
from pathlib import Path

from layerscope.errors import LayerscopeError, UsageError
from layerscope.version import __version__

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
        _complain("interrupted; what was saved is intact, run the same command again to continue")
        return 130


def parser() -> argparse.ArgumentParser:
    """The flags."""
    import shtab

    flags = argparse.ArgumentParser(
        prog="layerscope",
        description="Train a classifier, save checkpoints, measure every layer of every checkpoint, draw the "
        "figures. Running the same command again does only what is missing.",
    )
    flags.add_argument(
        "-c",
        "--config",
        type=Path,
        default=DEFAULT_CONFIG,
        metavar="FILE",
        help="config to run (%(default)s)",
    ).complete = shtab.FILE  # type: ignore[attr-defined]
    flags.add_argument("-m", "--matrix", action="store_true", help="expand the file's Matrix section")
    flags.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="SECTION.KEY=VALUE",
        dest="overrides",
        help="replace one value of the config; may be repeated",
    )
    _stage_flags(flags)
    flags.add_argument("--device", default="auto", help="auto, cpu, cuda or cuda:N (%(default)s)")
    flags.add_argument("-q", "--quiet", action="store_true", help="say nothing but errors")
    flags.add_argument("--schema", action="store_true", help="print the JSON schema of a config, for editors")
    flags.add_argument("--version", action="version", version=f"layerscope {__version__}")
    shtab.add_argument_to(flags, ["--print-completion"])
    return flags


def _stage_flags(flags: argparse.ArgumentParser) -> None:
    flags.add_argument("--stages", metavar="A,B", help="only these of train, measure, plot (default: all)")
    flags.add_argument("-p", "--no-plot", action="store_true", help="leave the figures out")
    flags.add_argument("--no-measurements", action="store_true", help="leave the measurements out")
    where = flags.add_mutually_exclusive_group()
    where.add_argument("--timestamp", action="store_true", help="start afresh in a dated subfolder")
    where.add_argument(
        "-n", "--no-timestamp", action="store_true", help="continue in the same folder (the default)"
    )


def _run(options: argparse.Namespace) -> int:
    if options.schema:
        return _print_schema()
    from layerscope.console import Console
    from layerscope.experiment import Experiment

    stages = _stages(options)
    experiment = Experiment.from_yaml(
        options.config, matrix=options.matrix, overrides=options.overrides, timestamp=options.timestamp
    )
    console = Console(quiet=options.quiet)
    works = {stage: console.work(stage, device=options.device) for stage in stages}
    outcomes = experiment.perform(works, watch=console.outcome)
    console.summary(experiment)
    return 1 if any(outcome.error is not None for outcome in outcomes) else 0


def _stages(options: argparse.Namespace) -> tuple[str, ...]:
    from layerscope.run import STAGES, chosen_stages

    left_out = {"plot": options.no_plot, "measure": options.no_measurements}
    named = chosen_stages(options.stages.split(",")) if options.stages else STAGES
    stages = tuple(stage for stage in named if not left_out.get(stage))
    if not stages:
        raise UsageError("the flags leave no stage to run")
    return stages


def _print_schema() -> int:
    from layerscope.config import json_schema

    sys.stdout.write(json.dumps(json_schema(), indent=2) + "\n")
    return 0


def _complain(text: str) -> None:
    sys.stderr.write(f"layerscope: {text}\n")
