"""Values that name people are stored sealed, each bound to the place it belongs to."""

import json
from typing import Any

from runtime.keys import KeyRing


def seal(keys: KeyRing, content: Any, *place: str) -> bytes:
    """Encrypt JSON-ready content for one place (table, column and row); it opens nowhere else."""
    plain = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return keys.seal(plain.encode(), "/".join(place))


def unseal(keys: KeyRing, sealed: bytes, *place: str) -> Any:
    """Return what `seal` was given. Raises KeyProblem if the bytes were moved, altered, or their key is gone."""
    return json.loads(keys.open(sealed, "/".join(place)))
