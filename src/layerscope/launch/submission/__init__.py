"""From planned arrays to jobs in the queue, and out of it again: scripts, snapshots of the code, records."""
