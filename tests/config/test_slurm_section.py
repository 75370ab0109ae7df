"""The section Slurm: what it takes, what a stage asks for, and that it changes no run."""

from __future__ import annotations

import jsonschema
import pytest

from layerscope.config import Config, dump_yaml, json_schema, load_config, parse_config
from layerscope.config.yaml_reader import document_from_text
from layerscope.errors import ConfigError

BASE = {
    "Model": {"model-name": "mlp"},
    "Data": {"dataset-id": "digits"},
    "Optimizer": {"lr": 0.1, "epochs": 20},
    "Logging": {"save-dir": "logs/x"},
}
TEXT = dump_yaml(BASE)
GB = 2**30


def slurm(**keys):
    return parse_config({**BASE, "Slurm": keys}).slurm


def problems(text, overrides=()):
    with pytest.raises(ConfigError) as caught:
        parse_config(document_from_text(TEXT + text, "c.yaml"))
    return [problem.message for problem in caught.value.problems]


@pytest.fixture
def told(tmp_path, monkeypatch):
    """The problems of a config that ends with a text, with their lines counted from its first."""

    def found(text, overrides=()):
        monkeypatch.chdir(tmp_path)
        (tmp_path / "c.yaml").write_text(TEXT + text, encoding="utf-8")
        with pytest.raises(ConfigError) as caught:
            load_config("c.yaml", overrides)
        before = TEXT.count("\n")
        return [(max(problem.line - before, 0), problem.message) for problem in caught.value.problems]

    return found


def test_nothing_said_is_one_gpu_and_four_hours():
    asked = parse_config(BASE).slurm.for_stage("train")
    assert (asked.gpus_per_run, asked.cpus, asked.timeout_min, asked.mem_bytes) == (1, 4, 240, None)
    assert (asked.requeue, asked.runs_per_job, asked.signal_seconds) == (True, 1, 120)
    assert (asked.partition, asked.mail_types, asked.setup, asked.extra) == (None, (), (), ())


def test_values_are_worked_out():
    given = slurm(
        gpus=2,
        gpu_type="a100",
        mem="16GB",
        timeout="2-00:00:00",
        exclude=["node1", "node2"],
        mail="me@example.org",
        setup="module load cuda\nulimit -c 0",
        srun_args=["--mpi=none"],
        extra={"nodelist": "n7", "exclusive": True, "nice": None},
    )
    asked = given.for_stage("train")
    assert (asked.gpus_per_run, asked.gpu_type, asked.mem_bytes) == (2, "a100", 16 * GB)
    assert (asked.timeout_min, asked.exclude) == (2880, "node1,node2")
    assert (asked.mail, asked.mail_types) == ("me@example.org", ("END", "FAIL"))
    assert asked.setup == ("module load cuda", "ulimit -c 0")
    assert asked.extra == (("exclusive", True), ("nodelist", "n7"))


def test_what_stages_ask_for_can_be_compared_and_hashed():
    one, other = slurm(mem="1024MB", extra={"nice": 3}), slurm(mem="1GB", extra={"nice": 3})
    assert len({one.for_stage("train"), other.for_stage("train"), other.for_stage("measure")}) == 1


def test_a_stage_replaces_what_it_names():
    given = slurm(
        timeout="8h", mem="8GB", extra={"nice": 3}, train={"mem": "32GB", "extra": {"comment": "x"}}
    )
    train, measure = given.for_stage("train"), given.for_stage("measure")
    assert (train.mem_bytes, train.timeout_min) == (32 * GB, 480)
    assert (measure.mem_bytes, measure.timeout_min) == (8 * GB, 480)
    assert train.extra == (("comment", "x"), ("nice", 3))
    assert measure.extra == (("nice", 3),)


def test_plotting_asks_for_little():
    plot = slurm(gpus=4, gpu_type="a100", cpus=16, mem="64GB", timeout="1d").for_stage("plot")
    assert (plot.gpus_per_run, plot.gpu_type, plot.cpus) == (0, None, 2)
    assert (plot.mem_bytes, plot.timeout_min) == (8 * GB, 60)


def test_plotting_asks_for_no_more_than_the_rest():
    plot = slurm(cpus=1, mem="2GB", timeout=10).for_stage("plot")
    assert (plot.cpus, plot.mem_bytes, plot.timeout_min) == (1, 2 * GB, 10)
    assert slurm(cpus=1).for_stage("plot").mem_bytes is None


