"""What would fail in the queue is found before it, all at once, each with the runs that it is about."""

from __future__ import annotations

import subprocess

import numpy as np
import pytest

from layerscope.errors import ModelError
from layerscope.preview.preview import preview
from layerscope.status import StageStatus


def messages(seen):
    return [finding.message for finding in seen.problems]


def test_runs_that_are_in_order_have_no_problems(look):
    seen = look()
    assert (seen.problems, seen.warnings) == ((), ())


def test_a_tap_that_matches_nothing_is_told_with_the_nearest_names(look):
    seen = look(Matrix={"Model": {"embedding-layers": [["fc"], ["blok0.fc"]]}})
    (problem,) = seen.problems
    assert "'blok0.fc' matches no module" in problem.message
    assert "block0.fc" in problem.message
    assert problem.runs == ("embedding-layers_blok0.fc",)


def test_a_model_that_cannot_take_the_images_is_told(look):
    seen = look(Model={"model-name": "vgg11", "embedding-layers": True})
    (problem,) = seen.problems
    assert "vgg11 cannot take 1x8x8 images" in problem.message
    assert "It takes 32x32" in problem.message


def test_a_batch_larger_than_the_data_is_told(look):
    seen = look(Matrix={"Data": {"batch-size": [64, 2048, 4096]}})
    assert messages(seen) == [
        f"Data.batch-size is {size}, but digits has only 1,437 training images; lower it"
        for size in ("2,048", "4,096")
    ]
    assert [problem.runs for problem in seen.problems] == [("batch-size_2048",), ("batch-size_4096",)]


def test_a_batch_larger_than_the_subset_is_told(look):
    (message,) = messages(look(Data={"subset": 100, "batch-size": 128}))
    assert "Data.subset leaves only 100" in message


def test_measuring_that_exceeds_the_memory_of_its_jobs_is_told_once(look):
    jobs = {"gpus-per-run": 0, "mem": "1MB"}
    (warning,) = look({"slurm": True}, Matrix={"Run": {"run": [0, 1]}}, Slurm=jobs).warnings
    assert warning.message.startswith("measuring mlp_single on digits takes about ")
    assert "but Slurm.mem is 1MB: raise it" in warning.message
    assert warning.runs == ("run_0", "run_1")
    assert not look(Slurm=jobs).warnings  # nothing is submitted
    assert not look({"slurm": True}, Slurm={**jobs, "gpus-per-run": 1}).warnings
    assert not look({"slurm": True}, Slurm={**jobs, "measure": {"mem": "16GB"}}).warnings


def test_a_run_that_is_there_under_another_spelling_is_told(experiment):
    for run in experiment(Matrix={"Optimizer": {"momentum": [0, 0.5]}}).runs:
        run.claim_config()
    made = experiment(Matrix={"Optimizer": {"momentum": [0.0, 0.5]}})
    (warning,) = preview(made.runs, made.base).warnings
    assert "momentum_0.0 is there as logs/momentum_0." in warning.message
    assert warning.runs == ("momentum_0.0",)
    other = experiment(Matrix={"Optimizer": {"momentum": [0.0]}, "Run": {"run": [1, 2]}})
    assert not preview(other.runs, other.base).warnings


def test_batches_of_one_are_told_where_the_model_cannot_train_on_them(look):
    (message,) = messages(look(Data={"batch-size": 1}))
    assert message == "Data.batch-size is 1, but mlp_single has BatchNorm layers, which need 2 or more images"
    assert not look(Model={"model-name": "mlp_single_nobn"}, Data={"batch-size": 1}).problems
    assert not look(Model={"model-name": "convnet_small"}, Data={"batch-size": 1}).problems


def test_rates_of_modules_that_are_not_there_are_told(look):
    (message,) = messages(look(Optimizer={"lr-groups": {"^fd": 0.1}}))
    assert "Optimizer.lr-groups: '^fd' means no module" in message
    assert not look(Optimizer={"lr-groups": {"^fc": 0.1}}).problems


def test_class_weights_for_another_number_of_classes_are_told(look):
    (message,) = messages(look(Optimizer={"class-weights": [1, 2, 3]}))
    assert "Optimizer.class-weights has 3 numbers, but the data has 10 classes" in message
    assert not look(Optimizer={"class-weights": [1] * 10}).problems


def test_batches_of_one_are_indeed_refused_by_training(experiment):
    (run,) = experiment(Data={"batch-size": 1}).runs
    with pytest.raises(ModelError, match="BatchNorm"):
        run.train()


def test_measuring_that_does_not_fit_its_memory_is_told(look):
    seen = look(Matrix={"Measurements": {"memory": ["4GB", 1000]}})
    (problem,) = seen.problems
    assert "more than Measurements.memory" in problem.message
    assert problem.runs == ("memory_1000",)


def test_a_setting_that_the_data_cannot_honour_is_told(look):
    (message,) = messages(look(Data={"do-augmentation": True}))
    assert "no augmentation is defined for digits" in message


