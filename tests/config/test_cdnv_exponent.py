"""``Measurements.cdnv-exponent``."""

from __future__ import annotations

import pytest

from layerscope.config import parse_config
from layerscope.config.schema_export import json_schema
from layerscope.config.yaml_reader import document_from_text
from layerscope.errors import ConfigError

REST = """\
Model: {model-name: mlp}
Data: {dataset-id: digits}
Optimizer: {lr: 0.1, epochs: 2}
Logging: {save-dir: logs/x}
"""


def config_with(given):
    text = f"{REST}Measurements:\n  weighting: balanced\n  {given}\n"
    return parse_config(document_from_text(text, "x.yaml"))


@pytest.mark.parametrize("given", ["0", "-0.5", ".inf", ".nan", "two", "'2'", "True", "[1]"])
def test_what_is_no_number_above_0_is_refused_with_its_line(given):
    with pytest.raises(ConfigError, match=r"x\.yaml:7: cdnv-exponent must be a number above 0"):
        config_with(f"cdnv-exponent: {given}")


def test_a_misspelt_exponent_is_refused_with_its_line_and_the_right_name():
    with pytest.raises(ConfigError, match=r"x\.yaml:7: unknown key 'cdnv-exponnt' .* 'cdnv-exponent'"):
        config_with("cdnv-exponnt: 2")


@pytest.mark.parametrize(
    ("given", "exponent"), [("", 1.0), ("cdnv-exponent: 2", 2.0), ("cdnv_exponent: 0.5", 0.5)]
)
def test_the_exponent_is_1_unless_it_is_set_and_is_no_part_of_what_a_run_is(given, exponent):
    config = config_with(given)
    assert config.measurements.cdnv_exponent == exponent
    assert config.resolved()["Measurements"]["cdnv-exponent"] == exponent
    assert config.hash == config_with("").hash


def test_the_schema_has_it_with_its_range_and_its_meaning():
    key = json_schema()["$defs"]["MeasurementsConfig"]["properties"]["cdnv-exponent"]
    assert key["default"] == 1
    assert {"exclusiveMinimum": 0, "type": "number"} in key["anyOf"]
    assert key["description"].startswith("CDNV and CDNVPairs: the exponent of the squared distances")
