from __future__ import annotations

import pytest

from layerscope.config import parse_config
from layerscope.errors import ConfigError


def config_of(**logging):
    return parse_config(
        {
            "Model": {"model-name": "mlp"},
            "Data": {"dataset-id": "digits"},
            "Optimizer": {"lr": 0.1, "epochs": 1},
            "Logging": {"save-dir": "logs", "log-epochs": [1], **logging},
        }
    )


@pytest.mark.parametrize(("value", "minutes"), [(5, 5), (0.5, 0.5), (0, 0), (None, 15)])
def test_the_interval_is_a_number_or_as_usual(value, minutes):
    assert config_of(**{"resume-minutes": value}).logging.resume_minutes == minutes


def test_a_long_epoch_is_saved_by_the_clock_unless_told_otherwise():
    assert config_of().logging.resume_minutes == 15


@pytest.mark.parametrize("value", [-1, "soon", True])
def test_other_values_are_refused(value):
    with pytest.raises(ConfigError, match="resume-minutes"):
        config_of(**{"resume-minutes": value})


def test_the_clock_is_no_part_of_what_is_trained():
    assert config_of(**{"resume-minutes": 3}).hash == config_of().hash
