"""A saved run, opened for a debugger or a notebook: its tables, data, network at any epoch, any features.

make run                                       # once: leaves a run in logs/debug
python examples/inspect_run.py logs/debug      # or with python -i, ipython -i, in a notebook
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence

import layerscope as ls


def main(arguments: Sequence[str] | None = None) -> dict[tuple[str, int], float]:
    """Print what the run holds, and the CDNV at every linear layer, before and after training."""
    parser = argparse.ArgumentParser(description="look into a saved run")
    parser.add_argument("folder", help="a run's folder, such as logs/debug")
    run = ls.Run.open(parser.parse_args(arguments).folder)

    epochs = run.checkpoints.epochs()
    print(f"{run.name}: checkpoints of epochs {', '.join(map(str, epochs))}")
    for name in run.tables.measures():
        print(f"  {name}: {len(run.tables.read(name))} rows")  # read() gives a pandas frame

    data = run.data()  # the splits as they are trained on; data.train.images, data.train.labels, …
    print(f"{len(data.train)} images to train on, {len(data.test)} to test on, of shape {data.train.shape}")

    model = run.model(epochs[-1])  # the network in eval mode; run.model() is that of the last epoch
    layers = [name for name, module in model.named_modules() if type(module).__name__ == "Linear"]

    found = {}
    for epoch in (epochs[0], epochs[-1]):
        for layer in layers:  # any module will do, measured or not
            features, labels = run.features(layer, "train", epoch)
            moments = ls.statistics.ClassMoments(data.train.num_classes, features.shape[1])
            moments.update(features, labels)
            found[layer, epoch] = ls.functional.cdnv(moments.variances, moments.means)["mean"]
            print(f"epoch {epoch:3}, input of {layer}: CDNV {found[layer, epoch]:.4g}")
    # breakpoint()  # here: features, labels, model and data are at hand
    return found


if __name__ == "__main__":
    main()
