"""A screening of networks for digits: one row per network, split and measure, or why there is none."""

from __future__ import annotations

import math

import pytest
import torch
from safetensors.torch import save_file

from layerscope.errors import DamagedFile
from layerscope.functional import gaussian_affinity, spectral_entropy
from layerscope.functional.diffusion import diffusion_spectrum
from layerscope.models.build import build_model
from layerscope.screening.screen import screen
from layerscope.screening.table import COLUMNS, ScreenTable
from layerscope.statistics.feature_sample import even_choice

from .conftest import CONFIG


def table_of(screening):
    return ScreenTable(screening.folder).read()


def number(rows, measure, split):
    (row,) = [row for row in rows if (row["measure"], row["split"]) == (measure, split)]
    return float(row["value"])


@pytest.fixture
def of_a_folder(weights, screening_of):
    return screening_of(
        Screen={"models": ["convnet_small"], "checkpoints": str(weights)}, Model={"model-name": "mlp_single"}
    )


def test_a_file_that_fails_leaves_a_row_and_does_not_stop_the_others(of_a_folder, weights):
    outcomes = screen(of_a_folder, device="cpu")
    assert [outcome.error is None for outcome in outcomes] == [True, True, True, False, False]
    table = table_of(of_a_folder)
    assert list(table) == ["convnet_small", *(str(path) for path in sorted(weights.glob("*_*")))]
    (misfit,), (broken,) = list(table.values())[3:]
    assert (misfit["status"], broken["status"]) == ("failed", "failed")
    assert "c_other_kind.pt does not fit the model:" in misfit["message"]
    assert "d_broken.safetensors is no intact safetensors file" in broken["message"]
    assert not broken["key"]


def test_accuracy_is_of_the_own_classifier_only_where_it_learnt_these_classes(of_a_folder):
    screen(of_a_folder, device="cpu")
    told = {
        name.rpartition("/")[2]: (rows[0]["weights"], rows[0]["accuracy_kind"])
        for name, rows in table_of(of_a_folder).items()
    }
    assert told["convnet_small"] == ("untrained", "centers")
    assert told["a_fitted.pt"] == ("file", "head")
    assert told["b_seven_classes.pth"] == ("file", "centers")


def test_numbers_are_those_of_the_last_features_on_the_seeded_sample(of_a_folder, digits, fitted):
    screen(of_a_folder, device="cpu")
    rows = next(rows for name, rows in table_of(of_a_folder).items() if "fitted" in name)
    seed, fitted = of_a_folder.config.run.seed_for("sample"), fitted.eval()
    places = even_choice(digits.test.labels, 150, seed)
    images, labels = next(iter(digits.test.batches(10_000, order=places)))
    with torch.no_grad():
        decided = fitted(images).argmax(dim=1)
        seen = []
        hook = fitted.get_submodule(rows[0]["layer_name"]).register_forward_pre_hook(
            lambda module, arguments: seen.append(arguments[0])
        )
        fitted(images)
        hook.remove()
    assert float(rows[0]["test_accuracy"]) == pytest.approx((decided == labels).double().mean().item())
    assert float(rows[0]["test_accuracy"]) > 0.85
    expected = spectral_entropy(diffusion_spectrum(gaussian_affinity(seen[0].double(), "median")), 1)
    assert number(rows, "DSE", "test") == pytest.approx(expected, rel=1e-4)
    assert {row["samples"] for row in rows} == {"150"}
    references = {row["measure"]: row["reference"] for row in rows}
    assert references["DSE"] == ""
    assert float(references["DSMI"]) == pytest.approx(math.log(10))
    assert int(rows[0]["parameters"]) == sum(each.numel() for each in fitted.parameters())


def test_what_is_known_is_not_measured_again_and_what_failed_is_tried_again(
    of_a_folder, weights, digits, monkeypatch
):
    screen(of_a_folder, device="cpu")
    before = table_of(of_a_folder)
    again = screen(of_a_folder, device="cpu")
    assert [outcome.worked for outcome in again] == [False, False, False, True, True]
    assert table_of(of_a_folder) == before
    other = build_model(CONFIG.model, digits.train.shape, 10, seed=9).state_dict()
    save_file(other, weights / "d_broken.safetensors")  # mended
    torch.save(other, weights / "a_fitted.pt")  # overwritten
    third = screen(of_a_folder, device="cpu")
    assert [outcome.worked for outcome in third] == [False, True, False, True, True]
    after = table_of(of_a_folder)
    for name in before:
        same = "fitted" not in name and "broken" not in name
        assert (after[name] == before[name]) is same


def test_another_setting_measures_all_networks_anew(weights, screening_of):
    entry = {"model": "mlp_single", "files": f"{weights}/[ab]_*"}
    screen(screening_of(Screen={"checkpoints": [entry]}), device="cpu")
    probed = screening_of(Screen={"checkpoints": [entry], "accuracy": "probe"})
    assert all(outcome.worked for outcome in screen(probed, device="cpu"))
    rows = [row for rows in table_of(probed).values() for row in rows]
    assert {row["accuracy_kind"] for row in rows} == {"probe"}
    assert all(float(row["test_accuracy"]) > 0.7 for row in rows)


def test_taps_that_are_asked_for_are_measured_beside_the_last_features(weights, screening_of):
    settings = {"checkpoints": [{"model": "mlp_small", "files": f"{weights}/c_*"}], "models": "convnet_small"}
    only_last = screening_of(Screen=settings)
    screen(only_last, device="cpu")
    before = table_of(only_last)
    more = screening_of(Screen=settings, Model={"embedding-layers": ["block1.fc"], "reduce": "mean"})
    outcomes = screen(more, device="cpu")
    assert [outcome.error is None for outcome in outcomes] == [False, True]  # a ConvNet has no such layer
    (failed,), rows = table_of(more).values()
    assert "block1.fc" in failed["message"]
    assert {(row["layer"], row["layer_name"]) for row in rows} == {("tap", "block1.fc"), ("last", "fc")}
    last = [row for row in rows if row["layer"] == "last"]
    told = [[row["value"] for row in found] for found in (last, list(before.values())[1])]
    assert told[0] == told[1]


def test_an_error_nobody_foresaw_ends_one_network_and_leaves_its_traceback(of_a_folder, monkeypatch):
    from layerscope.screening import measured

    def broken(*_, **__):
        raise IndexError("out of the blue")

    monkeypatch.setattr(measured, "network_of", broken)
    outcomes = screen(of_a_folder, device="cpu")
    assert all("IndexError: out of the blue (traceback in" in str(outcome.error) for outcome in outcomes)
    texts = sorted((of_a_folder.folder / "errors").glob("*.txt"))
    assert len(texts) == len(outcomes)
    assert "IndexError: out of the blue" in texts[0].read_text()


def test_cells_stay_in_one_line_and_numbers_read_back(tmp_path):
    table = ScreenTable(tmp_path)
    cells = {"model": "x", "value": 0.1 + 0.2, "message": "two\n lines, and a comma"}
    table.write([dict.fromkeys(COLUMNS) | cells])
    (read,) = table.read()["x"]
    assert float(read["value"]) == 0.1 + 0.2
    assert read["message"] == "two lines, and a comma"


def test_a_table_that_is_none_is_named(tmp_path):
    (tmp_path / "screen.csv").write_text("model,value\nx,1\n")
    with pytest.raises(DamagedFile, match="its columns are not those of a screening"):
        ScreenTable(tmp_path).read()
