"""Runs as jobs: on Slurm, in local worker processes; their states, and how to follow them."""
