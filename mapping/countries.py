"""Countries by any usual name. ISO 3166 from pycountry, names from CLDR, and what both miss."""

from collections.abc import Iterator, Mapping
from functools import lru_cache

import pycountry
from babel import Locale

from mapping.values import folded

# English first: where two languages use one word for two countries, neither is believed (see `_by_name`).
_LANGUAGES = ("en", "de", "fr", "es", "it", "nl", "pt", "sv", "nb", "da", "fi", "pl", "cs")

# What people and CRMs write and neither list knows. Parts of a country stand for the country: an invoice needs no more.
_ALIASES = {
    "U.S.A.": "US",
    "U.S.": "US",
    "Great Britain": "GB",
    "Britain": "GB",
    "UK": "GB",
    "England": "GB",
    "Scotland": "GB",
    "Wales": "GB",
    "Northern Ireland": "GB",
    "Republic of Ireland": "IE",
    "Eire": "IE",
    "Holland": "NL",
    "Turkey": "TR",
    "Ivory Coast": "CI",
    "Korea, South": "KR",
    "Korea, North": "KP",
    "Republic of Korea": "KR",
    "Czech Rep.": "CZ",
    "Slovak Republic": "SK",
    "Macedonia": "MK",
    "FYR Macedonia": "MK",
    "Swaziland": "SZ",
    "Burma": "MM",
    "Myanmar": "MM",
    "Cape Verde": "CV",
    "East Timor": "TL",
    "Vatican": "VA",
    "Holy See": "VA",
    "UAE": "AE",
    "Emirates": "AE",
    "PRC": "CN",
    "P.R. China": "CN",
    "Mainland China": "CN",
    "Hong Kong SAR": "HK",
    "Macau": "MO",
    "Macau SAR": "MO",
    "Congo, Democratic Republic of the": "CD",
    "Congo (Kinshasa)": "CD",
    "DR Congo": "CD",
    "DRC": "CD",
    "Congo, Republic of the": "CG",
    "Congo (Brazzaville)": "CG",
    "Falkland Islands": "FK",
    "Gambia, The": "GM",
    "Bahamas, The": "BS",
    "Micronesia": "FM",
    "Palestine": "PS",
    "State of Palestine": "PS",
    "Russia": "RU",
    "St Helena": "SH",
    "St Kitts and Nevis": "KN",
    "St Lucia": "LC",
    "St Vincent": "VC",
    "Virgin Islands, British": "VG",
    "Virgin Islands, U.S.": "VI",
    "Kosovo": "XK",
    "BRD": "DE",
}

# CLDR's English name, except where it is not what an address says.
_SHOWN = {"HK": "Hong Kong", "MO": "Macau", "MM": "Myanmar", "CD": "Congo (DRC)", "CG": "Congo (Republic)"}


# The ISO names that such lists shorten, or have by an older name.
_LISTED = {"FM": "Micronesia", "PS": "Palestine", "RU": "Russia", "TR": "Turkey"}


def country_code_of(text: str) -> str | None:
    """Return the ISO 3166 two-letter code of a country named by code, name or usual alias; None if unknown."""
    # A code is letters alone: "N/A" is not Namibia.
    return _by_code().get(text.strip().upper()) or _by_name().get(folded(text))


def country_shown(code: str, own_names: Mapping[str, str]) -> str:
    """Return the English display name of a two-letter code, the connection's own names first.

    FreshBooks shows names such as "Canada" and checks none of them, so what it shows elsewhere is for each firm to say.
    Source: https://www.freshbooks.com/api/clients (`p_country`).
    """
    return own_names.get(code) or _SHOWN.get(code) or str(Locale("en").territories[code])


def country_listed(code: str) -> str:
    """Return the ISO 3166 name of a two-letter code in its short form, as lists of countries usually have it."""
    country = pycountry.countries.get(alpha_2=code)
    if code in _LISTED or country is None:
        return _LISTED.get(code) or country_shown(code, {})
    return str(getattr(country, "common_name", country.name))


@lru_cache(maxsize=1)
def _codes() -> frozenset[str]:
    """Return every ISO 3166 code, and XK: Kosovo has no code there, but it has addresses."""
    return frozenset(country.alpha_2 for country in pycountry.countries) | {"XK"}


def is_country_code(code: str) -> bool:
    """Return whether this is a two-letter code in capitals of an existing country."""
    return code in _codes()


@lru_cache(maxsize=1)
def _by_code() -> Mapping[str, str]:
    """Return the two-letter code by itself and by the three-letter one."""
    return {code: code for code in _codes()} | {each.alpha_3: each.alpha_2 for each in pycountry.countries}


@lru_cache(maxsize=1)
def _by_name() -> Mapping[str, str]:
    """Return code by folded name. A word that names two countries in two languages is left out: no guessing."""
    found: dict[str, str] = {}
    doubtful = set()
    for name, code in _foreign_names():
        if found.setdefault(folded(name), code) != code:
            doubtful.add(folded(name))
    certain = {name: code for name, code in found.items() if name not in doubtful}
    return certain | {folded(name): code for name, code in _official_names()} | _folded_aliases()


def _folded_aliases() -> dict[str, str]:
    return {folded(name): code for name, code in _ALIASES.items()}


def _official_names() -> Iterator[tuple[str, str]]:
    for country in pycountry.countries:
        for attribute in ("name", "official_name", "common_name"):
            if name := getattr(country, attribute, None):
                yield name, country.alpha_2
    for code in _codes():
        yield str(Locale("en").territories[code]), code
        yield country_shown(code, {}), code


def _foreign_names() -> Iterator[tuple[str, str]]:
    for language in _LANGUAGES:
        for code, name in Locale(language).territories.items():
            if code in _codes():
                yield str(name), code
