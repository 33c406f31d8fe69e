"""Small pure functions that turn what Capsule holds into what FreshBooks takes.

Each is known to mappings by the name in its decorator. A CannotTransform tells a person what is wrong with the value
without repeating it.
"""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Annotated, Literal, TypeAlias

import phonenumbers
from pydantic import AfterValidator, Field, StrictBool, StrictInt, StrictStr

from mapping.context import Context, known_country
from mapping.countries import country_shown
from mapping.currencies import is_currency
from mapping.languages import language_code_of
from mapping.registry import Row, Rows, TextOrFlag, known_transforms, transform
from mapping.values import CannotTransform, Value, tidy

__all__ = ["Row", "Rows", "known_transforms", "transform"]

RowType: TypeAlias = Literal[
    "Billing", "Office", "Postal", "Home", "Shipping", "Work", "Direct", "Mobile", "Fax", "untyped"
]
"""What Capsule calls its addresses, numbers and emails; most of them have no type at all.
Source: https://developer.capsulecrm.com/v2/models/address"""

RowKey: TypeAlias = Literal["street", "city", "state", "zip", "country", "number", "address", "url", "name"]


def _complete_date_format(text: str) -> str:
    """Refuse a format that loses the day, the month or the year, or cannot be read back."""
    probe = date(2031, 12, 28)
    try:
        read_back = datetime.strptime(probe.strftime(text), text).date()  # noqa: DTZ007 (a date has no zone)
    except ValueError:
        read_back = None
    if read_back != probe:
        raise ValueError("a date format needs day, month and year, such as %d/%m/%Y")
    return text


Choice: TypeAlias = StrictStr | StrictBool | StrictInt


def _distinct_words(table: Mapping[str, Choice]) -> dict[str, Choice]:
    """Return the table by word as written; refuse one with two entries for a word."""
    words = {word.strip(): choice for word, choice in table.items()}
    if len({word.casefold() for word in words}) != len(table):
        raise ValueError("the table has two entries for one word: capitals make no difference")
    return words


DateFormat: TypeAlias = Annotated[str, AfterValidator(_complete_date_format)]
Table: TypeAlias = Annotated[dict[str, Choice], Field(min_length=1), AfterValidator(_distinct_words)]


@transform("trim", normalises=True)
def trim(text: str) -> str | None:
    """Return the text without space around it, with plain line ends; None if nothing is left."""
    return tidy(text)


@transform("collapse_spaces", normalises=True)
def collapse_spaces(text: str) -> str | None:
    """Return the text with every run of spaces and line ends as one space."""
    return tidy(" ".join(text.split()))


@transform("choose")
def choose(rows: Rows, *, prefer: tuple[RowType, ...], exclude: tuple[RowType, ...] = ()) -> Row | None:
    """Return the row of the most preferred type; types neither preferred nor excluded come last.

    Capsule marks no row as the main one. Among rows of one type the oldest (lowest id) wins, whatever their order.
    """
    allowed = [row for row in rows if _type_of(row) not in exclude]
    return min(allowed, key=lambda row: (_rank(_type_of(row), prefer), _age(row)), default=None)


@transform("only")
def only(rows: Rows, *, types: tuple[RowType, ...]) -> Row | None:
    """Return the row of the first of these types that occurs, the oldest of its type; no other type will do."""
    return choose([row for row in rows if _type_of(row) in types], prefer=types)


@transform("take")
def take(row: Row, *, key: RowKey) -> Value:
    """Return one part of a row, such as an address's city."""
    part: Value = row.get(key)
    return part


@transform("join")
def join(rows: Rows, *, key: RowKey, separator: str = ", ") -> str | None:
    """Return that part of all rows, oldest first, in one text."""
    parts = (tidy(str(row.get(key) or "")) for row in sorted(rows, key=_age))
    return separator.join(part for part in parts if part) or None


@transform("first_line")
def first_line(text: str) -> str | None:
    """Return the first line that is not blank: a street that has several in Capsule, and two fields in FreshBooks."""
    return next(iter(lines_of(text)), None)


@transform("other_lines")
def other_lines(text: str, *, separator: str = ", ") -> str | None:
    """Return all lines after the first one that is not blank, joined to one."""
    return separator.join(lines_of(text)[1:]) or None


@transform("country_name", normalises=True)
def country_name(text: str, *, context: Context) -> str:
    """Return the country as FreshBooks shows it, for any usual name or code of it."""
    return country_shown(known_country(text, context), context.country_names)


@transform("country_code", normalises=True)
def country_code(text: str, *, context: Context) -> str:
    """Return the two-letter ISO 3166 code, for any usual name or code of the country."""
    return known_country(text, context)


