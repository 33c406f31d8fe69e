"""Languages by code, locale, or name in the usual European languages."""

import re
from collections.abc import Mapping
from functools import lru_cache

from babel import Locale

from mapping.values import folded

_SPOKEN = ("en", "de", "fr", "es", "it", "nl", "pt", "sv", "nb", "da", "fi", "pl", "cs")
_LOCALE = re.compile(r"([A-Za-z]{2})(?:[-_.].*)?")


def language_code_of(text: str) -> str | None:
    """Return the two-letter ISO 639 code for "German", "Deutsch", "de" or "de-DE"; None if unknown.

    Source: https://www.freshbooks.com/api/clients (`language` holds such codes).
    """
    locale = _LOCALE.fullmatch(text.strip())
    if locale and locale[1].lower() in Locale("en").languages:
        return locale[1].lower()
    return _index().get(folded(text))


@lru_cache(maxsize=1)
def _index() -> Mapping[str, str]:
    found: dict[str, str] = {}
    for spoken in _SPOKEN:
        for code, name in Locale(spoken).languages.items():
            if len(code) == 2:
                found.setdefault(folded(str(name)), code)
    return found
