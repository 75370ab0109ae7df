"""Several real processes that measure one run over gloo write the tables of one process."""

from __future__ import annotations

import pandas as pd
import pytest

from layerscope.measures.catalog import SAMPLED, VERSIONS
from layerscope.results.tables import TableStore

pytestmark = pytest.mark.slow

ESTIMATES = {"DSE", "DSMI"}
"""Of the measures of a sample, those that are cheap and smooth in the features."""
MEASURES = [name for name in VERSIONS if name not in SAMPLED or name in ESTIMATES]
SPECTRA = {"ActivationCovSVs", "ActivationStableRank", "VCI"}
"""Measures of what is kept or, where less memory is left, sketched."""
FRAGILE = {"MLPSVD", "GNC2"} | SPECTRA | ESTIMATES
"""Measures with values so near 0, or so large, that rounding of the features shows in their first digits."""


@pytest.fixture(scope="module")
def trained(tmp_path_factory, write_config, succeed):
    """A folder with a trained run, and a config that measures it in float64."""
    folder = tmp_path_factory.mktemp("runs")
    sections = {"Model": {"model-name": "mlp_small"}, "Logging": {"log-epochs": [0, 3]}}
    sections["Data"] = {"ood": {"dataset-id": "digits"}}
    measured = {"measures": ["Fast", "NC5"], "precision": "float64", "batch-size": 16, "sample": 60}
    write_config(folder, **sections, Measurements=measured)
    succeed("train", 1, folder)
    return folder


def tables_of(folder, name):
    store = TableStore(folder / name)
    assert store.measures() == sorted(MEASURES)
    return {measure: store.read(measure) for measure in MEASURES}


def assert_same_tables(tables, others, *, rtol, without=()):
    for measure in [measure for measure in MEASURES if measure not in without]:
        pd.testing.assert_frame_equal(
            tables[measure],
            others[measure],
            check_exact=False,
            rtol=max(rtol, 1e-7) if measure in SPECTRA else rtol,  # small eigenvalues are lost in large ones
            atol=1e-12,
            obj=measure,
        )


@pytest.fixture(scope="module")
def alone(trained, succeed):
    succeed("measure", 1, trained, tables="alone", measures=MEASURES, epochs=[0, 3])
    return tables_of(trained, "alone")


@pytest.mark.parametrize("size", [2, 3])
def test_tables_are_those_of_one_process(trained, alone, succeed, size):
    name = f"by{size}"
    assert succeed("measure", size, trained, tables=name, measures=MEASURES, epochs=[0, 3]) == "finished"
    tables = tables_of(trained, name)
    assert_same_tables(tables, alone, rtol=1e-10)
    assert set(tables["NC5"]["status"]) == {"ok"}  # other images are shared, too


@pytest.mark.parametrize(
    ("settings", "rtol", "without"),
    [
        ({"precision": "float64", "memory": "22MB"}, 1e-10, ()),
        ({"precision": "float32"}, 1e-5, FRAGILE),
    ],
    ids=["features that do not fit the memory", "float32"],
)
def test_other_settings_make_no_difference(trained, tmp_path, write_config, succeed, settings, rtol, without):
    sections = {"Model": {"model-name": "mlp_small"}, "Logging": {"log-epochs": [0, 3]}}
    write_config(tmp_path, **sections, Measurements={"sample": 60, **settings})
    (tmp_path / "run").symlink_to(trained / "run")
    for size in (1, 2):
        succeed("measure", size, tmp_path, tables=str(size), measures=MEASURES, epochs=[3])
    assert_same_tables(tables_of(tmp_path, "1"), tables_of(tmp_path, "2"), rtol=rtol, without=without)


def test_splits_smaller_than_the_number_of_processes_can_be_measured(tmp_path, write_config, succeed):
    sections = {"Data": {"subset": 10}, "Logging": {"log-epochs": [3]}}
    write_config(tmp_path, **sections, Measurements={"precision": "float64", "splits": "train"})
    succeed("train", 1, tmp_path)
    chosen = {"measures": ["NC1", "NCC", "Accuracy"], "epochs": [3]}
    for size in (1, 12):
        succeed("measure", size, tmp_path, tables=str(size), **chosen)
    for measure in chosen["measures"]:
        tables = [TableStore(tmp_path / size).read(measure) for size in ("1", "12")]
        pd.testing.assert_frame_equal(*tables, rtol=1e-10)


def test_a_signal_to_one_process_stops_all_and_keeps_what_is_measured(trained, alone, succeed):
    stop = {"action": "SIGUSR2", "when": 5, "whom": 1}  # asked three times per checkpoint
    chosen = {"tables": "stopped", "measures": MEASURES, "epochs": [0, 3]}
    assert succeed("measure", 2, trained, **chosen, **stop) == "stopped"
    found = TableStore(trained / "stopped").computed("NC1")
    assert set(found) == {0}
    succeed("measure", 2, trained, **chosen)
    assert_same_tables(tables_of(trained, "stopped"), alone, rtol=1e-10)


def test_when_a_process_is_killed_the_other_ends(trained, run_ranks):
    options = {"tables": "killed", "measures": ["NC1"], "epochs": [0, 3], "action": "SIGKILL", "when": 5}
    ended = run_ranks("measure", 2, trained, **options)
    assert ended.codes == [3, -9]
    assert "another of the 2 processes of this run has ended" in ended.outputs[0]
    assert set(TableStore(trained / "killed").computed("NC1")) == {0}


def test_features_that_are_not_finite_are_named_whoever_reads_them(
    tmp_path, write_config, run_ranks, succeed
):
    write_config(tmp_path, Optimizer={"lr": 1e-9}, Logging={"log-epochs": [3]})
    succeed("train", 1, tmp_path)
    ended = run_ranks("measure", 2, tmp_path, measures=["NC1"], epochs=[3], poisoned=150)
    assert ended.codes == [3, 3]
    for output in ended.outputs:
        assert "layer flatten, train split, samples 100 to 199: 1 of 100 samples have features" in output
