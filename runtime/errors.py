"""Errors for the person at the keyboard."""


class Stop(Exception):
    """We cannot go on, and the text says why and what to do: it is shown as it is, without a traceback."""
