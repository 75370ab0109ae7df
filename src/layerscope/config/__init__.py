"""Config files: reading, checking, spelling out, naming. Knows nothing of torch."""

from layerscope.config.config import Config
from layerscope.config.document import Document, KeyPath, Mark
from layerscope.config.matrix import Cell, expand_matrix, load_matrix
from layerscope.config.overrides import override
from layerscope.config.parse import load_config, parse_config
from layerscope.config.resources import Resources
from layerscope.config.schema_export import json_schema
from layerscope.config.sections.data import DataConfig
from layerscope.config.sections.logging import LoggingConfig
from layerscope.config.sections.measurements import MeasurementsConfig
from layerscope.config.sections.model import ModelConfig
from layerscope.config.sections.optimizer import OptimizerConfig
from layerscope.config.sections.run import RunConfig
from layerscope.config.sections.slurm import SlurmConfig
from layerscope.config.yaml_reader import read_document
from layerscope.config.yaml_writer import dump_yaml

__all__ = [
    "Cell",
    "Config",
    "DataConfig",
    "Document",
    "KeyPath",
    "LoggingConfig",
    "Mark",
    "MeasurementsConfig",
    "ModelConfig",
    "OptimizerConfig",
    "Resources",
    "RunConfig",
    "SlurmConfig",
    "dump_yaml",
    "expand_matrix",
    "json_schema",
    "load_config",
    "load_matrix",
    "override",
    "parse_config",
    "read_document",
]
