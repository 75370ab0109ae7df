"""Loading the tables of a thousand runs as one frame, by a process that begins with nothing."""

from __future__ import annotations

import hashlib
import json
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from itertools import product
from pathlib import Path

from pairs import Comparison

from layerscope.config import dump_yaml, parse_config
from layerscope.results.manifest import Entry, save_manifest
from layerscope.results.rows import columns_of, format_header, format_rows

REPEATS = 3
MEASURES = ["CDNV", *(f"Measure{number:02d}" for number in range(1, 20))]
EPOCHS, LAYERS, SPLITS = range(20), range(20), ("test", "train")
MODELS, DATASETS = ("mlp_wide", "mlp_large"), ("digits", "mnist", "fashionmnist", "svhn", "cifar10")
RATES, REPETITIONS = [0.001 * number for number in range(1, 11)], range(10)
CONTENTS = 20
"""So many runs differ in their numbers; a thousand would only take longer to write."""

LOAD = """\
import sys
from layerscope.results import Catalogue
catalogue = Catalogue(sys.argv[1])
for measure in sys.argv[2:]:
    frame = catalogue.table(measure)
    assert len(frame) == 800_000 and len(catalogue.axes) == 4, (len(frame), catalogue.axes)
"""


def run() -> list[Comparison]:
    """Compare one measure and twenty of 1,000 runs x 20 epochs x 20 layers x 2 splits with their bounds."""
    with tempfile.TemporaryDirectory() as scratch:
        base = Path(scratch)
        write_runs(base)
        return [
            _within("one measure of 1,000 runs, 800,000 rows, as a frame / 3 s", 3, base, MEASURES[:1]),
            _within("twenty measures of 1,000 runs / 20 s", 20, base, MEASURES),
        ]


def write_runs(base: Path) -> None:
    """A thousand run folders, as measuring leaves them."""
    contents = [_files(base, random.Random(number)) for number in range(CONTENTS)]
    for number, place in enumerate(product(MODELS, DATASETS, RATES, REPETITIONS)):
        model, data, rate, repetition = place
        folder = base / model / data / f"lr_{rate}" / f"run_{repetition}"
        _write_tables(folder / "measurements", contents[number % CONTENTS])
        config = parse_config(
            {
                "Model": {"model-name": model},
                "Data": {"dataset-id": data},
                "Optimizer": {"lr": rate, "epochs": EPOCHS[-1]},
                "Logging": {"save-dir": "runs", "log-interval": 1},
                "Run": {"run": repetition},
            }
        )
        axes = dict(
            zip(("Model.model-name", "Data.dataset-id", "Optimizer.lr", "Run.run"), place, strict=True)
        )
        (folder / "config.yaml").write_text(dump_yaml(config.resolved()), encoding="utf-8")
        (folder / "run.json").write_text(json.dumps({"hash": config.hash, "axes": axes}), encoding="utf-8")


def _files(scratch: Path, numbers: random.Random) -> dict[str, bytes]:
    """Name → content of every file of measurements."""
    files: dict[str, bytes] = {}
    manifest: dict[str, dict[int, Entry]] = {}
    for measure in MEASURES:
        header, blocks, entries = b"", [], {}
        for epoch in EPOCHS:
            rows = list(_rows(numbers))
            columns = columns_of(measure, rows)
            header = format_header(columns)
            blocks.append(format_rows(measure, epoch, rows, columns))
            digest = hashlib.sha256(header + blocks[-1]).hexdigest()[:16]
            entries[epoch] = Entry(key=f"{numbers.getrandbits(64):016x}", digest=digest, splits=list(SPLITS))
        files[f"{measure}.csv"] = header + b"".join(blocks)
        manifest[measure] = entries
    save_manifest(scratch / "manifest.json", manifest)
    return {**files, "manifest.json": (scratch / "manifest.json").read_bytes()}


def _rows(numbers: random.Random) -> Iterator[dict[str, object]]:
    for split, layer in product(SPLITS, LAYERS):
        place = {"split": split, "layer_name": f"block{layer}.fc", "layer_index": layer, "statistic": "mean"}
        value = numbers.random() * 10 ** numbers.randint(-6, 3)
        result = {"value": value, "error": None, "ceiling": None, "status": "ok", "unit": "1"}
        taken = {"weighting": "balanced", "where": "input", "reduce": "flatten"}
        yield {**place, **result, **taken, "samples": 10_000, "classes": 10, "dim": 512}


def _write_tables(folder: Path, files: dict[str, bytes]) -> None:
    folder.mkdir(parents=True)
    for name, content in files.items():
        (folder / name).write_bytes(content)


def _within(name: str, bound: float, base: Path, measures: list[str]) -> Comparison:
    """Time the whole process against a number of seconds, after one warm-up."""

    def load() -> float:
        started = time.perf_counter()
        subprocess.run([sys.executable, "-c", LOAD, str(base), *measures], check=True, timeout=300)
        return time.perf_counter() - started

    load()
    return Comparison(name, [load() for _ in range(REPEATS)], [bound] * REPEATS, 1)
