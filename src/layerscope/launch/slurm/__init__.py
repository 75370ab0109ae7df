"""Slurm itself: its commands, its queue, its job ids, and what it leaves in the environment. No submitit."""
