#!/bin/bash

# Parameters
#SBATCH --array=0
#SBATCH --cpus-per-task=4
#SBATCH --gpus-per-node=1
#SBATCH --job-name=study.train
#SBATCH --nodes=1
#SBATCH --ntasks-per-node=1
#SBATCH --open-mode=append
#SBATCH --output='/logs/my study/jobs/2026-01-02T03-04-05-train/%A_%a_0_log.out'
#SBATCH --requeue
#SBATCH --signal=USR2@120
#SBATCH --time=240

# setup
export LAYERSCOPE_STARTED=$(date +%s)
# what was submitted comes first, whatever is installed or edited since
export PYTHONSAFEPATH=1 PYTHONPATH='/logs/my study/jobs/code/0123abcd'${PYTHONPATH:+:$PYTHONPATH}

# command
export SUBMITIT_EXECUTOR=slurm
srun --unbuffered --output '/logs/my study/jobs/2026-01-02T03-04-05-train/%A_%a_%t_log.out' --cpus-per-task=4 /opt/env/bin/python -u -m layerscope.launch.job '/logs/my study/jobs/2026-01-02T03-04-05-train'
