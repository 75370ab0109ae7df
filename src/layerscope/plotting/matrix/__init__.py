"""The figures of many runs, one file per family; each takes a frame with a row per run (and epoch)."""
