"""From an initialised model to a folder of checkpoints: the loop, its parts, and how it survives a kill."""
