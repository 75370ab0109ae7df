"""What a run measured: tidy tables on disk, and the layer from which it is collapsed."""

from layerscope.results.nc_layer import LayerRef, nc_layer
from layerscope.results.tables import TableStore

__all__ = ["LayerRef", "TableStore", "nc_layer"]
