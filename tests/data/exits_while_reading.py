"""Reads images with two workers and comes to its end in the middle, holding on to the pass."""

import sys
from pathlib import Path

from layerscope.config import DataConfig, RunConfig
from layerscope.data.load import load_data

fields = {"dataset_id": "imagefolder", "root": Path(sys.argv[1]), "image_size": 8, "num_workers": 2}
batches = load_data(DataConfig(**fields), RunConfig(), "cpu").train.batches(1)
next(batches)
next(batches)
sys.modules["kept"] = batches  # alive until the interpreter ends
print("reading", flush=True)
