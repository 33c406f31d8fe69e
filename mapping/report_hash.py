"""What a report says, as one number: equal for two reports that found the same, whenever and however they were made.

Left out is what says nothing of the difference itself: the report's id, instants, and whether it was there before.
"""

import hashlib
import json
from collections.abc import Mapping


class ReportHash:
    """Takes in a report piece by piece, so that a long one need not be in memory."""

    def __init__(self) -> None:
        self._hash = hashlib.sha256()

    def add(self, content: Mapping[str, object]) -> None:
        """Take in one piece of JSON-ready content. The order of the pieces counts, that of their keys does not."""
        text = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        self._hash.update(f"{len(text)}:{text}".encode())

    def hexdigest(self) -> str:
        """Return the hash of all that was taken in, as 64 hexadecimal characters."""
        return self._hash.hexdigest()
