#!/bin/bash

# Parameters
#SBATCH --account=physics
#SBATCH --array=0-2%2
#SBATCH --constraint='a100|h100'
#SBATCH --cpus-per-task=18
#SBATCH --dependency=aftercorr:12,afterany:7
#SBATCH --exclude='node[01-03]'
#SBATCH --exclusive
#SBATCH --gpus-per-node=a100:1
#SBATCH --job-name=study.train
#SBATCH --kill-on-invalid-dep=yes
#SBATCH --mail-type=FAIL,TIME_LIMIT
#SBATCH --mail-user=me@example.org
#SBATCH --mem=36864M
#SBATCH --no-requeue
#SBATCH --nodelist=node07
#SBATCH --nodes=1
#SBATCH --ntasks-per-node=1
#SBATCH --open-mode=append
#SBATCH --output='/logs/my study/jobs/2026-01-02T03-04-05-train/%A_%a_0_log.out'
#SBATCH --partition=gpu
#SBATCH --qos=long
#SBATCH --signal=USR2@90
#SBATCH --time=2880
#SBATCH --wckey=thesis

# setup
export LAYERSCOPE_STARTED=$(date +%s)
trap 'layerscope_status=$?; if [ "${#BASH_SOURCE[@]}" -eq 1 ]; then echo "layerscope: setup failed with status $layerscope_status at: $(sed -n "${LINENO}p" "$0")" >&2; exit "$layerscope_status"; fi' ERR
module load cuda/12.4
source ~/env/bin/activate  # ours
trap - ERR
# what was submitted comes first, whatever is installed or edited since
export PYTHONSAFEPATH=1 PYTHONPATH='/logs/my study/jobs/code/0123abcd'${PYTHONPATH:+:$PYTHONPATH}

# command
export SUBMITIT_EXECUTOR=slurm
srun --unbuffered --output '/logs/my study/jobs/2026-01-02T03-04-05-train/%A_%a_%t_log.out' --cpus-per-task=18 --cpu-bind=cores apptainer exec --nv image.sif python -u -m layerscope.launch.job '/logs/my study/jobs/2026-01-02T03-04-05-train'
