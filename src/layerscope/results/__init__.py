"""What runs measured: tidy tables on disk, the layer from which one is collapsed, all runs as one frame."""

from layerscope.results.catalogue import Catalogue
from layerscope.results.nc_layer import LayerRef, nc_layer
from layerscope.results.tables import TableStore

__all__ = ["Catalogue", "LayerRef", "TableStore", "nc_layer"]
