"""What has a fit, in scikit-learn's manner: constructors only store, ``fit`` learns, ``score`` measures."""

from layerscope.estimators.latent import LatentMutualInformation

__all__ = ["LatentMutualInformation"]
