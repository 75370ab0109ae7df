"""Several real processes that train one run over gloo end where one process ends."""

from __future__ import annotations

import json

import pytest
import torch
from safetensors.torch import load_file

from layerscope.training.log import EpochLog
from layerscope.training.position import Position, read_position

pytestmark = pytest.mark.slow

BATCHNORM = {"Model": {"model-name": "mlp_small"}}
CONVNET = {"Model": {"model-name": "convnet_small"}, "Data": {"subset": 100, "do-augmentation": True}}
AUTOENCODER = {"Model": {"model-name": "ae_small"}, "Optimizer": {"objective": "reconstruction"}}
ADAM = {"Optimizer": {"optimizer": "adam", "lr": 1e-3, "clip-grad-norm": 0.5, "loss": "celoss"}}
DRIFT = {
    "Optimizer": {
        "loss": "focal",
        "class-weights": "inverse",
        "drift-penalty": 0.1,
        "lr-groups": {"^fc": 0.5},
    }
}
EVALUATION = 6  # batches of test samples; each of them is asked about, as the 4 steps of an epoch are


def checkpoint(folder, name, epoch=3):
    return folder / name / "checkpoints" / f"epoch_{epoch:04d}.safetensors"


def assert_same_run(folder, one, other, atol=2e-6):
    """Up to rounding. A bias before BatchNorm has a gradient that is nothing but rounding: hence atol."""
    files = sorted(path.name for path in (folder / one / "checkpoints").iterdir())
    assert files == sorted(path.name for path in (folder / other / "checkpoints").iterdir())
    for epoch in (0, 1, 2, 3):
        weights, others = (load_file(checkpoint(folder, name, epoch)) for name in (one, other))
        torch.testing.assert_close(weights, others, rtol=1e-5, atol=atol)
    rows, other_rows = (EpochLog(folder / name / "log.csv").rows() for name in (one, other))
    assert len(rows) == len(other_rows) == 4
    for row, other_row in zip(rows, other_rows, strict=True):
        assert row.train_accuracy == pytest.approx(other_row.train_accuracy, nan_ok=True)
        assert row.test_accuracy == other_row.test_accuracy
        assert row.lr == pytest.approx(other_row.lr, nan_ok=True)
        assert row.train_loss == pytest.approx(other_row.train_loss, rel=1e-5, nan_ok=True)
        assert row.test_loss == pytest.approx(other_row.test_loss, rel=1e-5)


@pytest.mark.parametrize(
    ("sections", "options"),
    [
        ({}, {}),
        (BATCHNORM, {}),
        (CONVNET, {"augmentation": "crop"}),
        (ADAM, {}),
        ({}, {"change": "unused"}),
        ({"Optimizer": {"channels-last": True}, **BATCHNORM}, {}),
        (DRIFT, {}),
    ],
    ids=[
        *("plain", "batchnorm", "augmented convnet", "adam, clipped", "a layer without use"),
        *("channels last", "drift penalty, weighted classes"),
    ],
)
def test_two_processes_end_with_the_weights_of_one(tmp_path, write_config, succeed, sections, options):
    """Batches of 63 and a last one of 11: no share is half of its batch."""
    write_config(tmp_path, **sections)
    assert succeed("train", 1, tmp_path, name="one", **options) == "finished"
    assert succeed("train", 2, tmp_path, name="two", **options) == "finished"
    assert_same_run(tmp_path, "one", "two")


def test_two_processes_train_an_autoencoder_and_its_probe_as_one_does(tmp_path, write_config, succeed):
    """The probe is the solution of a linear system, which is less exact than the features are."""
    write_config(tmp_path, **AUTOENCODER)
    for processes, name in ((1, "one"), (2, "two")):
        assert succeed("train", processes, tmp_path, name=name) == "finished"
    assert_same_run(tmp_path, "one", "two", atol=1e-4)


def test_a_last_batch_with_fewer_samples_than_processes_counts_right(tmp_path, write_config, succeed):
    write_config(tmp_path, Data={"batch-size": 66})  # 3 x 66 + 2
    succeed("train", 1, tmp_path, name="one")
    succeed("train", 3, tmp_path, name="three")
    assert_same_run(tmp_path, "one", "three")


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory, write_config, succeed):
    """A folder with a run by two processes that nobody disturbed."""
    folder = tmp_path_factory.mktemp("runs")
    write_config(folder, **BATCHNORM)
    succeed("train", 2, folder, name="whole")
    return folder


def test_two_processes_give_the_same_bits_every_time(undisturbed, succeed):
    succeed("train", 2, undisturbed, name="again")
    for epoch in (1, 3):
        whole, again = (checkpoint(undisturbed, name, epoch) for name in ("whole", "again"))
        assert whole.read_bytes() == again.read_bytes()


@pytest.mark.parametrize("whom", [0, 1])
def test_a_signal_to_one_process_stops_all_at_the_same_step(undisturbed, succeed, whom):
    name = f"signalled{whom}"
    when = {"action": "SIGUSR2", "when": EVALUATION + 1, "whom": whom}
    assert succeed("train", 2, undisturbed, name=name, **when) == "stopped"
    assert read_position(undisturbed / name / "checkpoints") == Position(0, 2)
    assert succeed("train", 2, undisturbed, name=name, action="SIGUSR2", when=0, whom=whom) == "stopped"
    assert succeed("train", 2, undisturbed, name=name) == "finished"
    assert checkpoint(undisturbed, name).read_bytes() == checkpoint(undisturbed, "whole").read_bytes()


