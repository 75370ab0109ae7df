"""Files with a section ``Screen``."""

from __future__ import annotations

from pathlib import Path

import pytest

from layerscope.config.screening import load_screening
from layerscope.errors import ConfigError

REST = "Data: {dataset-id: digits}\nLogging: {save-dir: x}\n"


def loaded(tmp_path, text, overrides=()):
    path = tmp_path / "screen.yaml"
    path.write_text(text + REST)
    return load_screening(path, overrides)


def test_names_paths_and_entries_are_read_and_the_rest_has_its_defaults(tmp_path):
    text = "Screen:\n  models: timm/ResNet18\n  checkpoints: [a/*.pt, {model: mlp_small, files: [b.pt, c]}]\n"
    screening = loaded(tmp_path, text)
    assert screening.settings.models == ("timm/resnet18",)
    first, second = screening.settings.checkpoints
    assert (first.files, first.model) == (("a/*.pt",), None)
    assert (second.files, second.model) == (("b.pt", "c"), "mlp_small")
    assert screening.config.measurements.selected == ("DSE", "DSMI")
    assert screening.folder == Path("x")
    assert not (screening.model_given or screening.taps_given)


def test_values_can_be_set_from_the_command_line(tmp_path):
    screening = loaded(tmp_path, "Screen: {models: mlp}\n", ["Screen.models=[mlp_small]", "Run.seed=3"])
    assert screening.settings.models == ("mlp_small",)
    assert screening.config.run.seed == 3


def test_every_mistake_is_told_at_once_with_its_line(tmp_path):
    text = (
        "Screen:\n  models: [mlp_smal]\n  accuracy: best\n  model: x\n"
        "Optimizer: {lr: 0.1}\nModel: {weights: a.pt}\nMeasurements: {splits: [test], sampel: 3}\n"
    )
    with pytest.raises(ConfigError) as caught:
        loaded(tmp_path, text)
    said = str(caught.value)
    assert [problem.line for problem in caught.value.problems] == [2, 3, 4, 5, 6, 7, 7]
    for part in (
        "models: 'mlp_smal'",
        "accuracy must be auto, centers or probe, not 'best'",
        "unknown key 'model' in Screen; did you mean 'models'?",
        "a screening trains nothing: leave the section Optimizer out",
        "weights means nothing for a screening: Screen.checkpoints names files",
        "splits means nothing for a screening: train and test are measured",
        "unknown key 'sampel' in Measurements",
    ):
        assert part in said


def test_nothing_to_compare_is_an_error(tmp_path):
    with pytest.raises(ConfigError, match="models and checkpoints are both empty"):
        loaded(tmp_path, "Screen: {accuracy: probe}\n")
