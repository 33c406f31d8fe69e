"""Names as they are compared: without case, accents, punctuation, legal forms and the small words between names."""

import re
import unicodedata
from collections.abc import Callable

LEGAL_FORMS = frozenset(
    {
        *("ag", "ek", "ev", "gbr", "ggmbh", "gmbh", "haftungsbeschrankt", "kg", "kga", "mbh", "og", "ohg", "se", "ug"),
        *("co", "company", "corp", "corporation", "inc", "incorporated", "limited", "llc", "llp", "lp", "ltd"),
        *("cic", "plc", "pllc", "proprietary", "pte", "pty"),
        *("cie", "eirl", "eurl", "sa", "sarl", "sas", "sasu", "sca", "sci", "snc", "sprl", "srl"),
        *("bv", "cv", "nv", "vof"),
        *("ab", "aps", "as", "asa", "hb", "ivs", "ky", "oy", "oyj"),
        *("eireli", "lda", "ltda", "sapi", "sl", "slu"),
        *("sapa", "spa", "srls", "ss"),
        *("doo", "eod", "kft", "nyrt", "od", "ou", "sia", "sp", "sro", "uab", "zo", "zoo", "zrt"),
    }
)
"""Words that say what kind of firm it is and not which one, folded as `words` folds them."""

JOINING_WORDS = frozenset({"and", "und", "et", "og", "och", "the"})

# Letters that Unicode does not take apart into a plain one and its accent.
_PLAIN = str.maketrans(
    {"æ": "ae", "œ": "oe", "ø": "o", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "\N{LATIN SMALL LETTER DOTLESS I}": "i"}
)
_UMLAUT = re.compile(r"([aou])e+")  # ä is also written ae, and by others a; ö and ü likewise
_DOUBLE_A = re.compile(r"a{2,}")  # å is also written aa, and by others a
_APOSTROPHES = re.compile(r"['’‘`´ʼ]")  # noqa: RUF001 - that is how they are typed
_NO_LETTER = re.compile(r"[\W_]+")


def words(text: str | None) -> tuple[str, ...]:
    """Return the words of a name, folded: "Müller & Söhne G.m.b.H." and "mueller und soehne gmbh" give the same.

    Folding what was folded changes nothing.
    """
    return tuple(_settled(text, _fold).split()) if text else ()


def person_name(*parts: str | None) -> str:
    """Return a person's name to compare, whatever the order of its parts: "Quist, Nora" is "Nora Quist"."""
    return _settled(" ".join(part for part in parts if part), lambda text: " ".join(sorted(words(text))))


def firm_name(name: str | None) -> str:
    """Return a firm's name to compare, without its legal form and the order of its words: "Acme Ltd" is "ACME Limited".

    A name that is nothing but legal forms stays as it is.
    """
    return _settled(name or "", lambda text: " ".join(sorted(_telling(words(text)))))


def _telling(every: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(word for word in every if word not in LEGAL_FORMS) or every


def _settled(text: str, fold: Callable[[str], str]) -> str:
    """Fold until nothing changes: taking one thing away can bring another to light."""
    while (folded := fold(text)) != text:
        text = folded
    return text


def _fold(text: str) -> str:
    parts = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", text).casefold())
    plain = "".join(letter for letter in parts if not unicodedata.combining(letter)).translate(_PLAIN)
    spelled = _DOUBLE_A.sub("a", _UMLAUT.sub(r"\1", _APOSTROPHES.sub("", plain).replace("&", " and ")))
    found = [word for word in _NO_LETTER.split(spelled) if word and word not in JOINING_WORDS]
    return " ".join(_join_letters(found))


def _join_letters(found: list[str]) -> list[str]:
    """Join letters that stand alone: G. m. b. H. is gmbh, and J. P. Morgan is JP Morgan."""
    joined: list[str] = []
    alone = False
    for word in found:
        if len(word) == 1 and alone:
            joined[-1] += word
        else:
            joined.append(word)
        alone = len(word) == 1
    return joined
