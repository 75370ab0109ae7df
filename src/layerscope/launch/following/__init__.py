"""What a person or a program wants to know of submitted runs: status and logs."""
