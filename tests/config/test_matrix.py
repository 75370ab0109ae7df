"""From a matrix to its cells: one tiny matrix per case of the grammar."""

from __future__ import annotations

import logging
import pickle
import subprocess
import sys

import pytest

from layerscope.config import expand_matrix, load_config, load_matrix, parse_config
from layerscope.config.yaml_reader import document_from_text
from layerscope.errors import UsageError

BASE = """
Model: {model-name: mlp, embedding-layers: [fc]}
Data: {dataset-id: digits}
Optimizer: {lr: 0.1, epochs: 20}
Logging: {save-dir: logs/x}
"""

INC = """---
Model:
  model-name: None            # Name of model
  embedding-layers: None # Intermediate layers
Data:
  dataset-id: None
  batch-size: 128
  do-augmentation: False
Optimizer:
  loss: mseloss
  weight-decay: None
  lr: None
  lr-decay: 0.1
  lr-decay-steps: 2
  momentum: 0.9
  epochs: 350
  warmup_epochs: 1
Logging:
  save-dir: logs/matrix/inc
  log-epochs: [0, 1, 350]  # Overrides log-interval
Measurements:
  measures: None
Matrix:
  _Exclusive:
    SVHN:
      _Exclusive:
        resnet34:
          Model:
            model-name: [resnet34]
            embedding-layers: [[
              .conv1, .conv2,
              ^avgpool, ^fc
            ]]
          Measurements:
            measures: [Fast_StableRank]
          Optimizer:
            lr: [0.009596916]
        vgg13_bn:
          Model:
            model-name: [vgg13_bn]
            embedding_layers: [[
              features.0, features.3,
              avgpool,
              avgpool,
            ]]
          Measurements:
            measures: [True]
          Optimizer:
            lr: [0.0001, 0.2]
      Data:
        dataset-id: [SVHN]
    STL-10:
      Model:
        model-name: [mlp_large]
        embedding-layers: [[fc]]
      Data:
        dataset-id: [STL10, FashionMNIST]
      Optimizer:
        lr: [0.01]
  Optimizer:
    weight-decay: [5.e-4, 1.e-8]
...
"""


def expanded(matrix, base=BASE):
    """The cells of ``base`` under a matrix, given as YAML in one line."""
    return expand_matrix(document_from_text(f"{base}Matrix: {matrix}\n", "m.yaml"))


def names(matrix, base=BASE):
    return [cell.name for cell in expanded(matrix, base)]


def test_keys_multiply_and_the_last_varies_fastest():
    cells = expanded("{Optimizer: {lr: [0.1, 0.2], momentum: [0, 0.5]}, Run: {run: [0, 1]}}")
    found = [
        (cell.config.optimizer.lr, cell.config.optimizer.momentum, cell.config.run.run) for cell in cells
    ]
    assert found == [(lr, momentum, run) for lr in (0.1, 0.2) for momentum in (0, 0.5) for run in (0, 1)]
    assert cells[1].name == "lr_0.1/momentum_0/run_1"
    assert cells[1].axes == {"Optimizer.lr": 0.1, "Optimizer.momentum": 0.0, "Run.run": 1}


def test_a_single_alternative_sets_a_value_and_names_nothing():
    cells = expanded("{Optimizer: {lr: [0.3], epochs: [5, 6]}}")
    assert [cell.name for cell in cells] == ["epochs_5", "epochs_6"]
    assert {cell.config.optimizer.lr for cell in cells} == {0.3}
    assert all("Optimizer.lr" not in cell.axes for cell in cells)


def test_a_value_that_is_a_list_is_a_list_in_the_list():
    cells = expanded("{Model: {embedding-layers: [[conv, fc]]}, Logging: {log_epochs: [[0, 20]]}}")
    assert [cell.name for cell in cells] == [""]
    assert cells[0].config.model.embedding_layers == ("conv", "fc")
    assert cells[0].config.checkpoint_epochs == (0, 20)


def test_exclusive_submatrices_are_united():
    cells = expanded("{_Exclusive: {a: {Optimizer: {lr: [0.2, 0.3]}}, b: {Model: {model-name: [mlp_wide]}}}}")
    assert [cell.name for cell in cells] == ["a/lr_0.2", "a/lr_0.3", "b"]
    assert [cell.config.model.model_name for cell in cells] == ["mlp", "mlp", "mlp_wide"]
    assert cells[2].axes == {"exclusive": "b", "Optimizer.lr": 0.1, "Model.model-name": "mlp_wide"}


def test_exclusive_submatrices_multiply_with_the_keys_beside_them():
    assert names("{Run: {run: [0, 1]}, _Exclusive: {a: {}, b: {Optimizer: {lr: [0.2]}}}}") == [
        *("a/run_0", "a/run_1", "b/run_0", "b/run_1")
    ]


