"""What runs inside of a job: child processes, one for each run, and what they say when they end."""
