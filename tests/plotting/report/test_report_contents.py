"""What goes into a report: every number, in few bytes; what is damaged, by name; nothing of the network."""

from __future__ import annotations

import base64
import gzip
import json
import re

import numpy as np
import pytest

from layerscope import cli
from layerscope.errors import UsageError
from layerscope.plotting.report import blocks
from layerscope.plotting.report.codes import decode, encode, scale_of
from layerscope.plotting.report.compared import compared_series
from layerscope.plotting.report.contents import contents_of
from layerscope.plotting.report.measured import Measured, Series
from layerscope.plotting.report.report import write_report

from .conftest import EPOCHS, LAYERS, reported


def test_numbers_come_back_within_the_error_that_their_scale_promises():
    values = np.array([0.0, 1e-9, -2.5, 3.7, 1e4, 0.1, np.inf, -np.inf, np.nan])
    scale = scale_of(values)
    back = decode(encode(values, scale), scale)
    assert back[:6] == pytest.approx(values[:6], rel=scale.step / 2 * 1.001, abs=0)
    assert back[6:8] == pytest.approx([1e4, -1e4])
    assert 10.0**-scale.digits >= scale.step


@pytest.mark.parametrize("values", [[], [0.0, 0.0], [0.25, -0.25], [np.nan, np.inf]])
def test_a_scale_of_few_numbers_is_exact(values):
    numbers = np.array(values, dtype=np.float64)
    scale = scale_of(numbers)
    finite = np.isfinite(numbers)
    assert decode(encode(numbers, scale), scale)[finite].tolist() == numbers[finite].tolist()
    assert scale.digits == 6


def test_the_report_holds_the_runs_and_their_numbers(experiment, report):
    facts = packed(report, "facts")
    assert [run["name"] for run in facts["runs"]] == [run.name for run in experiment[1]]
    assert facts["axes"] == ["Optimizer.lr", "Run.run"]
    assert facts["runs"][1]["epochs"] == EPOCHS
    assert facts["runs"][1]["ncLayer"]["name"] in LAYERS
    assert facts["runs"][0]["links"] == {"tables": "lr_0.02/run_0/measurements"}
    assert facts["problems"] == []
    assert any(note.startswith("WeightSVs: 6 of 40 values of sigma_index") for note in facts["notes"])
    processors = "trained on a processor (4 runs), a GPU (2 runs)"
    assert facts["provenance"] == ["commit 0123456789", processors, "host node1"]
    assert facts["repetitions"] == [1]


def test_what_values_are_compared_with_is_a_series_of_the_report(experiment):
    measures = {measure["name"]: measure["series"] for measure in contents_of(*experiment).facts["measures"]}
    for series in measures["ETF"]:
        compared = series["compared"]
        if series["qualifiers"]["statistic"] != "etf_error":
            assert compared is None
        else:
            assert (compared["measure"], compared["name"]) == ("ETF", "attainable in this dimension")
            floor = measures["ETF"][compared["series"]]
            assert (floor["qualifiers"]["statistic"], floor["split"]) == ("etf_floor", series["split"])
    assert not any(series["compared"] for series in measures["CDNV"])


def estimates(measure, *qualifiers, unit="nat"):
    none = np.array([], dtype=np.int32)
    columns = {name: none for name in ("run", "epoch", "layer", "place")}
    series = [Series("train", one, unit) for one in qualifiers]
    return Measured(
        measure, series, [], **columns, values=none * 1.0, status=none.astype(np.uint8), thinned={}
    )


def test_information_with_labels_is_compared_with_their_entropy_in_the_same_unit():
    ksg = estimates("KSG", {"variable": "inputs"}, {"variable": "labels"})
    bins = estimates("BinnedMI", {"statistic": "inputs"}, {"statistic": "label_entropy"})
    entropy = ("BinnedMI", 1, "entropy H(Y)")
    assert compared_series(ksg, {"KSG": ksg, "BinnedMI": bins}) == [None, entropy]
    assert compared_series(bins, {"BinnedMI": bins}) == [None, None]
    bits = estimates("BinnedMI", {"statistic": "label_entropy"}, unit="bit")
    assert compared_series(ksg, {"KSG": ksg, "BinnedMI": bits}) == [None, None]


def test_nothing_in_the_file_points_elsewhere(report):
    text = report.read_text(encoding="utf-8")
    assert re.findall(r"(?:src|href)\s*=|@import|url\(|https?:", text) == []
    assert text.count("<script>") == 1
    assert "default-src 'none'" in text


def test_the_same_results_are_the_same_page_but_for_its_time(experiment, report):
    base, runs = experiment
    one, other = contents_of(base, runs), contents_of(base, runs)
    assert {**one.facts, "made": ""} == {**other.facts, "made": ""}
    assert (one.blocks, one.details) == (other.blocks, other.details)


def test_damaged_tables_are_named_and_the_rest_is_shown(synthetic_run, tmp_path):
    runs = []
    for number in (0, 1):
        synthetic_run(tmp_path / f"run_{number}").write(LAYERS, EPOCHS, run=number)
        runs.append(reported(tmp_path, f"run_{number}", 0.1, number))
    path = tmp_path / "run_1" / "measurements" / "CDNV.csv"
    path.write_text(path.read_text(encoding="utf-8")[:-40], encoding="utf-8")
    facts = contents_of(tmp_path, runs).facts
    assert [("run_1" in problem, "CDNV" in problem) for problem in facts["problems"]] == [(True, True)]
    assert "CDNV" in [measure["name"] for measure in facts["measures"]]
    assert facts["runs"][1]["ncLayer"] is None


def test_beyond_the_limit_fewer_epochs_are_shown_and_the_page_says_so(experiment, monkeypatch):
    monkeypatch.setattr(blocks, "MOST_VALUES", 4000)
    facts = contents_of(*experiment).facts
    assert {tuple(run["epochs"]) for run in facts["runs"]} == {(EPOCHS[0], EPOCHS[-1])}
    assert facts["notes"][0].startswith("Of the measured epochs of a run at most 2 are shown")


def test_no_run_is_refused(tmp_path):
    with pytest.raises(UsageError, match="no run to report on"):
        write_report(tmp_path, [])


def test_the_command_writes_the_report_of_runs_that_have_not_begun(tmp_path, capsys):
    path = tmp_path / "config.yaml"
    sections = "Model: {model-name: mlp_small}\nData: {dataset-id: digits}\nOptimizer: {lr: 0.1, epochs: 1}\n"
    path.write_text(
        f"# What is it?\n{sections}Logging: {{save-dir: {tmp_path / 'logs'}}}\n", encoding="utf-8"
    )
    assert cli.main(["-c", str(path), "--report"]) == 0
    written = tmp_path / "logs" / "report.html"
    assert capsys.readouterr().out.startswith(f"{written} (")
    facts = packed(written, "facts")
    assert facts["introduction"] == ["What is it?"]
    assert [run["state"] for run in facts["runs"]] == ["new"]


def packed(path, name):
    text = path.read_text(encoding="utf-8")
    content = re.search(rf'id="packed-{name}">([^<]+)<', text)
    assert content is not None
    return json.loads(gzip.decompress(base64.b64decode(content[1])))
