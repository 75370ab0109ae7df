"""Test images paired with train images of the same meaning, built once and shared by all runs."""

from layerscope.pairing.encoders import FeatureMatrix, Pixels, PrincipalPixels, TimmModel, WhitePixels
from layerscope.pairing.image_pairs import ImagePairs, build_pairs, shared_pairs

__all__ = [
    "FeatureMatrix",
    "ImagePairs",
    "Pixels",
    "PrincipalPixels",
    "TimmModel",
    "WhitePixels",
    "build_pairs",
    "shared_pairs",
]
