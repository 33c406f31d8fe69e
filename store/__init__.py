"""The tables and the few transactions on them."""