def test_the_same_problem_of_many_runs_is_told_once(look):
    seen = look(Data={"batch-size": 5000}, Matrix={"Optimizer": {"lr": [0.1, 0.2]}, "Run": {"run": [0, 1]}})
    (problem,) = seen.problems
    assert len(problem.runs) == 4


def test_all_problems_come_at_once(look):
    seen = look(
        Model={"embedding-layers": ["nothing"]},
        Data={"batch-size": 5000},
        Matrix={"Measurements": {"memory": ["4GB", 10]}},
    )
    assert len(seen.problems) == 2
    assert [problem.runs for problem in seen.problems] == [("memory_4GB", "memory_10")] * 2


def test_data_that_is_missing_here_is_a_warning(look):
    seen = look(Data={"dataset-id": "cifar10", "root": "/no/such/place"})
    assert not seen.problems
    (warning,) = seen.warnings
    assert "there is no /no/such/place on this machine" in warning.message
    assert seen.models[0].layers


def test_published_data_that_is_in_no_known_place_is_a_warning_unless_it_is_fetched(look, monkeypatch):
    monkeypatch.delenv("LAYERSCOPE_DATA", raising=False)
    seen = look(Matrix={"Data": {"dataset-id": ["svhn", "digits", "mnist"]}})
    assert not seen.problems
    assert [(warning.message.split(" in ")[0], warning.runs) for warning in seen.warnings] == [
        ("there is no svhn", ("svhn",)),
        ("there is no mnist", ("mnist",)),
    ]
    assert not look(Data={"dataset-id": "svhn", "download": True}).warnings


def test_the_users_own_data_that_is_missing_hides_the_layers_only(look):
    seen = look(Matrix={"Data": {"dataset-id": ["imagefolder"], "root": ["/no/such/place"]}})
    assert not seen.problems
    assert "the layers of the model are not shown" in seen.warnings[0].message
    assert (seen.models, seen.runs[0].model) == ((), -1)


def test_the_users_own_data_that_is_there_is_described(look, here):
    images, labels = np.zeros((30, 12, 10, 3), np.uint8), np.arange(30) % 3
    arrays = {"train_images": images, "test_images": images, "train_labels": labels, "test_labels": labels}
    np.savez(here / "mine.npz", **arrays)
    seen = look(Data={"dataset-id": "arrays", "root": "mine.npz", "batch-size": 10})
    assert not seen.problems
    assert (seen.models[0].shape, seen.models[0].classes) == ((3, 12, 10), 3)


def test_a_folder_that_holds_another_config_is_told_with_the_difference(experiment):
    first = experiment(Matrix={"Run": {"run": [0, 1]}})
    first.runs[1].train()
    made = experiment(Matrix={"Run": {"run": [0, 1]}}, Optimizer={"momentum": 0.5})
    (problem,) = preview(made.runs, made.base).problems
    assert problem.runs == ("run_1",)
    assert "Optimizer.momentum: 0.9 → 0.5" in problem.message


def test_an_edited_config_is_told_while_the_runs_of_the_old_one_are_queued(experiment):
    (run,) = experiment().runs
    run.claim_config()
    run.status("train").write(StageStatus("queued", job="7_0"))
    made = experiment(Optimizer={"momentum": 0.5})
    (message,) = messages(preview(made.runs, made.base))
    assert "Optimizer.momentum: 0.9 → 0.5" in message


def test_a_folder_that_holds_nothing_but_another_config_may_be_taken(experiment):
    experiment().runs[0].claim_config()
    made = experiment(Optimizer={"momentum": 0.5})
    assert not preview(made.runs, made.base).problems


def test_a_folder_of_the_same_config_with_other_measures_is_no_clash(experiment):
    experiment().runs[0].train()
    made = experiment(Measurements={"measures": ["ETF"]})
    assert not preview(made.runs, made.base).problems


def test_results_in_a_place_that_is_a_file_are_told(look, here):
    (here / "taken").write_text("")
    (message,) = messages(look(Logging={"save-dir": "taken/logs"}))
    assert message == f"Logging.save-dir taken/logs: {here / 'taken'} is not a folder"


def test_more_results_than_there_is_disk_are_told(small_disk, look):
    save_dir = str(small_disk / "logs")
    seen = look(Logging={"save-dir": save_dir}, Model={"model-name": "mlp_large"})
    (message,) = messages(seen)
    assert f"are free on {small_disk}" in message
    assert not look(Logging={"save-dir": save_dir}, Model={"model-name": "mlp_single"}).problems


def test_a_place_that_cannot_be_written_to_is_told(small_disk, look):
    subprocess.run(["/bin/mount", "-o", "remount,ro", str(small_disk)], check=True)
    (message,) = messages(look(Logging={"save-dir": str(small_disk / "logs")}))
    assert "cannot be written to" in message
