"""Builds everything once and runs it."""
