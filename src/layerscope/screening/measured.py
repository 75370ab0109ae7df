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
from layerscope.screening.table import LAST, TAP, Row
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
        config = _config_of(self.screening, candidate, network)
        kind = accuracy_kind(settings.accuracy, knows_classes=network.knows_classes)
        if kind == "probe":
            size = config.measurements.batch_size or default_batch_size(self.data.train.shape)
            fit_probe(network.model, self.data.train, size)
        tables = self._tables(config, network, kind)
        about = {**_about(candidate, network), **_accuracies(tables, kind, network.classifier)}
        return [{**about, **number} for number in _numbers(tables, config, network.classifier)]

    def _tables(self, config: Config, network: Network, kind: AccuracyKind) -> dict[str, DataFrame]:
        """Measure → its rows for every layer."""
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


def _config_of(screening: Screening, candidate: Candidate, network: Network) -> Config:
    """The config of one network, of which the classifier's input is looked at, beside other taps."""
    assert candidate.model is not None
    config, last = screening.config, (f"^{network.classifier}",)
    taps = candidate.model.embedding_layers if screening.taps_given else ()
    layers = taps if taps is True else tuple(dict.fromkeys((*taps, *last)))
    model = candidate.model.model_copy(update={"embedding_layers": layers})
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
    }


def _accuracies(tables: Mapping[str, DataFrame], kind: AccuracyKind, classifier: str) -> dict[str, Any]:
    if kind == "centers":
        table = tables["NCC"]
        found = table[(table["statistic"] == "accuracy") & (table["layer_name"] == classifier)]
    else:
        found = tables["Accuracy"].query("quantity == 'accuracy'")
    rows = found.set_index("split")["value"]
    return {"accuracy_kind": kind, **{f"{split}_accuracy": float(rows[split]) for split in SPLITS}}


def _numbers(tables: Mapping[str, DataFrame], config: Config, classifier: str) -> Iterator[dict[str, Any]]:
    """One row per layer, quantity and split; the last features first."""
    for name, quantity in screened_quantities(config).items():
        for split in SPLITS:
            found = quantity_rows(tables[quantity.table], quantity, split, frames=tables)
            rows = found.to_dict("records")
            for row in sorted(rows, key=lambda row: (row["layer_name"] != classifier, row["layer_index"])):
                place = LAST if row["layer_name"] == classifier else TAP
                yield {"layer": place, "split": split, "measure": name, **_number(row), "message": ""}


def _number(row: Mapping[Any, Any]) -> dict[str, Any]:
    """The cells of a row of a measure's table that are kept."""
    estimated = {key: row.get(key) for key in ("error", "ceiling", "reference")}
    known = {key: None if value is None or value != value else value for key, value in estimated.items()}
    kept = ("layer_name", "layer_index", "dim", "unit", "samples", "status")
    return {"t": row.get("t"), "value": float(row["value"]), **known, **{key: row[key] for key in kept}}
