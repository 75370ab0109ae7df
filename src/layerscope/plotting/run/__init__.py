"""The figures of one run, one file per family; each takes the tables of the run."""
