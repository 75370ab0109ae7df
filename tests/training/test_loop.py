from __future__ import annotations

import csv
import itertools
import math
from dataclasses import replace

import pytest
import torch
from torch import nn

from layerscope.errors import ModelError, TrainingDiverged
from layerscope.training.course import Course
from layerscope.training.forward import build_forward
from layerscope.training.loop import train_epoch
from layerscope.training.optimizers import build_optimizer
from layerscope.training.position import Position, read_position
from layerscope.training.progress import QuietReporter
from layerscope.training.resume import ResumePoint
from layerscope.training.trackers import Trackers

CPU = torch.device("cpu")


class Listener(QuietReporter):
    def __init__(self):
        self.epochs = []
        self.messages = []

    def epoch(self, row):
        self.epochs.append(row.epoch)

    def message(self, text):
        self.messages.append(text)


@pytest.fixture
def finished(workbench):
    bench = workbench("finished")
    bench.trained = bench.model()
    assert bench.train(bench.trained) == "finished"
    return bench


def test_every_due_epoch_is_saved_and_every_epoch_logged(workbench):
    bench = workbench(Logging={"log-epochs": [0, 2]})
    listener = Listener()
    bench.train(reporter=listener)
    assert bench.store.manifest.epochs() == (0, 2, 3)
    assert [row.epoch for row in bench.log.rows()] == listener.epochs == [0, 1, 2, 3]
    assert listener.messages == []


def test_epoch_zero_is_the_initialisation(finished):
    initial = finished.model().state_dict()
    saved = finished.store.load(0)
    assert all(torch.equal(saved[key], initial[key]) for key in initial)


def test_the_model_given_holds_the_last_weights(finished):
    saved = finished.store.load(3)
    assert all(torch.equal(saved[key], value) for key, value in finished.trained.state_dict().items())


def test_the_log_tells_rates_losses_and_accuracies(workbench):
    bench = workbench(Optimizer={"epochs": 12, "lr": 0.05, "lr-decay-steps": [8]}, Data={"subset": None})
    bench.train()
    first, *rows = bench.log.rows()
    assert first.train_loss != first.train_loss
    assert first.seconds == 0
    assert first.test_accuracy < 0.4
    assert [row.lr for row in rows] == pytest.approx([0.05] * 8 + [0.005] * 4)
    assert rows[-1].train_loss < rows[0].train_loss / 3
    assert rows[-1].train_accuracy > 0.99
    assert rows[-1].test_accuracy > 0.95
    assert all(row.seconds > 0 and row.images_per_second > 0 for row in rows)


def test_the_logged_test_numbers_are_those_of_the_saved_weights(finished):
    model = finished.model()
    finished.store.load_into(model, 2)
    model.eval()
    images, labels = next(finished.data.test.batches(len(finished.data.test)))
    with torch.no_grad():
        logits = model(images)
    row = finished.log.rows()[2]
    assert row.test_accuracy == (logits.argmax(1) == labels).double().mean().item()
    one_hot = nn.functional.one_hot(labels, 10).float()
    assert row.test_loss == pytest.approx(nn.functional.mse_loss(logits, one_hot).item(), rel=1e-5)


def test_the_loop_does_what_a_hand_written_one_does(workbench):
    """Same order, same batches: a loop in ten lines of plain torch ends with the same weights to rounding."""
    bench = workbench(Optimizer={"weight-decay": 1e-3, "warmup-epochs": 1.0, "clip-grad-norm": 0.5})
    bench.train()
    model = bench.model()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.9, weight_decay=1e-3)
    images, labels = next(bench.data.train.batches(200))
    steps = 0
    for epoch in (1, 2, 3):
        seed = bench.config.run.seed_for(f"order/{epoch}")
        order = torch.randperm(200, generator=torch.Generator().manual_seed(seed))
        for chosen in order.split(64):
            steps += 1
            factor = min(1, steps / 4) * 0.1 ** (epoch - 1)  # lr-decay-steps: 3 parts of 3 epochs
            optimizer.param_groups[0]["lr"] = 0.05 * factor
            optimizer.zero_grad()
            one_hot = nn.functional.one_hot(labels[chosen], 10).float()
            nn.functional.mse_loss(model(images[chosen]), one_hot).backward()
            nn.utils.clip_grad_norm_(model.parameters(), 0.5)
            optimizer.step()
    saved = bench.store.load(3)
    for key, value in model.state_dict().items():
        torch.testing.assert_close(saved[key], value, rtol=1e-3, atol=1e-5)


def test_two_runs_of_one_config_are_equal_and_another_repetition_is_not(workbench):
    benches = [workbench("a"), workbench("b"), workbench("c", Run={"run": 1})]
    for bench in benches:
        bench.train()
    first, second, other = (bench.result() for bench in benches)
    assert first == second
    assert other["epoch_0003.safetensors"] != first["epoch_0003.safetensors"]


