"""What can go wrong between this program and Slurm."""

from __future__ import annotations

from layerscope.errors import LayerscopeError


class LaunchError(LayerscopeError):
    """Jobs that could not be submitted; what was submitted before stays."""
