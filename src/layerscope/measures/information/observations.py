"""What is observed of every layer of a checkpoint, made once for all estimates."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import torch

from layerscope.measures.base import CheckpointStatistics, Subject, each_sample
from layerscope.measures.estimation import Estimation
from layerscope.measures.information.observed import Observed
from layerscope.pairing import ImagePairs
from layerscope.statistics.feature_sample import Sampled

KEPT = 2**28  # bytes of kernels that are kept while a checkpoint is measured


def each_paired(statistics: CheckpointStatistics) -> Iterator[tuple[Subject, Observed]]:
    """Every layer's sample of the test split, with the features of the train images as the inputs."""
    pairs, known = statistics.pairs, statistics.observed
    for subject, entry, split, sample in each_sample(statistics):
        train = entry.splits.get("train")
        if split != "test" or pairs is None or train is None or train.partners is None:
            continue
        place = entry.layer.index, "pairs"
        if place not in known:
            known[place] = _paired(sample, train.partners, pairs, statistics.estimation)
        yield replace(subject, samples=len(known[place])), known[place]


def _paired(sample: Sampled, partners: Sampled, pairs: ImagePairs, estimation: Estimation) -> Observed:
    """Rows of the sample that have a partner, with the partner's features."""
    device = sample.indices.device
    partner = torch.full((int(sample.indices.max()) + 1,), -1, device=device)
    within = pairs.test < len(partner)
    partner[pairs.test[within].to(device)] = pairs.train[within].to(device)
    rows = (partner[sample.indices] >= 0).nonzero().squeeze(1)
    order = partners.indices.argsort()
    wanted = torch.searchsorted(partners.indices[order], partner[sample.indices[rows]])
    features = partners.features[order[wanted]]
    images = Sampled(features, sample.labels[rows], sample.indices[rows])
    every = torch.arange(len(rows), device=device)
    return Observed(
        sample.features[rows], sample.labels[rows], images, every, "test", estimation, partnered=True
    )


def each_observed(statistics: CheckpointStatistics) -> Iterator[tuple[Subject, Observed]]:
    """Every layer and split with its sample; measures share what an `Observed` works out."""
    known: dict[tuple[int, str], Observed] = statistics.observed
    for subject, entry, split, sample in each_sample(statistics):
        place = entry.layer.index, split
        if place not in known:
            rows = torch.arange(len(sample.labels), device=sample.labels.device)
            seen = sample.features, sample.labels, statistics.images[split], rows, split
            room = KEPT // max(len(rows) ** 2 * sample.features.element_size(), 1)
            keeps = len(known) < room
            known[place] = Observed(*seen, statistics.estimation, keeps_kernel=keeps)
        yield subject, known[place]