def test_training_leaves_the_global_random_stream_alone(workbench):
    torch.manual_seed(5)
    expected = torch.rand(1)
    torch.manual_seed(5)
    workbench().train()
    assert torch.rand(1) == expected


@pytest.mark.parametrize(
    "keys",
    [
        {"optimizer": "adam", "lr": 1e-3},
        {"optimizer": "adamw", "lr": 1e-3, "schedule": "cosine"},
        {"optimizer": "rmsprop", "lr": 1e-4},
        {"nesterov": True, "schedule": "constant", "loss": "celoss"},
        {"autocast": "bf16"},
    ],
)
def test_every_way_of_training_learns_and_resumes_bit_for_bit(workbench, keys):
    whole, parted = workbench("whole", Optimizer=keys), workbench("parted", Optimizer=keys)
    whole.train()
    assert whole.log.rows()[-1].train_loss < whole.log.rows()[1].train_loss
    assert stop_and_go(parted, stops=[2, EVALUATION + 3, 1, 2 * EVALUATION + 4]) == whole.result()


def test_an_augmented_convnet_in_channels_last_resumes_bit_for_bit(workbench, config_of):
    sections = {
        "Model": {"model-name": "convnet_small"},
        "Data": {"subset": 100},
        "Optimizer": {"channels-last": True, "epochs": 2},
        "Logging": {"log-epochs": [0, 2]},
    }
    whole, parted = workbench("whole", **sections), workbench("parted", **sections)
    sections["Data"] = {"subset": 100, "do-augmentation": True}
    for bench in (whole, parted):  # the digits have no augmentation of their own
        bench.config = config_of(**sections)
        bench.data = replace(bench.data, train=replace(bench.data.train, augmentation="crop"))
    whole.train()
    assert stop_and_go(parted, stops=[EVALUATION + 1, 2]) == whole.result()


EVALUATION = 6  # batches of test samples; each of them is asked about, as the 4 steps of an epoch are


def stop_and_go(bench, stops):
    """Interrupt training before the given batches of each attempt, then let it finish."""
    for stop in stops:
        assert bench.train(should_stop=after(stop)) == "stopped"
    assert bench.train() == "finished"
    return bench.result()


def after(batches):
    """A wish to stop before the given batch, counted from 0, of an attempt."""
    asked = itertools.count()
    return lambda: next(asked) >= batches


def test_dropout_resumes_bit_for_bit(workbench):
    def seeded(bench):
        width = math.prod(bench.data.train.shape)
        with torch.random.fork_rng():
            torch.manual_seed(0)
            layers = (nn.Linear(width, 32), nn.ReLU(), nn.Dropout(0.5), nn.Linear(32, 10))
            return nn.Sequential(nn.Flatten(), *layers)

    whole, parted = workbench("whole"), workbench("parted")
    whole.train(seeded(whole))
    for stop in (EVALUATION + 3, EVALUATION + 1, 2):
        assert parted.train(seeded(parted), should_stop=after(stop)) == "stopped"
        torch.rand(7)  # another process' global stream is elsewhere
    parted.train(seeded(parted))
    assert parted.result() == whole.result()


def test_a_stop_in_mid_epoch_keeps_the_steps_that_are_done(workbench):
    bench, listener = workbench(), Listener()
    assert bench.train(should_stop=after(2 * EVALUATION + 4 + 3)) == "stopped"
    assert [row.epoch for row in bench.log.rows()] == [0, 1]
    assert bench.store.manifest.epochs() == (0, 1)
    point = ResumePoint.read(bench.store.resume_path)
    assert (point.epoch, point.part.step, point.part.counts.samples) == (1, 3, 192)
    assert read_position(bench.store.folder) == Position(1, 3)
    bench.train(reporter=listener)
    assert listener.messages == ["resuming after epoch 1, step 3 of the next"]


def test_a_stop_during_the_evaluation_costs_no_training(workbench):
    whole, parted = workbench("whole"), workbench("parted")
    whole.train()
    assert parted.train(should_stop=after(EVALUATION + 4 + 2)) == "stopped"
    assert read_position(parted.store.folder) == Position(0, 4)
    assert parted.train(should_stop=after(2)) == "stopped"
    seconds = ResumePoint.read(parted.store.resume_path).part.seconds
    assert parted.train(should_stop=after(EVALUATION)) == "stopped"
    assert parted.log.rows()[1].seconds == seconds
    assert parted.train() == "finished"
    assert parted.result() == whole.result()


def test_the_seconds_of_an_epoch_add_up_over_its_attempts(workbench, monkeypatch):
    ticks = itertools.count()
    monkeypatch.setattr("time.perf_counter", lambda: next(ticks))
    bench = workbench(Optimizer={"epochs": 1})
    assert bench.train(should_stop=after(EVALUATION + 2)) == "stopped"
    first = ResumePoint.read(bench.store.resume_path).part.seconds
    bench.train()
    assert bench.log.rows()[1].seconds == first + 1 > 1
    assert bench.log.rows()[1].images_per_second == 200 / (first + 1)