def test_plotting_can_be_given_more():
    plot = slurm(plot={"gpus": 1, "cpus": 8, "mem": "32GB", "timeout": "3h"}).for_stage("plot")
    assert (plot.gpus_per_run, plot.cpus, plot.mem_bytes, plot.timeout_min) == (1, 8, 32 * GB, 180)


@pytest.mark.parametrize(("timeout", "seconds"), [(1, 15), (4, 60), (8, 120), (2880, 120)])
def test_there_is_time_to_save_however_short_a_job(timeout, seconds):
    assert slurm(timeout=timeout).for_stage("train").signal_seconds == seconds


def test_no_gpu_has_no_type():
    assert slurm(gpus=0, gpu_type="a100").for_stage("train").gpu_type is None


def test_the_cluster_changes_no_run():
    asked = parse_config({**BASE, "Slurm": {"mem": "8GB"}})
    assert asked.hash == parse_config(BASE).hash
    assert "Slurm" not in asked.identity()


def test_only_what_is_set_is_written_down_and_it_is_read_back():
    assert "Slurm" not in parse_config(BASE).resolved()
    config = parse_config(
        {**BASE, "Slurm": {"gpus": 1, "timeout": "4h", "plot": {"cpus": 1}, "extra": {"nice": 3}}}
    )
    resolved = config.resolved()
    assert resolved["Slurm"] == {
        "gpus-per-run": 1,
        "timeout": "4h",
        "extra": {"nice": 3},
        "plot": {"cpus": 1},
    }
    assert parse_config(document_from_text(dump_yaml(resolved), "again")) == config
    jsonschema.Draft202012Validator(json_schema()).validate(resolved)


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("gpus", -1, "gpus-per-run must be a whole number of at least 0, not -1"),
        ("gpus", 1.5, "gpus-per-run must be a whole number of at least 0, not 1.5"),
        ("cpus", 0, "cpus must be a whole number of at least 1, not 0"),
        ("cpus", "four", "cpus must be a whole number of at least 1, not 'four'"),
        ("mem", 16, "mem: 16 has no unit; write 16GB or 16MB"),
        ("mem", 1.5, "mem: 1.5 has no unit; write 1.5GB or 1.5MB"),
        ("mem", "a lot", "mem: 'a lot' is not a size such as 16GB, 16G or 500MB"),
        ("mem", True, "mem must be a size such as 16GB, 16G or 500MB, not True"),
        ("timeout", 90.5, "timeout must be whole minutes, or a time such as 90m, 4h, 4:00:00 or 2-00:00:00"),
        ("timeout", 0, "timeout: 0 leaves no time at all"),
        ("timeout", -5, "timeout: -5 leaves no time at all"),
        ("timeout", True, "timeout must be whole minutes"),
        ("runs-per-job", 0, "runs-per-job must be a whole number of at least 1, not 0"),
        ("array-parallelism", 0, "array-parallelism must be a whole number of at least 1, not 0"),
        ("partition", "gpu low", "partition: 'gpu low' is empty or holds a blank"),
        ("partition", "", "partition: '' is empty or holds a blank"),
        ("partition", "a\n#SBATCH --wrap=x", "is empty or holds a blank"),
        ("account", 17, "account must be text (a number in quotes), not 17"),
        ("requeue", "yes", "requeue must be True or False, not 'yes'"),
        ("mail-type", "ended", "did you mean 'end'?"),
        ("setup", ["a", 3], "setup must be a list of shell commands; item 2 is 3"),
        ("setup", ["a\rb"], "setup: 'a\\rb' holds a control character"),
        ("srun-args", 3, "srun-args must be a list of arguments, each of them text, not 3"),
        ("train", 3, "train must be keys with values ('mem: 16GB'), not 3"),
        ("extra", ["nice"], "extra must be a mapping of options of sbatch"),
        ("extra", {"time": 3}, "time has a key of its own: write Slurm.timeout"),
        ("extra", {"array": "0-3"}, "array cannot be chosen: the launcher sets it"),
        ("extra", {"--nice": 3}, "--nice is no option of sbatch; write it as in {nodelist: node07}"),
        ("extra", {"nice": [1]}, "nice must be text, a number, True or False, not [1]"),
        ("extra", {"comment": "a\nb"}, "comment must not be empty or hold control characters"),
        ("partitions", "gpu", "unknown key 'partitions' in Slurm; did you mean 'partition'?"),
        ("signal-seconds", 14400, "signal-seconds must be less than the timeout"),
    ],
)
def test_a_wrong_value_is_told_in_plain_words(key, value, message):
    with pytest.raises(ConfigError) as caught:
        parse_config({**BASE, "Slurm": {key: value}})
    assert [message in problem.message for problem in caught.value.problems] == [True]


