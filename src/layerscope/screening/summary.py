"""How the measures of the networks of a screening go with their accuracies."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from layerscope.files import write_atomic
from layerscope.results.correlation import Correlation, correlation
from layerscope.screening.table import FAILED, LAST, ScreenTable

FILE = "correlations.csv"

KINDS = {"head": "own classifier", "centers": "nearest class centre", "probe": "linear probe"}

ABOUT = ("measure", "split", "accuracy", "accuracy_kind")

Cells = Mapping[str, str]


@dataclass(frozen=True)
class Relation:
    """A measure on one split against an accuracy, over the networks whose accuracy is of one kind."""

    measure: str
    split: str
    accuracy: str
    accuracy_kind: str
    found: Correlation

    def cells(self) -> dict[str, object]:
        """One line of the table."""
        about = {name: getattr(self, name) for name in ABOUT}
        return {**about, **asdict(self.found)}


def relations(rows: Sequence[Cells]) -> list[Relation]:
    """All of them, of the last features; accuracies of different kinds are never compared with each other."""
    return list(_relations([row for row in rows if row["status"] != FAILED and row["layer"] == LAST]))


def _relations(rows: Sequence[Cells]) -> Iterator[Relation]:
    for measure, split, kind in dict.fromkeys(
        (row["measure"], row["split"], row["accuracy_kind"]) for row in rows
    ):
        own = [
            row
            for row in rows
            if (row["measure"], row["split"], row["accuracy_kind"]) == (measure, split, kind)
        ]
        values = [float(row["value"]) for row in own]
        for accuracy in ("train", "test"):
            against = [float(row[f"{accuracy}_accuracy"]) for row in own]
            yield Relation(measure, split, accuracy, kind, correlation(values, against))


def write_relations(folder: Path) -> list[Relation]:
    """Work out the relations of the table in ``folder`` and write them beside it, as ``correlations.csv``."""
    found = relations([row for rows in ScreenTable(folder).read().values() for row in rows])
    text = io.StringIO(newline="")
    names = [*ABOUT, *Correlation.__dataclass_fields__]
    writer = csv.DictWriter(text, names, lineterminator="\n")
    writer.writeheader()
    writer.writerows(relation.cells() for relation in found)
    write_atomic(folder / FILE, text.getvalue())
    return found


def relation_lines(found: Sequence[Relation]) -> list[list[str]]:
    """The cells of each relation as a person reads them, below their titles."""
    titles = ["measure", "on", "accuracy", "of", "Pearson", "95 %", "Spearman", "95 %", "n"]
    return [titles, *(_line(relation) for relation in found)]


def _line(relation: Relation) -> list[str]:
    found, kind = relation.found, KINDS[relation.accuracy_kind]
    about = [relation.measure, relation.split, relation.accuracy, kind]
    if found.pearson != found.pearson:
        return [*about, "none", "", "none", "", str(found.n)]
    pearson = [f"{found.pearson:.2f}", f"{found.pearson_low:.2f} to {found.pearson_high:.2f}"]
    spearman = [f"{found.spearman:.2f}", f"{found.spearman_low:.2f} to {found.spearman_high:.2f}"]
    return [*about, *pearson, *spearman, str(found.n)]
