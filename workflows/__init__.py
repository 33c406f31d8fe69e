"""What happens, in which order, and who is asked: deterministic, no I/O."""