def test_exclusive_submatrices_nest_and_their_names_come_first():
    matrix = """{Optimizer: {lr: [1, 2]},
      _Exclusive: {A: {Run: {run: [0, 1]}, _Exclusive: {x: {Data: {pad: [0]}}, y: {Data: {pad: [1]}}}},
                   B: {Data: {pad: [2]}}}}"""
    assert names(matrix) == [
        *("A/x/run_0/lr_1", "A/x/run_0/lr_2", "A/x/run_1/lr_1", "A/x/run_1/lr_2"),
        *("A/y/run_0/lr_1", "A/y/run_0/lr_2", "A/y/run_1/lr_1", "A/y/run_1/lr_2"),
        *("B/lr_1", "B/lr_2"),
    ]


def test_exclusive_submatrices_may_stand_within_a_section():
    submatrices = "{slow: {lr: [0.01]}, fast: {lr: [1], nesterov: [True]}}"
    cells = expanded(f"{{Run: {{run: [0, 1]}}, Optimizer: {{_Exclusive: {submatrices}}}}}")
    assert [cell.name for cell in cells] == ["slow/run_0", "slow/run_1", "fast/run_0", "fast/run_1"]
    assert [cell.config.optimizer.nesterov for cell in cells] == [False, False, True, True]


def test_a_submatrix_has_its_own_say_on_a_key_of_the_whole_matrix():
    design = """{_Exclusive: {wide:  {Model: {model-name: [mlp_wide]}},
                             large: {Model: {model-name: [mlp_large]}, Optimizer: {lr: [0.01]}}},
                Optimizer: {lr: [0.05, 0.1], weight-decay: [5.e-4, 1e-3]}}"""
    cells = expanded(design)
    assert [cell.name for cell in cells] == [
        *("wide/lr_0.05/wd_0.0005", "wide/lr_0.05/wd_0.001", "wide/lr_0.1/wd_0.0005", "wide/lr_0.1/wd_0.001"),
        *("large/wd_0.0005", "large/wd_0.001"),
    ]
    assert [cell.config.optimizer.lr for cell in cells] == [0.05, 0.05, 0.1, 0.1, 0.01, 0.01]


def test_zip_pairs_its_leaves():
    cells = expanded("{_Zip: {Optimizer: {lr: [1, 2]}, Data: {batch_size: [10, 20]}}, Run: {run: [0, 1]}}")
    assert [cell.name for cell in cells] == [
        *("lr_1/batch-size_10/run_0", "lr_1/batch-size_10/run_1"),
        *("lr_2/batch-size_20/run_0", "lr_2/batch-size_20/run_1"),
    ]
    assert [cell.config.data.batch_size for cell in cells] == [10, 10, 20, 20]


def test_zip_may_stand_within_a_section_and_a_submatrix_may_replace_one_of_its_keys():
    matrix = (
        "{Optimizer: {_Zip: {lr: [1, 2], epochs: [3, 4]}}, _Exclusive: {a: {}, b: {Optimizer: {lr: [9]}}}}"
    )
    cells = expanded(matrix)
    assert [cell.name for cell in cells] == ["a/lr_1/epochs_3", "a/lr_2/epochs_4", "b/epochs_3", "b/epochs_4"]


def test_a_matrix_of_the_older_experiments_loads_unchanged(caplog):
    cells = expand_matrix(document_from_text(INC, "inc.yaml"))
    assert [cell.name for cell in cells] == [
        *("SVHN/resnet34/wd_0.0005", "SVHN/resnet34/wd_1e-08"),
        *("SVHN/vgg13_bn/lr_0.0001/wd_0.0005", "SVHN/vgg13_bn/lr_0.0001/wd_1e-08"),
        *("SVHN/vgg13_bn/lr_0.2/wd_0.0005", "SVHN/vgg13_bn/lr_0.2/wd_1e-08"),
        *("STL-10/STL10/wd_0.0005", "STL-10/STL10/wd_1e-08"),
        *("STL-10/FashionMNIST/wd_0.0005", "STL-10/FashionMNIST/wd_1e-08"),
    ]
    first, last = cells[0].config, cells[-1].config
    assert first.model.embedding_layers == (".conv1", ".conv2", "^avgpool", "^fc")
    assert first.measurements.measures == ("Fast", "StableRank")
    assert (last.data.dataset_id, last.measurements.measures) == ("fashionmnist", ("Fast",))
    assert cells[2].config.model.embedding_layers == ("features.0", "features.3", "avgpool")
    assert not caplog.records


def test_every_cell_is_the_config_one_would_have_written_by_hand():
    cells = expand_matrix(document_from_text(INC, "inc.yaml"))
    for cell in cells:
        assert parse_config(cell.config.resolved()) == cell.config
        assert str(cell.config.logging.save_dir) == "logs/matrix/inc"
        assert pickle.loads(pickle.dumps(cell)) == cell
    assert len({cell.config.hash for cell in cells}) == len(cells)