@pytest.mark.parametrize(("first", "then"), [(2, 1), (1, 2), (2, 3)])
def test_another_number_of_processes_goes_on_to_the_same_end(undisturbed, succeed, first, then):
    name = f"from{first}to{then}"
    stop = {"action": "SIGUSR2", "when": EVALUATION + 1, "whom": 0}
    assert succeed("train", first, undisturbed, name=name, **stop) == "stopped"
    assert read_position(undisturbed / name / "checkpoints").step == first
    assert succeed("train", then, undisturbed, name=name) == "finished"
    assert_same_run(undisturbed, "whole", name)


def test_dropout_in_two_processes_resumes_bit_for_bit(tmp_path, write_config, succeed):
    write_config(tmp_path, Logging={"log-epochs": [3]})
    succeed("train", 2, tmp_path, name="whole", change="dropout")
    stop = {"action": "SIGUSR2", "when": EVALUATION + 1}
    assert succeed("train", 2, tmp_path, name="parted", change="dropout", **stop) == "stopped"
    succeed("train", 2, tmp_path, name="parted", change="dropout")
    assert checkpoint(tmp_path, "parted").read_bytes() == checkpoint(tmp_path, "whole").read_bytes()


def test_points_saved_by_the_clock_outlive_a_kill(tmp_path, undisturbed, write_config, run_ranks, succeed):
    write_config(tmp_path, Logging={"resume-minutes": 1e-9}, **BATCHNORM)
    ended = run_ranks("train", 2, tmp_path, action="SIGKILL", when=2 * EVALUATION + 4 + 3, whom=1)
    assert ended.codes[1] == -9
    assert read_position(tmp_path / "run" / "checkpoints") > Position(1, 0)
    succeed("train", 2, tmp_path)
    assert checkpoint(tmp_path, "run").read_bytes() == checkpoint(undisturbed, "whole").read_bytes()


@pytest.mark.parametrize("whom", [0, 1])
def test_when_a_process_is_killed_the_other_ends_and_both_can_go_on(undisturbed, run_ranks, succeed, whom):
    name = f"killed{whom}"
    ended = run_ranks(
        "train", 2, undisturbed, name=name, action="SIGKILL", when=2 * EVALUATION + 6, whom=whom
    )
    assert ended.codes[whom] == -9
    assert ended.codes[1 - whom] == 3
    assert "LostProcess: another of the 2 processes of this run has ended" in ended.outputs[1 - whom]
    succeed("train", 2, undisturbed, name=name)
    assert checkpoint(undisturbed, name).read_bytes() == checkpoint(undisturbed, "whole").read_bytes()


def test_a_process_that_hangs_is_given_up_after_the_time_out(undisturbed, run_ranks):
    options = {"action": "SIGSTOP", "when": 8, "whom": 1, "timeout": 3.0}
    ended = run_ranks("train", 2, undisturbed, name="hung", until=0, **options)
    assert ended.codes == [3, None]
    assert "did not answer for 3 s" in ended.outputs[0]


def test_the_first_process_says_why_another_failed(undisturbed, run_ranks):
    ended = run_ranks("train", 2, undisturbed, name="failed", action="raise", when=8, whom=1)
    assert ended.codes == [3, 1]
    expected = 'process 1 of this run has failed: KeyError: "a mistake in the user\'s own layer"'
    assert expected in ended.outputs[0]


def test_all_processes_find_out_together_that_training_diverges(tmp_path, write_config, run_ranks):
    write_config(tmp_path, Optimizer={"lr": 1e18})
    ended = run_ranks("train", 2, tmp_path)
    assert ended.codes == [3, 3]
    messages = [output.splitlines()[-1] for output in ended.outputs]
    assert messages[0] == messages[1]
    assert messages[0].startswith("TrainingDiverged: epoch 1, step ")


def test_a_batch_that_is_too_small_to_divide_is_refused(tmp_path, write_config, run_ranks):
    write_config(tmp_path, Data={"batch-size": 1})
    ended = run_ranks("train", 2, tmp_path)
    assert ended.codes == [3, 3]
    assert "Data.batch-size 1 cannot be divided over 2 processes" in ended.outputs[0]


@pytest.mark.parametrize("size", [2, 3, 5])
def test_what_processes_tell_each_other_arrives(tmp_path, succeed, size):
    found = json.loads(succeed("exchange", size, tmp_path))
    assert found == {
        "shared": "from 0",
        "gathered": list(range(size)),
        "summed": size * (size - 1) / 2,
        "anybody": True,
        "nobody": False,
        "merged": list(range(size)),
        "in turn": True,
        "agreed": [0, 5, 0],
    }


def test_batchnorm_over_shares_is_batchnorm_over_the_batch(tmp_path, succeed):
    assert succeed("batchnorm", 3, tmp_path) == "equal"
