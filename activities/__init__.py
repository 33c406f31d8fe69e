"""One effect each, safe to repeat."""
