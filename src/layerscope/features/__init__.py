"""Taps: what flows through the layers of a network, as rows of features."""