def test_a_stop_before_the_first_step_of_an_epoch_saves_nothing_new(workbench):
    bench = workbench()
    assert bench.train(should_stop=after(EVALUATION)) == "stopped"
    before = bench.store.resume_path.stat().st_mtime_ns
    assert bench.train(should_stop=after(0)) == "stopped"
    assert bench.store.resume_path.stat().st_mtime_ns == before
    assert read_position(bench.store.folder) == Position(0)


def test_nobody_asks_after_the_last_evaluation_has_begun_its_last_batch(workbench):
    bench = workbench()
    asked = itertools.count()
    batches = 4 * EVALUATION + 3 * 4
    assert bench.train(should_stop=lambda: next(asked) >= batches) == "finished"
    assert next(asked) == batches


@pytest.mark.parametrize("minutes", [1e-9, 0])
def test_the_clock_saves_points_in_mid_epoch_and_changes_no_result(workbench, minutes):
    whole, parted = workbench("whole"), workbench("parted", Logging={"resume-minutes": minutes})
    whole.train()
    points = []

    def look():
        points.append(read_position(parted.store.folder))
        return False

    parted.train(should_stop=look)
    assert parted.result() == whole.result()
    seen = {point.step for point in points}
    assert seen == ({0} if minutes == 0 else {0, 1, 2, 3, 4})


def test_a_point_saved_by_the_clock_is_gone_on_from(workbench):
    """A process that dies in mid-epoch loses no more than what came after the newest point."""
    whole, parted = workbench("whole"), workbench("parted", Logging={"resume-minutes": 1e-9})
    whole.train()
    for batches in (EVALUATION + 2, 3, EVALUATION + 4):
        with pytest.raises(ZeroDivisionError):
            parted.train(should_stop=after_which_it_dies(batches))
    assert read_position(parted.store.folder) == Position(1, 2)
    assert parted.train() == "finished"
    assert parted.result() == whole.result()


def after_which_it_dies(batches):
    asked = itertools.count()
    return lambda: bool(next(asked) >= batches and 1 / 0)


def test_a_diverged_epoch_is_not_saved_in_mid_course(workbench):
    bench = workbench(
        Model={"model-name": "mlp_small_nobn"},
        Optimizer={"lr": 1e18, "epochs": 2},
        Logging={"resume-minutes": 1e-9},
    )
    with pytest.raises(TrainingDiverged, match=r"epoch 1, step \d of 4 \(batch of 64\)"):
        bench.train()
    point = ResumePoint.read(bench.store.resume_path)
    assert point.part is None or point.part.counts.losses.isfinite().all()


def test_training_a_finished_run_again_does_nothing(finished):
    before, listener = finished.result(), Listener()
    assert finished.train(reporter=listener) == "finished"
    assert listener.epochs == []
    assert listener.messages == ["resuming after epoch 3"]
    assert finished.result() == before


def test_a_lone_last_sample_does_not_break_batchnorm(workbench):
    bench = workbench(Data={"batch-size": 199}, Optimizer={"epochs": 1})
    assert bench.train() == "finished"


def test_batches_of_one_sample_are_refused_with_batchnorm(workbench):
    bench = workbench(Data={"batch-size": 1})
    with pytest.raises(
        ModelError, match=r"cannot train on a batch of one sample\. Set Data\.batch-size to 2"
    ):
        bench.train()


def test_no_step_waits_for_a_value(workbench, monkeypatch):
    """On a GPU each ``.item()`` would stall the step."""
    bench = workbench()
    forward = build_forward(bench.config.optimizer, bench.model(), 10, CPU)
    optimizer = build_optimizer(bench.config.optimizer, forward.model)

    def refuse(*_):
        raise AssertionError("a step waited for a value")

    for method in ("item", "tolist", "__bool__", "__float__", "__int__", "cpu", "numpy"):
        monkeypatch.setattr(torch.Tensor, method, refuse)
    course = Course()
    assert train_epoch(bench.config, 1, bench.data.train, forward, optimizer, course)
    monkeypatch.undo()
    assert course.reach(4).counts.samples == 200


def test_trackers_see_every_epoch(workbench):
    bench = workbench()
    trackers = Trackers(["tensorboard"], bench.folder, "run", bench.config)
    bench.train(trackers=trackers)
    trackers.close()
    assert len(list((bench.folder / "tensorboard").iterdir())) == 1


def test_the_log_is_plain_csv(finished):
    with finished.log.path.open() as stream:
        rows = list(csv.DictReader(stream))
    assert [row["epoch"] for row in rows] == ["0", "1", "2", "3"]
