"""The keys of section ``Slurm`` that may differ between stages: what one job asks for."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field, PlainSerializer, WithJsonSchema

from layerscope.config.amounts import mem_bytes, minutes
from layerscope.config.fields import AnyCase, Count, Expected, Flag, OnceEach, OneOrMore, Positive
from layerscope.config.sections.base import Conflicts, Section

_OWN_KEY = {
    "account": "account",
    "constraint": "constraint",
    "cpus-per-task": "cpus",
    "exclude": "exclude",
    "gpus": "gpus-per-run",
    "gpus-per-node": "gpus-per-run",
    "gpus-per-task": "gpus-per-run",
    "mail-type": "mail-type",
    "mail-user": "mail",
    "mem": "mem",
    "no-requeue": "requeue",
    "partition": "partition",
    "qos": "qos",
    "requeue": "requeue",
    "signal": "signal-seconds",
    "time": "timeout",
}
"""Options of sbatch → our keys for them."""

_OURS = frozenset(
    {
        *("array", "chdir", "dependency", "error", "job-name", "kill-on-invalid-dep", "nodes", "ntasks"),
        *("ntasks-per-node", "open-mode", "output", "parsable", "wait", "wrap"),
    }
)
"""Options of sbatch without which no job would find its way."""

_OPTION = re.compile(r"[a-z][a-z0-9-]*")
_CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")


def _word(value: Any) -> Any:
    """A list is written as sbatch takes it; nothing may break out of its line of the script."""
    if isinstance(value, list) and value and all(isinstance(item, str) for item in value):
        value = ",".join(value)
    if isinstance(value, str) and (not value or re.search(r"\s|[\x00-\x1f\x7f]", value)):
        raise ValueError(f"{value!r} is empty or holds a blank")
    return value


def _mem(value: Any) -> Any:
    if isinstance(value, str):
        mem_bytes(value)
    elif isinstance(value, (int, float)) and not isinstance(value, bool):
        raise ValueError(f"{value!r} has no unit; write {value}GB or {value}MB")
    return value


def _time(value: Any) -> Any:
    if isinstance(value, str) or (isinstance(value, int) and not isinstance(value, bool)):
        minutes(value)
    return value


def _shell_lines(value: Any) -> Any:
    return tuple(value.splitlines()) if isinstance(value, str) else value


def _one_line(value: Any) -> Any:
    if isinstance(value, str) and _CONTROL.search(value):
        raise ValueError(f"{value!r} holds a control character")
    return value


def _pairs(value: Any) -> Any:
    """A mapping as sorted pairs, which can be hashed, without what is not set."""
    if isinstance(value, Mapping):
        return tuple(sorted((key, content) for key, content in value.items() if content is not None))
    return value


def _checked(options: tuple[tuple[str, Any], ...]) -> tuple[tuple[str, Any], ...]:
    wrong = [
        (option, why) for option, value in options if (why := _wrong_option(option) or _wrong_value(value))
    ]
    if wrong:
        raise Conflicts(wrong)
    return options


def _wrong_option(option: str) -> str | None:
    if not _OPTION.fullmatch(option):
        return "is no option of sbatch; write it as in {nodelist: node07}"
    if option in _OWN_KEY:
        return f"has a key of its own: write Slurm.{_OWN_KEY[option]}"
    return "cannot be chosen: the launcher sets it" if option in _OURS else None


def _wrong_value(value: Any) -> str | None:
    if not isinstance(value, (str, int, float)):
        return f"must be text, a number, True or False, not {value!r}"
    if isinstance(value, str) and (not value or _CONTROL.search(value)):
        return f"must not be empty or hold control characters, unlike {value!r}"
    return None


Word = Annotated[str, BeforeValidator(_word), Expected("text (a number in quotes)")]
Mem = Annotated[str, BeforeValidator(_mem), Expected("a size such as 16GB, 16G or 500MB")]
Time = Annotated[
    str | int,
    BeforeValidator(_time),
    Expected("whole minutes, or a time such as 90m, 4h, 4:00:00 or 2-00:00:00"),
]
MailType = Annotated[
    Literal[
        "none",
        "begin",
        "end",
        "fail",
        "requeue",
        "all",
        "invalid_depend",
        "stage_out",
        "time_limit",
        "time_limit_90",
        "time_limit_80",
        "time_limit_50",
        "array_tasks",
    ],
    AnyCase,
]
Line = Annotated[str, BeforeValidator(_one_line), Expected("text (a number in quotes)")]
Lines = Annotated[
    tuple[Line, ...], OneOrMore, BeforeValidator(_shell_lines), Expected("a list of shell commands")
]
Arguments = Annotated[tuple[Line, ...], OneOrMore, Expected("a list of arguments, each of them text")]
Options = Annotated[
    tuple[tuple[str, Any], ...],
    BeforeValidator(_pairs),
    AfterValidator(_checked),
    PlainSerializer(dict),
    WithJsonSchema({"type": "object", "additionalProperties": {"type": ["string", "number", "boolean"]}}),
    Expected("a mapping of options of sbatch, as {nodelist: node07, exclusive: True}"),
]


class JobConfig(Section):
    """What one job asks of the cluster. What is not set is left to the section around it, or to a default."""

    partition: Word | None = Field(default=None, description="The partition (sinfo lists them)")
    account: Word | None = Field(default=None, description="The account that pays (sacctmgr show assoc)")
    qos: Word | None = Field(default=None, description="The quality of service (sacctmgr show qos)")
    constraint: Word | None = Field(
        default=None, description="Features that a node must have, as a100|h100 (sinfo -o '%N %f')"
    )
    exclude: Word | None = Field(default=None, description="Nodes to stay away from, as node[01-03]")
    gpu_type: Word | None = Field(
        default=None, description="The kind of GPU (sinfo -o '%P %G'), for jobs that have one; not set: any"
    )
    gpus_per_run: Count | None = Field(
        default=None,
        description="GPUs of a run (also written gpus; not set: 1); above 1 it trains on all at once",
    )
    cpus: Positive | None = Field(default=None, description="CPU cores of a run; not set: 4")
    mem: Mem | None = Field(default=None, description="Memory of a run, as 16GB; not set: the cluster's")
    timeout: Time | None = Field(
        default=None,
        description="Limit: minutes, 90m, 4h, 4:00:00, 2-00:00:00 (not set: 4h); longer runs go on in turns",
    )
    signal_seconds: Positive | None = Field(
        default=None,
        description="Seconds before the time limit at which a run saves; not set: 120, or a quarter of it",
    )
    array_parallelism: Positive | None = Field(
        default=None, description="Jobs of one stage at once; not set: as many as the cluster lets"
    )
    requeue: Flag | None = Field(
        default=None,
        description="Let Slurm start jobs again that were preempted or lost their node; not set: True",
    )
    mail: Word | None = Field(default=None, description="An address that Slurm writes to")
    mail_type: Annotated[tuple[MailType, ...], OneOrMore, OnceEach] | None = Field(
        default=None, description="When it writes: end, fail, requeue, …; not set: end and fail"
    )
    setup: Lines | None = Field(
        default=None,
        description="Shell commands before the run, as 'module load cuda'; one that fails ends it",
    )
    python: Line | None = Field(
        default=None, description="The Python of the job; not set: the one that submits"
    )
    srun_args: Arguments | None = Field(default=None, description="More arguments of srun")
    extra: Options | None = Field(
        default=None, description="Other options of sbatch without their dashes, as {nodelist: node07}"
    )
