"""What every account has from the start: countries, currencies, users, a team, the site.

Source: https://developer.capsulecrm.com/v2/operations/Internationalization, /User, /Site
"""

import functools

import pycountry
from starlette.responses import Response

from sandbox.calls import Call, answer
from sandbox.capsule.account import ADMIN_ID, PICTURES, SUBDOMAIN, Account, id_in
from sandbox.capsule.entities import PARTY
from sandbox.capsule.errors import missing
from sandbox.capsule.render import embeds_in, party_view
from sandbox.ledger import Record

ALIASES = {"USA": "United States"}
# The ISO names that Capsule, like most products, shortens.
SHORTER = {
    "BO": "Bolivia", "CD": "Congo, The Democratic Republic of the", "FM": "Micronesia", "GB": "United Kingdom",
    "IR": "Iran", "KP": "North Korea", "KR": "South Korea", "LA": "Laos", "MD": "Moldova", "PS": "Palestine",
    "RU": "Russia", "SY": "Syria", "TR": "Turkey", "TW": "Taiwan", "TZ": "Tanzania", "US": "United States",
    "VE": "Venezuela", "VN": "Vietnam",
}  # fmt: skip
CURRENCY_CODES = """
    AED ARS AUD AZN BAM BDT BGN BHD BRL BWP CAD CHF CLP CNY COP CRC CZK DKK DOP DZD EGP EUR GBP GEL GHS GTQ HKD
    HNL HUF IDR ILS INR IQD ISK JMD JOD JPY KES KRW KWD KZT LBP LKR MAD MDL MKD MUR MXN MYR NAD NGN NIO NOK NPR
    NZD OMR PAB PEN PHP PKR PLN PYG QAR RON RSD RUB SAR SEK SGD THB TND TRY TTD TWD TZS UAH UGX USD UYU VND XOF
    ZAR ZMW
"""
SYMBOLS = {"EUR": "€", "GBP": "£", "USD": "$", "JPY": "¥", "PLN": "zł", "CZK": "Kč", "INR": "₹", "TRY": "₺", "ILS": "₪"}


@functools.cache
def countries() -> list[Record]:
    """Return the dictionary of countries, by name."""
    rows = [
        {
            "alpha2Code": each.alpha_2,
            "alpha3Code": each.alpha_3,
            "numericCode": int(each.numeric),
            "name": SHORTER.get(each.alpha_2, each.name),
        }
        for each in pycountry.countries
    ]
    return sorted(rows, key=lambda row: str(row["name"]))


@functools.cache
def _names() -> dict[str, str]:
    return {row["name"]: row["alpha2Code"] for row in countries()}


def country_name(text: str) -> str | None:
    """Return the name under which a country is stored, or None if the dictionary does not have it."""
    name = ALIASES.get(text, text)
    return name if name in _names() else None


def country_code(name: str) -> str:
    """Return the alpha-2 code of a country name of the dictionary."""
    return _names()[name]


def currencies() -> list[Record]:
    """Return the currencies that can be used."""
    found = [(code, pycountry.currencies.get(alpha_3=code)) for code in CURRENCY_CODES.split()]
    return [{"code": code, "symbol": SYMBOLS.get(code, code), "name": each.name} for code, each in found if each]


def user(user_id: int, username: str, name: str, timezone: str) -> Record:
    """Return a user record without a party of its own, which would hold the email address: users have none."""
    return {
        "id": user_id,
        "username": username,
        "name": name,
        "status": "ACTIVE",
        "currency": "EUR",
        "locale": "en_GB",
        "timezone": timezone,
        "lastLoginAt": "2026-01-05T08:00:00Z",
        "taskReminder": True,
        "loggedIn": False,
        "deleted": False,
        "pictureURL": f"{PICTURES}/person_avatar_70.png",
        "party": None,
    }


USERS = [
    user(ADMIN_ID, "ann", "Ann Bell", "Europe/Berlin"),
    user(ADMIN_ID + 1, "jonas", "Jonas Weiß", "Europe/Berlin"),
]
SINCE = "2024-01-02T09:00:00Z"
TEAMS: list[Record] = [
    {"id": 810, "name": "Sales", "createdAt": SINCE, "updatedAt": SINCE},
    {"id": 811, "name": "Support", "createdAt": SINCE, "updatedAt": SINCE},
]
MEMBERS = {810: {ADMIN_ID, ADMIN_ID + 1}, 811: {ADMIN_ID}}


class Reference:
    """The operations that only read."""

    def __init__(self, account: Account) -> None:
        self._account = account

    def users(self, call: Call) -> Response:
        """All users; not paginated."""
        return answer({"users": [self._user_view(call, each) for each in self._account.records.all("user")]})

    def user(self, call: Call) -> Response:
        """One user by id, or the token's under `current`."""
        user_id = call.token["user_id"] if call.params["id"] == "current" else id_in(call)
        found = self._account.records.get("user", user_id)
        if found is None:
            raise missing("user")
        return answer({"user": self._user_view(call, found)})

    def teams(self, _call: Call) -> Response:
        """All teams; not paginated."""
        return answer({"teams": self._account.records.all("team")})

    def team(self, call: Call) -> Response:
        """One team."""
        found = self._account.records.get("team", id_in(call))
        if found is None:
            raise missing("team")
        return answer({"team": found})

    def site(self, _call: Call) -> Response:
        """The account itself."""
        url = f"https://{SUBDOMAIN}.capsulecrm.com"
        return answer({"site": {"subdomain": SUBDOMAIN, "name": "Sandbox Ltd", "url": url}})

    def countries(self, _call: Call) -> Response:
        """The dictionary of countries."""
        return answer({"countries": countries()})

    def currencies(self, _call: Call) -> Response:
        """The usable currencies."""
        return answer({"currencies": currencies()})

    def _user_view(self, call: Call, user: Record) -> Record:
        """Return a user: its own party, which has the email address, in full only if that is asked for."""
        if user["party"] is None or "party" not in embeds_in(call):
            return user
        own = self._account.readable(PARTY, user["party"]["id"])
        return {**user, "party": party_view(self._account, own, set())}
