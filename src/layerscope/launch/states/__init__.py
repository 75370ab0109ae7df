"""How the stages of runs stand: their own files, confirmed by Slurm."""
