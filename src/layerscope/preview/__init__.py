"""What a dry run shows: runs, layers, memory, disk, jobs, and what is wrong, before anything is started.

Nothing here writes, and nothing here needs torch when it is imported.
"""
