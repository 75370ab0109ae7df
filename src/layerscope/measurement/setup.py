"""What stays the same over the checkpoints of a run."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor

from layerscope.data.split import Split
from layerscope.features.layers import LayerSpec
from layerscope.features.reduce import Reduce
from layerscope.features.taps import Layer, Where
from layerscope.measures.estimation import Estimation
from layerscope.pairing import ImagePairs

Loss = Callable[[Tensor, Tensor, int], Tensor]


@dataclass(frozen=True)
class Setup:
    """What stays the same over the checkpoints of a run; its processes share the splits.

    ``sample`` is the number of images of each split whose features are kept for measures of a sample, and
    ``sample_seed`` draws them. ``estimation`` says how they estimate. ``ood`` holds images of another kind,
    ``pairs`` test images with a train image each; ``weights`` are the shapes of the layers' weights as
    matrices; ``probe``: the classifier is one, fitted to features that were learnt without labels.
    ``cdnv_exponent`` is that of the squared distances in CDNV.
    """

    splits: Mapping[str, Split]
    layers: Sequence[Layer]
    spec: LayerSpec
    where: Where
    reduce_name: str
    reduce: Reduce
    loss: Loss
    weighting: str
    batch_size: int
    dtype: torch.dtype
    device: torch.device
    loss_unit: str = "nat"
    sample: int = 2000
    sample_seed: int = 0
    ood: Split | None = None
    estimation: Estimation = field(default_factory=Estimation)
    pairs: ImagePairs | None = None
    weights: Sequence[tuple[int, int]] = ()
    probe: bool = False
    cdnv_exponent: float = 1.0
