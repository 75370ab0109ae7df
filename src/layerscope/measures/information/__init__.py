"""Measures of information and entropy, estimated from the same few images in every layer."""
