"""The measurement pass: checkpoints × splits × layers × measures → tables."""