def test_packed_runs_share_a_single_gpu():
    with pytest.raises(
        ConfigError, match="runs-per-job packs runs that share one GPU, but gpus-per-run is 2"
    ):
        slurm(runs_per_job=4, gpus=2)
    assert slurm(runs_per_job=4, gpus=0).for_stage("train").runs_per_job == 4


def test_every_mistake_is_told_at_once_with_its_line(told):
    text = """\
Slurm:
  gpus: 1
  gpus-per-run: 2
  train:
    timout: 4h
    cpus: 0
    mem: 8GB
    mem: 9GB
  tain: {cpus: 1}
  extra:
    nodelist: n7
    mem: 3
  plot:
    timeout: "4:00"
    gpu_typ: None
"""
    assert told(text) == [
        (3, "'gpus-per-run' means the same as 'gpus' in line 11; give one of them"),
        (5, "unknown key 'timout' in Slurm.train; did you mean 'timeout'?"),
        (6, "cpus must be a whole number of at least 1, not 0"),
        (8, "'mem' is given twice; the first is in line 16"),
        (9, "unknown key 'tain' in Slurm; did you mean 'train'?"),
        (12, "mem has a key of its own: write Slurm.mem"),
        (14, "timeout: '4:00' may mean hours or minutes; write it as 4:00:00 or in minutes"),
        (15, "unknown key 'gpu-typ' in Slurm.plot; did you mean 'gpu-type'?"),
    ]


def test_the_signal_of_a_stage_is_looked_at_with_its_timeout(told):
    text = "Slurm:\n  signal-seconds: 600\n  measure:\n    timeout: 5\n  train:\n    signal_seconds: 99999\n"
    assert told(text) == [
        (2, "signal-seconds must be less than the timeout"),
        (6, "train.signal-seconds must be less than the timeout"),
    ]


def test_single_values_of_a_stage_are_set_by_hand(tmp_path):
    path = tmp_path / "c.yaml"
    path.write_text(TEXT + "Slurm: {train: {cpus: 2}, mem: 4GB}\n", encoding="utf-8")
    by_hand = [
        "Slurm.train.timeout=8h",
        "Slurm.gpus=0",
        "Slurm.extra.nice=3",
        "Slurm.plot={gpus: 1}",
        "Slurm.mem=",
    ]
    config = load_config(path, by_hand)
    train = config.slurm.for_stage("train")
    assert (train.cpus, train.timeout_min, train.gpus_per_run, train.mem_bytes) == (2, 480, 0, None)
    assert train.extra == (("nice", 3),)
    assert config.slurm.for_stage("plot").gpus_per_run == 1


def test_mistakes_by_hand_are_told_as_such(tmp_path):
    path = tmp_path / "c.yaml"
    path.write_text(TEXT, encoding="utf-8")
    by_hand = ["Slurm.train.tim=1", "Slurm.tain.cpus=1", "Slurm.plot={cpus: 0}", "Slurm.plot.mem=1GB"]
    with pytest.raises(ConfigError) as caught:
        load_config(path, by_hand)
    assert [str(problem) for problem in caught.value.problems] == [
        "--set Slurm.plot.cpus: cpus must be a whole number of at least 1, not 0",
        "--set Slurm.plot.mem: given twice",
        "--set Slurm.tain: unknown key 'tain' in Slurm; did you mean 'train'?",
        "--set Slurm.train.tim: unknown key 'tim' in Slurm.train; did you mean 'timeout'?",
    ]


def test_a_copy_with_other_values_has_another_hash():
    config = parse_config(BASE)
    longer = config.model_copy(update={"optimizer": config.optimizer.model_copy(update={"epochs": 30})})
    assert isinstance(longer, Config)
    assert longer.hash != config.hash
    assert longer.checkpoint_epochs[-1] == 30
