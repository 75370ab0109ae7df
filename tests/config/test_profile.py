"""A Slurm profile: below the config, checked like one, and the shipped ones."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from layerscope.config import load_config, load_matrix
from layerscope.errors import ConfigError

SHIPPED = sorted((Path(__file__).parents[2] / "slurm").glob("*.yaml"))
DEBUG = Path(__file__).parents[2] / "config" / "debug.yaml"
BASE = """\
Model: {model-name: mlp}
Data: {dataset-id: digits}
Optimizer: {lr: 0.1, epochs: 20}
Logging: {save-dir: logs/x}
"""
PROFILE = """\
Slurm:
  partition: gpu
  gpus: 2
  mem: 8GB
  train: {timeout: 8h, cpus: 8}
  extra: {nice: 3}
"""


@pytest.fixture
def files(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    def write(config="", profile=PROFILE):
        Path("c.yaml").write_text(BASE + config, encoding="utf-8")
        Path("p.yaml").write_text(profile, encoding="utf-8")

    write()
    return write


def told(*arguments):
    with pytest.raises(ConfigError) as caught:
        load_config("c.yaml", *arguments)
    return [str(problem) for problem in caught.value.problems]


def test_a_profile_holds_where_the_config_says_nothing(files):
    files("Slurm: {gpus-per-run: 1, train: {cpus: 2}, extra: {comment: x}}\n")
    train = load_config("c.yaml", profile="p.yaml").slurm.for_stage("train")
    assert (train.partition, train.gpus_per_run, train.mem_bytes) == ("gpu", 1, 8 * 2**30)
    assert (train.timeout_min, train.cpus) == (480, 2)
    assert train.extra == (("comment", "x"), ("nice", 3))


def test_by_hand_wins_over_both_and_takes_away(files):
    files("Slurm: {mem: 4GB}\n")
    config = load_config("c.yaml", ["Slurm.mem=1GB", "Slurm.partition=None", "Slurm.train.cpus=1"], "p.yaml")
    train = config.slurm.for_stage("train")
    assert (train.mem_bytes, train.partition, train.cpus, train.timeout_min) == (2**30, None, 1, 480)


def test_not_set_in_a_config_takes_nothing_away(files):
    files("Slurm: {partition: None, train: None}\n")
    train = load_config("c.yaml", profile="p.yaml").slurm.for_stage("train")
    assert (train.partition, train.timeout_min) == ("gpu", 480)


def test_an_empty_section_of_the_config_takes_nothing_away(files):
    files("Slurm:\n")
    assert load_config("c.yaml", profile="p.yaml").slurm.for_stage("train").partition == "gpu"


def test_the_cells_of_a_matrix_share_a_profile(files):
    files("Matrix: {Run: {run: [0, 1]}, Slurm: {train: {cpus: [4]}}}\n")
    cells = load_matrix("c.yaml", profile="p.yaml")
    assert [cell.config.slurm.for_stage("train").partition for cell in cells] == ["gpu", "gpu"]
    assert [cell.config.slurm.for_stage("train").cpus for cell in cells] == [4, 4]
    assert [cell.name for cell in cells] == ["run_0", "run_1"]


def test_a_profile_makes_no_run_another_one(files):
    assert load_config("c.yaml", profile="p.yaml").hash == load_config("c.yaml").hash


def test_mistakes_of_both_files_are_told_at_once_each_in_its_place(files):
    files(
        "Slurm: {cpus: 0, mem: 1GB}\n", "Slurm:\n  partion: gpu\n  mem: 8\n  foo: None\n  train: {gpu: 1}\n"
    )
    known = "known are: "
    assert [message.partition(known)[0] for message in told((), "p.yaml")] == [
        "c.yaml:5: cpus must be a whole number of at least 1, not 0",
        "p.yaml:2: unknown key 'partion' in Slurm; did you mean 'partition'?",
        "p.yaml:3: mem: 8 has no unit; write 8GB or 8MB",
        "p.yaml:4: unknown key 'foo' in Slurm; ",
        "p.yaml:5: unknown key 'gpu' in Slurm.train; did you mean 'gpus'?",
    ]


def test_a_wrong_value_of_a_profile_is_a_mistake_in_every_cell_once(files):
    files("Matrix: {Run: {run: [0, 1]}}\n", "Slurm:\n  mem: 8XB\n")
    with pytest.raises(ConfigError) as caught:
        load_matrix("c.yaml", profile="p.yaml")
    assert [str(problem) for problem in caught.value.problems] == [
        "p.yaml:2: mem: '8XB' is not a size such as 16GB, 16G or 500MB"
    ]


@pytest.mark.parametrize(
    ("profile", "problem"),
    [
        (
            "Slurm: {mem: 1GB}\nOptimizer: {lr: 1}\n",
            "p.yaml:2: a profile holds the section Slurm and nothing else; Optimizer belongs in a config",
        ),
        (
            "Slrum: {mem: 1GB}\nSlurm: {mem: 1GB}\n",
            "p.yaml:1: a profile holds the section Slurm and nothing else, but here is 'Slrum'; "
            "did you mean 'Slurm'?",
        ),
        ("Slurm:\n", "p.yaml: a profile needs the section Slurm with keys in it"),
        ("Slurm: 3\n", "p.yaml:1: Slurm must hold keys with values ('key: value'), not 3"),
        ("Slurm: {mem: 1GB, mem: 2GB}\n", "p.yaml:1: 'mem' is given twice; the first is in line 1"),
    ],
)
def test_what_is_no_profile_is_told(files, profile, problem):
    files("", profile)
    assert told((), "p.yaml") == [problem]


def test_an_empty_profile_and_none_at_all_are_told(files):
    files("", "# nothing\n")
    assert told((), "p.yaml")[0].startswith("p.yaml: the file is empty")
    assert told((), "q.yaml") == ["q.yaml: no such file"]


def test_three_profiles_are_shipped():
    assert [path.stem for path in SHIPPED] == ["a100", "shared_gpu", "testcluster"]


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_a_shipped_profile_goes_with_a_shipped_config(path, caplog):
    config = load_config(DEBUG, profile=path)
    assert config.slurm.for_stage("train").partition
    assert not caplog.records


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_a_shipped_profile_says_how_it_is_used_and_where_its_values_come_from(path):
    text = path.read_text(encoding="utf-8")
    assert text.startswith("# ")
    assert f"--profile slurm/{path.name}" in text
    assert re.search(r"sinfo|scontrol|sacctmgr", text)
