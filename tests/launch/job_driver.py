"""A Slurm job with a stand-in for its workers: ``job_driver.py FOLDER_OF_THE_ARRAY``."""

from __future__ import annotations

import sys

from layerscope.launch import job
from layerscope.launch.workers import child

if __name__ == "__main__":
    child.WORKER = "stand_in_worker"  # found beside this file, on PYTHONPATH
    job.check_code = lambda workload: None
    sys.exit(job.main(sys.argv[1:]))
