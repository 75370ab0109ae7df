"""What a run is called."""

from __future__ import annotations

from pathlib import Path

from layerscope.config import load_config
from layerscope.plotting.drawing.title import run_title


def title(folder: Path, *overrides: str) -> str:
    return run_title(load_config(folder / "config.yaml", overrides))


def test_a_title_names_model_data_loss_and_optimizer(small_run):
    assert title(small_run) == "mlp_small · digits · MSE · SGD, lr 0.1, weight decay 0.0005"


def test_a_title_tells_what_is_out_of_the_ordinary(small_run):
    said = title(
        small_run, "Data.random-labels=0.5", "Run.run=2", "Optimizer.weight-decay=0", "Optimizer.loss=celoss"
    )
    assert said == "mlp_small · digits · cross-entropy · SGD, lr 0.1 · 0.5 random labels · run 2"
