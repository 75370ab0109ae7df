"""Latent mutual information as an estimator: learn the latent spaces once, then use them on other samples."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted
from torch import Tensor

from layerscope.functional.latent_information import (
    LatentInformation,
    latent_mutual_information,
    latent_neighbors,
)
from layerscope.functional.latent_training import LatentSettings
from layerscope.functional.units import Units

Array = npt.NDArray[Any] | Tensor


class LatentMutualInformation(BaseEstimator):  # type: ignore[misc]
    """Mutual information of two blocks of any width, by nearest neighbours in learnt latent spaces.

    Parameters
    ----------
    dims, components, hidden, learning_rate, batch_size, epochs, patience
        As of :class:`~layerscope.functional.latent_training.LatentSettings`.
    k, cross_fit, seed, units
        As of :func:`~layerscope.functional.latent_mutual_information`.

    Attributes
    ----------
    information_ : LatentInformation
        Of the samples given to ``fit``, each held out once (with ``cross_fit``), with the training curves.
    """

    information_: LatentInformation

    def __init__(
        self,
        *,
        dims: int = 8,
        components: int = 64,
        hidden: int = 128,
        learning_rate: float = 3e-3,
        batch_size: int = 256,
        epochs: int = 300,
        patience: int = 10,
        k: int = 3,
        cross_fit: bool = True,
        seed: int = 0,
        units: Units = "nats",
    ) -> None:
        self.dims = dims
        self.components = components
        self.hidden = hidden
        self.learning_rate = learning_rate
        self.batch_size = batch_size
        self.epochs = epochs
        self.patience = patience
        self.k = k
        self.cross_fit = cross_fit
        self.seed = seed
        self.units = units

    def fit(self, X: Array, Y: Array, ids: Array | None = None) -> LatentMutualInformation:
        """Learn the latent spaces.

        Parameters
        ----------
        X : array or Tensor (N,) or (N, D), floats
        Y : array or Tensor (N,) or (N, D), floats, or (N,), integers
        ids : (N,), int64, optional
            Names of the samples.
        """
        settings = LatentSettings(
            dims=self.dims,
            components=self.components,
            hidden=self.hidden,
            learning_rate=self.learning_rate,
            batch_size=self.batch_size,
            epochs=self.epochs,
            patience=self.patience,
        )
        self.information_ = latent_mutual_information(
            _tensor(X),
            _tensor(Y),
            seed=self.seed,
            k=self.k,
            ids=None if ids is None else _tensor(ids),
            cross_fit=self.cross_fit,
            settings=settings,
            units=self.units,
        )
        return self

    def transform(self, X: Array) -> npt.NDArray[np.float64]:
        """Latents (N, m) of samples of x, m of ``dims`` that vary, as learnt from the first half."""
        check_is_fitted(self, "information_")
        latents: npt.NDArray[np.float64] = self._fold().encoders[0](_tensor(X)).cpu().numpy()
        return latents

    def score(self, X: Array, Y: Array) -> float:
        """Mutual information of samples that may be new, in the latent spaces of the first half."""
        check_is_fitted(self, "information_")
        encoders = self._fold().encoders
        return latent_neighbors(encoders, _tensor(X), _tensor(Y), self.k, self.units).value

    def _fold(self) -> Any:
        if not self.information_.folds:
            raise ValueError(
                f"{self.information_.samples} samples are too few to learn from: at least 200 are needed"
            )
        return self.information_.folds[0]


def _tensor(values: Array) -> Tensor:
    return values if isinstance(values, Tensor) else torch.from_numpy(np.ascontiguousarray(values))
