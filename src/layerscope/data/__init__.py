"""The data room: the name of a data set in, its two splits out.

``catalog`` says what a data set is without loading it (and without torch); ``load`` reads it.
"""

from __future__ import annotations

from layerscope.data.catalog import DATASETS, DatasetInfo, describe

__all__ = ["DATASETS", "DatasetInfo", "describe"]
