"""The sections of a config, one frozen model each."""
