"""Folders that exist are found without asking for each."""

from __future__ import annotations

import os

from layerscope.preview.presence import existing


def test_runs_whose_folder_is_there_are_found_at_any_depth(experiment):
    made = experiment(Matrix={"Optimizer": {"lr": [0.1, 0.2]}, "Run": {"run": [0, 1]}})
    made.runs[2].folder.mkdir(parents=True)
    assert existing(made.runs) == [made.runs[2]]


def test_a_run_in_the_working_folder_itself_is_found(experiment):
    made = experiment()
    assert existing(made.runs) == []
    made.base.mkdir()
    assert existing(made.runs) == made.runs


def test_ten_thousand_runs_of_one_folder_need_one_look(experiment, monkeypatch):
    made = experiment(Matrix={"Run": {"run": list(range(10_000))}})
    looks = []
    real = os.listdir
    monkeypatch.setattr(os, "listdir", lambda place: looks.append(place) or real(place))
    assert existing(made.runs) == []
    assert len(looks) == 1
