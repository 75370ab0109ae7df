"""Name → module, its classifier, its weights. The entry is `layerscope.models.build.build_model`."""
