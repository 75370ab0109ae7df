"""What is to be submitted: arrays of jobs, what each waits for, and what each job has to do."""
