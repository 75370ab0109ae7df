"""The local queue: workers on this machine, a few at a time."""
