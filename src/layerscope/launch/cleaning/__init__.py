"""Removing what finished runs do not need any more."""
