"""Measures: one class each, over statistics and functional; ``registry.MEASURES`` lists them."""