def test_axes_are_the_resolved_values_that_differ_with_the_same_keys_in_every_cell():
    cells = expand_matrix(document_from_text(INC, "inc.yaml"))
    assert cells[-1].axes == {
        "exclusive": "STL-10",
        "Model.model-name": "mlp_large",
        "Model.embedding-layers": ["fc"],
        "Measurements.measures": ["Fast"],
        "Optimizer.lr": 0.01,
        "Data.dataset-id": "fashionmnist",
        "Optimizer.weight-decay": 1e-08,
    }
    assert len({tuple(cell.axes) for cell in cells}) == 1


def test_none_in_a_matrix_means_not_set():
    cells = expanded("{Data: {pad: [None, 2]}}")
    assert [(cell.name, cell.config.data.pad) for cell in cells] == [("pad_None", None), ("pad_2", 2)]


def test_cells_of_the_same_content_are_merged_with_one_warning(caplog):
    with caplog.at_level(logging.WARNING):
        found = names("{Optimizer: {lr: [0.1, 1e-1, 0.10, 0.2]}, Data: {dataset-id: [MNIST, mnist]}}")
    assert found == ["lr_0.1/MNIST", "lr_0.2/MNIST"]
    assert [record.message for record in caplog.records] == [
        "m.yaml: 6 of 8 runs are the same as another and left out: lr_0.1/mnist (as lr_0.1/MNIST); "
        "lr_0.1/MNIST (given twice); lr_0.1/mnist (as lr_0.1/MNIST); lr_0.1/MNIST (given twice); "
        "lr_0.1/mnist (as lr_0.1/MNIST); and 1 more"
    ]


@pytest.mark.parametrize(
    ("matrix", "count"),
    [
        ("{Data: {num-workers: [0, 4], download: [True, False]}}", 1),  # changes how, not what
        ("{Logging: {log-epochs: [[0, 20], [0, 20, 30]], trackers: [tensorboard, wandb]}}", 1),
        ("{Model: {tap: [input, output]}}", 2),  # same weights, other measurements
        ("{Measurements: {precision: [float32, float64]}}", 2),
        ("{Measurements: {measures: [Fast, fast, [Fast]]}}", 1),
        ("{Data: {dataset-id: [arrays], root: [a.npz, b.npz]}}", 2),
        ("{Data: {root: [a, b]}}", 1),
    ],
)
def test_content_is_what_is_trained_and_what_is_measured(matrix, count):
    assert len(expanded(matrix)) == count


def test_what_the_matrix_sets_in_every_cell_may_be_left_empty_in_the_base():
    base = BASE.replace("embedding-layers: [fc]", "embedding-layers: []")
    cells = expanded("{Model: {embedding-layers: [[fc], True]}}", base)
    layers = [cell.config.model.embedding_layers for cell in cells]
    assert layers == [("fc",), True]


def test_an_override_stands_in_place_of_the_matrix_too(tmp_path):
    path = tmp_path / "m.yaml"
    path.write_text(f"{BASE}Matrix: {{Optimizer: {{lr: [1, 2], epochs: [3, 4]}}}}\n", encoding="utf-8")
    cells = load_matrix(path, ["Optimizer.epochs=7", "Data.batch_size=5"])
    assert [cell.name for cell in cells] == ["lr_1", "lr_2"]
    assert {(cell.config.optimizer.epochs, cell.config.data.batch_size) for cell in cells} == {(7, 5)}


@pytest.mark.parametrize("matrix", ["", "Matrix: {}", "Matrix:", "Matrix: {Optimizer: }"])
def test_a_file_without_a_matrix_is_its_single_cell(tmp_path, matrix):
    path = tmp_path / "single.yaml"
    path.write_text(f"{BASE}{matrix}\n", encoding="utf-8")
    (cell,) = load_matrix(path)
    assert (cell.name, cell.axes, cell.config.optimizer.lr) == ("", {}, 0.1)


def test_a_file_with_a_matrix_needs_the_flag(tmp_path):
    path = tmp_path / "m.yaml"
    path.write_text(f"{BASE}Matrix: {{Optimizer: {{lr: [1]}}}}\n", encoding="utf-8")
    with pytest.raises(UsageError, match="add -m"):
        load_config(path)


def test_epochs_beyond_training_are_told_once_for_all_cells(caplog):
    expanded("{Logging: {log-epochs: [[0, 21]]}, Run: {run: [0, 1, 2]}}")
    assert sum("21 lie beyond the end" in record.message for record in caplog.records) == 1


def test_ten_thousand_cells_all_come_out():
    matrix = f"{{Optimizer: {{lr: {[n / 1000 for n in range(1, 101)]}}}, Run: {{run: {list(range(100))}}}}}"
    cells = expanded(matrix)
    assert len({cell.name for cell in cells}) == 10_000


def test_expanding_imports_no_torch(tmp_path):
    path = tmp_path / "m.yaml"
    path.write_text(INC, encoding="utf-8")
    code = (
        "import sys; from layerscope.config import load_matrix; load_matrix(sys.argv[1]); "
        "sys.exit('torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code, str(path)], timeout=60, check=False).returncode == 0