@transform("phone_e164", normalises=True)
def phone_e164(text: str, *, context: Context) -> str:
    """Return a phone number as +442079460018. Numbers without country code belong to the connection's phone region."""
    try:
        number = phonenumbers.parse(text, context.phone_region)
    except phonenumbers.NumberParseException:
        number = None
    if number is None or not phonenumbers.is_possible_number(number):
        raise CannotTransform("is no phone number; without +country code the connection needs its phone_region")
    extension = f" ext. {number.extension}" if number.extension else ""
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164) + extension


@transform("lower_email_domain", normalises=True)
def lower_email_domain(text: str) -> str:
    """Return the email address with its domain in lower case; the part before the @ belongs to the mail server."""
    local, _, domain = text.strip().rpartition("@")
    if not local or not domain or "@" in local or any(letter.isspace() for letter in local + domain):
        raise CannotTransform("is no email address: one name, one @, one domain; correct it in the CRM")
    return f"{local}@{domain.lower()}"


@transform("language_code", normalises=True)
def language_code(text: str) -> str:
    """Return the two-letter code of a language given as code, locale or name: "German" and "de-DE" are de."""
    code = language_code_of(text)
    if code is None:
        raise CannotTransform("is no known language: write its name or code, such as German or de")
    return code


@transform("currency_code", normalises=True)
def currency_code(text: str) -> str:
    """Return the ISO 4217 code in capitals. Names and signs are refused: a $ can be twenty currencies."""
    code = text.strip().upper()
    if not is_currency(code):
        raise CannotTransform("is no ISO 4217 currency code: write three letters, such as EUR")
    return code


@transform("or_default_currency")
def or_default_currency(text: str | None, *, context: Context) -> str | None:
    """Return the connection's default currency where the record names none."""
    return text or context.default_currency


@transform("or_default_language")
def or_default_language(text: str | None, *, context: Context) -> str | None:
    """Return the connection's default language where the record names none."""
    return text or context.default_language


def _date_back(text: str, *, reads: str, writes: str) -> str:
    return date_format(text, reads=writes, writes=reads)


@transform("date_format", inverse=_date_back)
def date_format(text: str, *, reads: DateFormat, writes: DateFormat) -> str:
    """Return a date written another way. Formats are those of strftime: %Y-%m-%d, %d.%m.%Y."""
    try:
        day = datetime.strptime(text.strip(), reads)  # noqa: DTZ007 (a date has no zone)
    except ValueError:
        raise CannotTransform("is no date in the form that the mapping reads") from None
    return day.strftime(writes)


_YES = frozenset({"yes", "y", "true", "1", "on", "ja", "oui", "si", "sí", "sì"})
_NO = frozenset({"no", "n", "false", "0", "off", "nein", "non", "nej", "nee"})


@transform("yes_no", normalises=True)
def yes_no(value: TextOrFlag) -> bool:
    """Return yes or no as such, for a checkbox or a word. Capsule has no row for an unticked box: add a default."""
    if isinstance(value, bool):
        return value
    word = str(value).strip().casefold()
    if word not in _YES | _NO:
        raise CannotTransform("is neither yes nor no")
    return word in _YES


@transform("constant")
def constant(_: Value, *, value: Choice) -> Value:
    """Return the same value for every record."""
    return value


@transform("cut")
def cut(text: str, *, length: Annotated[int, Field(ge=1, le=10_000)]) -> str | None:
    """Return at most so many characters. The rest is lost, so a mapping has to say so."""
    return tidy(text[:length])


def _one_to_one(*, choices: Table, otherwise: Choice | None) -> bool:
    return otherwise is None and len(set(map(str, choices.values()))) == len(choices)


def _word_for(value: Value, *, choices: Table, otherwise: Choice | None) -> str:  # noqa: ARG001 (arguments of `table`)
    for word, choice in choices.items():
        if str(choice) == str(value):
            return word
    raise CannotTransform("is none of the values that the mapping's table gives")


@transform("table", inverse=_word_for, invertible=_one_to_one)
def table(value: TextOrFlag, *, choices: Table, otherwise: Choice | None = None) -> Value:
    """Return what stands beside the word, whatever its case; `otherwise` for the rest. A checkbox is yes or no."""
    word = {True: "yes", False: "no"}[value] if isinstance(value, bool) else str(value)
    by_word = {each.casefold(): choice for each, choice in choices.items()}
    found = by_word.get(word.strip().casefold(), otherwise)
    if found is None:
        raise CannotTransform("is not in the mapping's table, which has no `otherwise`")
    return found


def lines_of(text: str) -> list[str]:
    """Return the lines that are not blank, each without space around it."""
    return [line.strip() for line in text.splitlines() if line.strip()]


def _type_of(row: Row) -> str:
    return str(row.get("type") or "untyped")


def _rank(kind: str, prefer: tuple[RowType, ...]) -> int:
    return next((place for place, each in enumerate(prefer) if each == kind), len(prefer))


def _age(row: Row) -> int:
    """Return the row's id: Capsule counts upwards, so the oldest row has the lowest."""
    return int(row.get("id") or 0)
