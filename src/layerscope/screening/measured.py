"""What is measured of one network: its accuracy, and one number per split of every measure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Literal

import torch

from layerscope.config import Config
from layerscope.config.screening import Screening
from layerscope.data.load import Data
from layerscope.data.split import Split
from layerscope.data.split_part import SplitPart
from layerscope.measurement.measure import make_setup, needs_of, plan_for, table_rows
from layerscope.measurement.plan import default_batch_size
from layerscope.measurement.sweeps import Collector
from layerscope.measures.registry import MEASURES
from layerscope.plotting.matrix.quantities import quantity_rows
from layerscope.results.known_runs import RUN
from layerscope.results.rows import EPOCH
from layerscope.screening.candidates import Candidate
from layerscope.screening.network import Network, network_of, prepare_inputs
from layerscope.screening.quantities import screened_quantities
from layerscope.screening.table import Row
from layerscope.statistics.feature_sample import even_choice
from layerscope.training.probe import fit_probe

if TYPE_CHECKING:
    from pandas import DataFrame

    from layerscope.measures.estimation import Estimation

AccuracyKind = Literal["head", "centers", "probe"]
SPLITS = ("train", "test")


class Screener:
    """Measures one network after another on the same images.

    Parameters
    ----------
    screening : Screening
    data : Data
    device : torch.device
    """

    def __init__(self, screening: Screening, data: Data, device: torch.device) -> None:
        self.screening, self.device = screening, device
        self.data = chosen_images(data, screening)
        self._estimation: Estimation | None = None

    def rows(self, candidate: Candidate) -> list[Row]:
        """The rows of a network, without their key.

        Raises
        ------
        LayerscopeError
            It cannot be built or measured.
        """
        settings, config, info = self.screening.settings, self.screening.config, self.data.info
        network = network_of(candidate, settings, config, info)
        network.model.to(self.device)
        prepare_inputs(network, info, self.device)
        config = _config_of(config, candidate, network)
        kind = accuracy_kind(settings.accuracy, knows_classes=network.knows_classes)
        if kind == "probe":
            size = config.measurements.batch_size or default_batch_size(self.data.train.shape)
            fit_probe(network.model, self.data.train, size)
        tables = self._tables(config, network, kind)
        about = {**_about(candidate, network), **_accuracies(tables, kind)}
        return [{**about, **number} for number in _numbers(tables, config)]

    def _tables(self, config: Config, network: Network, kind: AccuracyKind) -> dict[str, DataFrame]:
        """Measure → its rows for the last features."""
        import pandas as pd

        names = (*config.measurements.selected, *(("NCC",) if kind == "centers" else ("Accuracy",)))
        setup, needs = make_setup(config, self.data, network.model, self.device), needs_of(names)
        self._estimation = self._estimation or setup.estimation  # the images are clustered once for all
        setup = replace(setup, estimation=self._estimation)
        collector = Collector(setup, plan_for(config, setup, needs))
        statistics = collector.collect(network.model.to(setup.dtype), needs)
        return {
            name: pd.DataFrame(table_rows(0, MEASURES[name], statistics)).assign(**{RUN: "", EPOCH: 0})
            for name in dict.fromkeys(names)
        }


def chosen_images(data: Data, screening: Screening) -> Data:
    """The splits, or a seeded sample of each that is as even over the classes as can be."""
    if screening.settings.images == "all":
        return data
    config = screening.config
    size, seed = config.measurements.sample, config.run.seed_for("sample")

    def sampled(split: Split) -> SplitPart:
        return SplitPart(split, 0, len(split)).restricted(even_choice(split.labels, size, seed))

    return replace(data, train=sampled(data.train), test=sampled(data.test))


def accuracy_kind(wanted: Literal["auto", "centers", "probe"], *, knows_classes: bool) -> AccuracyKind:
    """Whose decisions the accuracy is of."""
    if wanted == "auto":
        return "head" if knows_classes else "centers"
    return wanted


def _config_of(config: Config, candidate: Candidate, network: Network) -> Config:
    """The config of one network, of which the classifier's input is looked at."""
    assert candidate.model is not None
    model = candidate.model.model_copy(update={"embedding_layers": (f"^{network.classifier}",)})
    measurements = config.measurements
    if measurements.batch_size is None and network.form is not None:
        update = {"batch_size": default_batch_size(network.form.shape)}
        measurements = measurements.model_copy(update=update)
    return config.model_copy(update={"model": model, "measurements": measurements})


def _about(candidate: Candidate, network: Network) -> dict[str, Any]:
    assert candidate.model is not None
    return {
        "model": candidate.name,
        "family": candidate.family,
        "architecture": candidate.model.model_name,
        "weights": network.origin,
        "parameters": network.parameters,
        "inputs": "data" if network.form is None else "published",
        "layer_name": network.classifier,
        "dim": network.dim,
    }


def _accuracies(tables: Mapping[str, DataFrame], kind: AccuracyKind) -> dict[str, Any]:
    table = tables["NCC" if kind == "centers" else "Accuracy"]
    name = "statistic" if kind == "centers" else "quantity"
    rows = table[table[name] == "accuracy"].set_index("split")["value"]
    return {"accuracy_kind": kind, **{f"{split}_accuracy": float(rows[split]) for split in SPLITS}}


def _numbers(tables: Mapping[str, DataFrame], config: Config) -> Iterator[dict[str, Any]]:
    """One row per quantity and split."""
    for name, quantity in screened_quantities(config).items():
        for split in SPLITS:
            (row,) = quantity_rows(tables[quantity.table], quantity, split).to_dict("records")
            number = {key: row[key] for key in ("error", "ceiling")}
            yield {
                "split": split,
                "measure": name,
                "t": row.get("t"),
                "value": float(row["value"]),
                **{key: None if value is None or value != value else value for key, value in number.items()},
                **{key: row[key] for key in ("unit", "samples", "status")},
                "message": "",
            }
