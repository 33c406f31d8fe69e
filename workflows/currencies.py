"""What those who start workflows may know of currencies; the table itself is mapping's."""

from mapping.currencies import decimals

__all__ = ["decimals"]
