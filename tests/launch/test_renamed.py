"""Runs are found again although their values are spelt differently."""

from __future__ import annotations

from dataclasses import replace

import pytest

from layerscope.config import RunConfig
from layerscope.launch import renamed as module
from layerscope.launch.renamed import renamed, renamed_text

from .some_runs import runs_with


@pytest.fixture
def run(tmp_path):
    (run,) = runs_with(1, base=tmp_path)
    run.claim_config()
    return run


def moved(run, name, /, **config):
    return replace(
        run, name=name, folder=run.folder.parent / name, config=run.config.model_copy(update=config)
    )


def test_the_same_config_under_another_name_is_found(run, tmp_path):
    other = moved(run, "other")
    found = renamed(tmp_path, [other], [other])
    assert found == [(other, run.folder)]
    assert f"other is there as {run.folder}" in renamed_text(found)


def test_another_config_or_other_measures_are_another_run(run, tmp_path):
    measurements = run.config.measurements.model_copy(update={"measures": ("CDNV",)})
    for new in (moved(run, "a", run=RunConfig(run=1)), moved(run, "b", measurements=measurements)):
        assert renamed(tmp_path, [new], [new]) == []


def test_a_run_of_the_same_name_in_a_dated_folder_is_no_other_spelling(run, tmp_path):
    dated = tmp_path / "2026-01-01T00-00-00" / run.name
    dated.parent.mkdir()
    run.folder.rename(dated)
    assert renamed(tmp_path, [run], [run]) == []


def test_nothing_is_looked_for_where_nothing_is(run, tmp_path, monkeypatch):
    monkeypatch.setattr(module, "run_folders", pytest.fail)
    other = moved(run, "other")
    assert renamed(tmp_path / "empty", [other], [other]) == []
    assert renamed(tmp_path, [], [run]) == []
