"""Synthetic images whose classes are Gaussians, so that what there is to learn is known."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from layerscope.config import DataConfig
from layerscope.config.sections.gaussian import GaussianConfig
from layerscope.data.catalog import DatasetInfo
from layerscope.data.normalise import channel_moments
from layerscope.data.samples import Loaded, Samples

Reals = npt.NDArray[np.float64]
Labels = npt.NDArray[np.int64]

BLOCK = 4096  # samples whose densities are computed at a time


@dataclass(frozen=True)
class Estimate:
    """A mean over random draws, and its standard error."""

    value: float
    error: float


@dataclass(frozen=True)
class GaussianClasses:
    """K equally frequent classes, ``x | y ~ N(m_y, s_y² R)``.

    The means are the corners of a regular simplex around 0 in a random orientation; R has unit variances and
    correlations ``r^|i-j|``; the s_y rise geometrically from 1 to ``spread``.

    Attributes
    ----------
    means : (K, D)
    scales : (K,)
        s.
    factor : (D, D)
        The Cholesky factor of R.
    """

    means: Reals
    scales: Reals
    factor: Reals

    @classmethod
    def of(cls, config: GaussianConfig) -> GaussianClasses:
        """The distribution that ``config`` describes."""
        classes, dim = config.classes, config.height * config.width
        generator = np.random.default_rng([config.seed, 0])
        basis = np.linalg.qr(generator.standard_normal((dim, dim)))[0]
        directions = np.linalg.svd(np.eye(classes) - 1 / classes)[0][:, : classes - 1]  # (K, K-1)
        means = config.separation / math.sqrt(2) * directions @ basis[:, : classes - 1].T
        places = np.arange(dim)
        factor = np.linalg.cholesky(config.correlation ** np.abs(places[:, None] - places))
        return cls(means, config.spread ** (np.arange(classes) / (classes - 1)), factor)

    @property
    def classes(self) -> int:
        """K."""
        return len(self.means)

    def sample(self, count: int, generator: np.random.Generator) -> tuple[Reals, Labels]:
        """Draw ``count`` samples (count, D) and their labels, classes as even as can be, in random order."""
        labels = generator.permutation(np.arange(count) % self.classes)
        noise = generator.standard_normal((count, len(self.factor))) @ self.factor.T
        return self.means[labels] + self.scales[labels, None] * noise, labels

    def log_posterior(self, samples: Reals) -> Reals:
        """``log p(y | x)`` of samples (N, D), for every class: (N, K)."""
        dim = samples.shape[1]
        whitened, means = (np.linalg.solve(self.factor, values.T).T for values in (samples, self.means))
        squares = np.square(whitened[:, None, :] - means).sum(axis=2)  # (N, K)
        logs = -squares / (2 * self.scales**2) - dim * np.log(self.scales)
        highest = logs.max(axis=1, keepdims=True)
        return logs - highest - np.log(np.exp(logs - highest).sum(axis=1, keepdims=True))

    def information(self, samples: int = 100_000, seed: int = 0) -> Estimate:
        """``I(X; Y)`` in nats: the mean over x of the divergence of p(y | x) from the uniform p(y).

        The posterior is exact, and x is drawn from the distribution: no bias, and the standard error given.
        """

        def divergence(logs: Reals) -> Reals:
            gains: Reals = (np.exp(logs) * (logs + math.log(self.classes))).sum(axis=1)
            return gains

        return self._mean(divergence, samples, seed)

    def bayes_accuracy(self, samples: int = 100_000, seed: int = 0) -> Estimate:
        """The accuracy that no classifier exceeds: the mean over x of the largest ``p(y | x)``."""
        return self._mean(lambda logs: np.exp(logs.max(axis=1)), samples, seed)

    def _mean(self, quantity: Callable[[Reals], Reals], samples: int, seed: int) -> Estimate:
        """Mean over x, of even numbers of each class; the error is at most what is given."""
        points, _ = self.sample(samples, np.random.default_rng([seed, 1]))
        blocks = (points[start : start + BLOCK] for start in range(0, samples, BLOCK))
        values = np.concatenate([quantity(self.log_posterior(block)) for block in blocks])
        return Estimate(float(values.mean()), float(values.std() / math.sqrt(samples)))


def load_gaussian_classes(config: DataConfig, info: DatasetInfo) -> Loaded:
    """Draw both splits; the same config gives the same samples to every run."""
    settings = config.gaussian or GaussianConfig()
    classes = GaussianClasses.of(settings)
    train, test = (
        _samples(classes, settings, count, number)
        for number, count in enumerate((settings.train, settings.test), start=2)
    )
    mean, std = channel_moments(train.images)
    return Loaded(replace(info, mean=mean, std=std), train, test)


def _samples(classes: GaussianClasses, settings: GaussianConfig, count: int, number: int) -> Samples:
    generator = np.random.default_rng([settings.seed, number])
    values, labels = classes.sample(count, generator)
    images = values.reshape(count, 1, settings.height, settings.width).astype(np.float32)
    return Samples(images, labels.astype(np.int64), "gaussian_classes")
