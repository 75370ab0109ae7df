"""The examples run as they stand, and their numbers are what they say."""

import importlib.util
from pathlib import Path

import pytest

from layerscope.config import parse_config
from layerscope.run import Run

FOLDER = Path(__file__).parents[2] / "examples"


def example(name):
    spec = importlib.util.spec_from_file_location(f"examples_{name}", FOLDER / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_own_training_loop_collapses(capsys):
    module = example("own_training_loop")
    history = module.main(["--epochs", "6"])
    assert len(capsys.readouterr().out.splitlines()) == 7
    first, last = history[0], history[-1]
    assert last["accuracy"] > 0.9
    assert last["cdnv"] < first["cdnv"]
    assert last["nc1_pinv"] < first["nc1_pinv"]
    assert last["ncc_agreement"] > 0.9


@pytest.mark.parametrize(("model", "blocks"), [("test_vit", 6), ("test_resnet", 4)])
def test_a_timm_model_is_measured_block_by_block(model, blocks):
    pytest.importorskip("timm")
    found = example("timm_model").main(["--model", model, "--epochs", "1"])
    assert len(found) == blocks + 1
    values = list(found.values())
    assert all(0 <= one["ncc_accuracy"] <= 1 and one["nc1_pinv"] > 0 for one in values)
    assert values[-1]["ncc_accuracy"] > 0.5


def test_estimates_of_information_lie_near_the_truth(capsys):
    found = example("mutual_information").main(["--samples", "600", "--latent-epochs", "40"])
    assert len(capsys.readouterr().out.splitlines()) == len(found) + 1
    truth = found["truth"]
    assert found["KSG"] == pytest.approx(truth, abs=0.2)
    assert found["Gaussian"] == pytest.approx(truth, abs=0.1)
    assert found["latent, 40 + 40 dimensions"] == pytest.approx(truth, abs=0.3)
    assert found["decisions on pairs of images"] > 10 * found["the same, pairs broken up"]
    entropy = found["entropy of these decisions"]
    assert found["decisions on pairs of images"] <= entropy == pytest.approx(2.3, abs=0.05)


def test_a_stored_spectrum_serves_all_powers_and_no_other_points(tmp_path, capsys):
    main, file = example("diffusion_spectra").main, str(tmp_path / "digits.safetensors")
    found = main(["--samples", "200", "--file", file])
    assert list(found.values()) == sorted(found.values(), reverse=True)
    assert main(["--samples", "200", "--file", file]) == found
    assert len(capsys.readouterr().out.splitlines()) == 2 * len(found)
    with pytest.raises(
        ValueError, match="holds the spectrum of something else: shape 200 x 64, not 201 x 64; points"
    ):
        main(["--samples", "201", "--file", file])


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    config = {
        "Model": {"model-name": "mlp_single", "embedding-layers": ["fc"]},
        "Data": {"dataset-id": "digits", "batch-size": 128},
        "Optimizer": {"lr": 0.05, "epochs": 1},
        "Logging": {"save-dir": "unused", "log-epochs": [0, 1], "trackers": []},
        "Measurements": {"measures": ["CDNV", "NC1", "ETF", "NCC"]},
    }
    run = Run(parse_config(config, source="test"), tmp_path_factory.mktemp("example") / "run", "run")
    run.train()
    run.measure()
    return run


def test_a_notebook_draws_figures_from_frames_without_a_file(run, monkeypatch):
    monkeypatch.setenv("LAYERSCOPE_RUN", str(run.folder))
    module = example("figures")
    assert module.by_layer.axes[0].get_ylabel() == "variance / distance²"
    assert module.summary.get_size_inches()[0] == 3.5
    assert len(module.heat_map.axes) == 1
    assert len(module.plane.axes) == 2
    assert not (run.folder / "plots").exists()


def test_a_saved_run_is_opened_and_agrees_with_its_tables(run):
    found = example("inspect_run").main([str(run.folder)])
    table = run.tables.read("CDNV")
    mean = table[(table["split"] == "train") & (table["statistic"] == "mean")]
    expected = {(row.layer_name, row.epoch): row.value for row in mean.itertuples()}
    assert found == pytest.approx(expected, rel=1e-5)
