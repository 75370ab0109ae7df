"""The JSON schema of configs, for completion and checking while typing in an editor."""

from __future__ import annotations

from typing import Any

from layerscope.config.config import Config
from layerscope.config.names import (
    DATASETS,
    MATRIX_SECTION,
    MEASURE_GROUPS,
    MEASURES,
    OWN_EXAMPLES,
    SCREEN_SECTION,
    TORCHVISION_MODELS,
    ZOO_MODELS,
)
from layerscope.config.sections.screen import ScreenConfig

Schema = dict[str, Any]

_NOT_SET: Schema = {"enum": [None, "None"]}
"""``null``, and ``None``, which an editor takes for text."""

_PROPOSED: dict[tuple[str, str], tuple[str, ...]] = {
    ("ModelConfig", "model-name"): (*OWN_EXAMPLES, *ZOO_MODELS, *TORCHVISION_MODELS),
    ("DataConfig", "dataset-id"): DATASETS,
}
"""Ids to propose; other spellings of them stay valid, as case is ignored."""

_MEASURE_NAMES: Schema = {"anyOf": [{"enum": [*MEASURE_GROUPS, *MEASURES]}, {"type": "string"}]}
_TEXT: Schema = {"type": "string", "minLength": 1}
_WEIGHTS: Schema = {"$ref": "#/$defs/WeightsFiles"}

_ALSO_ALLOWED: dict[tuple[str, str], list[Schema]] = {
    ("ModelConfig", "embedding-layers"): [_TEXT],
    ("LoggingConfig", "observe"): [{"enum": ["gradient-norm", "activations"]}],
    ("LoggingConfig", "trackers"): [{"enum": ["tensorboard", "wandb"]}],
    ("MeasurementsConfig", "measures"): [{"const": True}, _MEASURE_NAMES],
    ("ScreenConfig", "models"): [_TEXT],
    ("ScreenConfig", "checkpoints"): [_TEXT, {"type": "array", "items": {"anyOf": [_WEIGHTS, _TEXT]}}],
    ("WeightsFiles", "files"): [_TEXT],
    ("MeasurementsConfig", "splits"): [{"enum": ["train", "validation", "test"]}],
}
"""What a key takes besides what it is stored as."""


def json_schema() -> Schema:
    """The schema (draft 2020-12): kebab-case keys, each with its description and default."""
    schema, screen = Config.model_json_schema(by_alias=True), ScreenConfig.model_json_schema(by_alias=True)
    schema["$defs"] |= {**screen.pop("$defs"), ScreenConfig.__name__: screen}
    for name, section in schema["$defs"].items():
        section["title"] = name.removesuffix("Config")
        properties = section["properties"]
        section["properties"] = {key: _property(name, key, content) for key, content in properties.items()}
    for section_name, content in schema["properties"].items():
        content.pop("default", None)
        content["title"] = section_name
    schema["properties"][MATRIX_SECTION] = {
        "type": "object",
        "title": MATRIX_SECTION,
        "description": "Lists of alternatives, nested like the config: many runs out of one file",
    }
    schema["properties"][SCREEN_SECTION] = {
        "$ref": f"#/$defs/{ScreenConfig.__name__}",
        "title": SCREEN_SECTION,
        "description": "Networks that are there already, to be compared on one data set (--screen)",
    }
    run = {"required": schema.pop("required")}
    screening = {"required": ["Data", "Logging"]}
    schema |= {"if": {"required": [SCREEN_SECTION]}, "then": screening, "else": run}
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema, "title": "Layerscope config"}


def _property(section: str, key: str, content: Schema) -> Schema:
    """One key: its title and description, and every form it may be written in."""
    about: Schema = {word: content[word] for word in ("description", "default") if word in content}
    stored = {word: content[word] for word in content if word not in (*about, "title")}
    forms = [*stored.pop("anyOf", [stored]), *_ALSO_ALLOWED.get((section, key), [])]
    if (section, key) in _PROPOSED:
        forms.insert(0, {"enum": list(_PROPOSED[section, key])})
    return {"title": key, **about, "anyOf": [*(form for form in forms if form != {"type": "null"}), _NOT_SET]}
