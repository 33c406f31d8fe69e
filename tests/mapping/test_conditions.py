"""Conditions and computed values: what they say of a record, and which are refused before they see one."""

from decimal import Decimal
from typing import Any

import pytest

from mapping.conditions import CannotEvaluate, Computation, Condition, Declared, Holds, WrongText

OPPORTUNITY = {
    "amount": Declared(Holds.NUMBER),
    "probability": Declared(Holds.NUMBER),
    "currency": Declared(Holds.TEXT),
    "milestone": Declared(Holds.TEXT),
    "owner.name": Declared(Holds.TEXT),
    "type": Declared(Holds.TEXT),
    "won": Declared(Holds.FLAG),
    "tags": Declared(Holds.TEXTS),
    "addresses": Declared(Holds.ROWS, ("country", "type")),
    "fields": Declared(Holds.FIELDS),
}
DEAL: dict[str, Any] = {
    "amount": Decimal("1250.50"),
    "probability": 60,
    "currency": "EUR",
    "milestone": "Proposal",
    "owner.name": "Nora Quist",
    "type": "retainer",
    "won": False,
    "tags": ["vip", "north"],
    "addresses": [{"country": "Germany", "type": "Office"}, {"country": "Norway", "type": None}],
    "fields": {"VAT number": "DE1", "Rush": True, "Seats": 12, "Note": None},
}


def condition(text: str) -> Condition:
    return Condition(text, OPPORTUNITY, "when", "opportunity")


def holds(text: str, **changed: Any) -> bool:
    return condition(text).holds(DEAL | changed)


def value(text: str, gives: Holds = Holds.TEXT, **changed: Any) -> Any:
    return Computation(text, OPPORTUNITY, "note.compute", "opportunity", gives).value(DEAL | changed)


def refusal(text: str) -> WrongText:
    with pytest.raises(WrongText) as refused:
        condition(text)
    return refused.value


@pytest.mark.parametrize(
    "text",
    [
        'currency == "EUR"',
        "currency == 'EUR' && amount > 1000",
        "amount > 1250.49 && amount < 1250.51",
        "amount == 1250.5",
        "amount != null",
        "amount >= 1000 && probability >= 50.5",
        "amount * 2.0 > 2500.0",
        "amount > -1",
        "-amount < 0.0",
        "probability in [60, 80]",
        'currency in ["EUR", "GBP"]',
        '!(currency in ["USD", "GBP"])',
        '"vip" in tags',
        'tags.exists(t, t.startsWith("nor"))',
        'tags.all(tag, tag != "")',
        'tags.exists_one(t, t == "vip")',
        "size(tags) == 2",
        'size(tags.filter(t, t == "vip")) == 1',
        'addresses.exists(a, a.country == "Germany" && a.type == "Office")',
        'addresses.exists(a, a.type == "")',
        'owner.name == "Nora Quist"',
        'owner.name.endsWith("Quist")',
        "owner.name.contains(' ')",
        'milestone.matches("^Prop")',
        'type == "retainer"',
        'tags.exists(type, type == "vip")',
        'fields["VAT number"] == "DE1"',
        'fields["vat NUMBER"] != ""',
        'fields["Rush"] == "yes"',
        'double(fields["Seats"]) > 10.0',
        'int(fields["Seats"]) == 12',
        'fields["Note"] == ""',
        "fields['Nobody made this'] == ''",
        "!won",
        "won == false",
        'won ? currency == "USD" : currency == "EUR"',
        'string(probability) == "60"',
        'timestamp("2026-11-23T10:00:00Z") > timestamp("2026-11-22T10:00:00Z")',
        'timestamp("2026-11-23T10:00:00Z").getFullYear() == 2026',
        'currency == "EUR" ||\n  currency == "GBP"',
    ],
)
def test_a_deal_meets_what_a_bookkeeper_would_say_of_it(text: str) -> None:
    """S56, S65"""
    assert holds(text)


@pytest.mark.parametrize(
    ("text", "line", "column", "says"),
    [
        ('amount > "1000"', 1, 8, "> does not work on number and text"),
        ("currency > 5", 1, 10, "> does not work on text and whole number"),
        ('won == "yes"', 1, 5, "== does not work on yes/no and text"),
        ("currency && won", 1, 10, "&& does not work on text and yes/no"),
        ("amount * 2 > 5.0", 1, 8, "write a whole number as 2.0 where something is computed"),
        ("currency == null", 1, 10, 'an empty text is ""'),
        ('fields["VAT number"] > 5', 1, 22, "> does not work on text and whole number"),
        ('currencey == "EUR"', 1, 1, "there is no currencey here. Allowed: addresses, amount, currency, fields"),
        ('currency == "EUR" &&\n  amont > 5', 2, 3, "there is no amont here"),
        ('addresses.exists(a, a.contry == "Norway")', 1, 23, "rows have no part contry. Allowed: country, type"),
        ("tags.exists(t, u == t)", 1, 16, "there is no u here"),
        ("owner.nme == 'x'", 1, 6, "there is no owner.nme here"),
        ("currency.lowerAscii() == 'eur'", 1, 10, "there is no lowerAscii(…). Allowed: all, contains"),
        ("currency == ", 1, 13, "cannot be read from here on"),
        ("(won", 1, 5, "cannot be read from here on"),
        ('currency == "EUR', 1, 13, "a text that is not closed on its line"),
        ("currency", 1, 1, "must say yes or no, but gives a text"),
        ("tags", 1, 1, "must say yes or no, but gives list<string>"),
        ("", 1, 1, "says nothing"),
        ("won // said by sales", 1, 5, "comments are not allowed inside"),
        ("won == {}", 1, 8, "braces are not allowed"),
        ('milestone.matches("(")', 1, 19, "a pattern that cannot be read"),
        ("milestone.matches(currency)", 1, 19, "a pattern is a text in quotes"),
        ("tags[0] == 'vip'", 1, 5, "a list has no numbered items here"),
        ("fields.Rush == 'yes'", 1, 1, "name one custom field, in quotes"),
        ("fields[currency] == 'yes'", 1, 1, "name one custom field, in quotes"),
        ("won == trüe", 1, 10, "the sign 'ü' means nothing here"),
    ],
)
def test_what_could_not_work_is_refused_with_line_and_column(text: str, line: int, column: int, says: str) -> None:
    """S54, Z36"""
    error = refusal(text)
    assert (error.line, error.column) == (line, column)
    assert says in str(error)


@pytest.mark.parametrize(
    ("text", "column", "says"),
    [
        ("won || " * 200 + "won", 1001, "longer than 1,000 characters"),
        ("+".join(["currency"] * 12) + " == ''", 99, "more than 10 additions"),
        ("tags.exists(t, t + t == '')", 18, "an addition inside a question to a list"),
        ("[currency].map(a, a + a).map(a, a + a) == []", 12, "there is no map(…)"),
        ("tags.exists(a, tags.exists(b, a == b))", 21, "a question to a list inside another one"),
        ("tags.exists(a, tags.filter(b, a == b) == tags)", 21, "a question to a list inside another one"),
        (" && ".join(["tags.all(t, t == '')"] * 4), 78, "more than 3 questions to lists"),
        ("tags.exists(t, t.matches('a'))", 18, "matches(…) is not allowed inside"),
        ('currency == """x"""', 13, "triple quotes are not allowed"),
        ('currency == r"x"', 14, "a letter right before a quote"),
        ("(" * 40 + "won" + ")" * 40, 1, "too many brackets within brackets"),
        ("dyn(currency) > 5", 1, "there is no dyn(…)"),
        ("size(bytes(currency)) > 5", 6, "there is no bytes(…)"),
        ("milestone.matches('" + "a" * 100 + "')", 19, "at most 100 characters"),
        (" && ".join(["milestone.matches('a')"] * 4), 89, "more than 3 patterns"),
    ],
)
def test_what_could_grow_without_end_is_refused_when_it_is_loaded(text: str, column: int, says: str) -> None:
    """F37: doubling a text forty times would need a terabyte."""
    error = refusal(text)
    assert (error.line, error.column) == (1, column)
    assert says in str(error)


def test_an_empty_number_is_null_and_has_to_be_asked_for() -> None:
    assert not holds("amount != null && amount > 100", amount=None)
    assert holds("probability == null", probability=None)
    assert holds("amount == null", amount="")
    with pytest.raises(
        CannotEvaluate, match=r"^when: for this opportunity it compares or computes with an empty number"
    ):
        holds("amount > 100", amount=None)


def test_whatever_else_is_empty_is_an_empty_text_an_empty_list_or_no() -> None:
    nothing = dict.fromkeys(DEAL)
    text = 'currency == "" && size(tags) == 0 && !won && fields["VAT number"] == "" && size(addresses) == 0'
    assert condition(text).holds(nothing)
    assert condition(text).holds({})


def test_a_null_is_never_touched_however_often_it_comes() -> None:
    """Touching 5,000 of them ends Python 3.11 without a word."""
    nullable = Computation("amount", OPPORTUNITY, "note.compute", "opportunity", Holds.NUMBER)
    assert {nullable.value({"amount": None}) for _ in range(20_000)} == {None}


def test_amounts_are_compared_to_the_cent() -> None:
    assert holds("amount == 999999999999.99", amount=Decimal("999999999999.99"))
    assert not holds("amount > 0.3", amount="0.30")
    with pytest.raises(CannotEvaluate, match="a number of more than 15 digits"):
        holds("amount > 1", amount=Decimal("12345678901234.56"))


def test_what_cannot_be_worked_out_names_the_rule_and_never_the_value() -> None:
    secrets = {"currency": "hush-hush", "fields": {"Seats": "hush-hush"}, "amount": "hush-hush"}
    for text in ("int(currency) > 5", 'double(fields["Seats"]) > 1.0', "timestamp(currency) != timestamp(currency)"):
        with pytest.raises(CannotEvaluate) as failed:
            holds(text, **secrets)
        assert "hush" not in str(failed.value)
        assert str(failed.value).startswith("when: for this opportunity it reads a text as a number or a time")
    with pytest.raises(CannotEvaluate, match="compares a number that is none") as failed:
        holds("amount > 1", **secrets)
    assert "hush" not in str(failed.value)


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"currency": "x" * 10_001}, "a text of more than 10,000 characters"),
        ({"tags": ["x"] * 1_001}, "a list of more than 1,000 items"),
        ({"tags": ["x" * 100] * 600}, "more than 50,000 characters in all"),
    ],
)
def test_a_record_that_is_too_large_stops_itself_and_nothing_else(changed: dict[str, Any], says: str) -> None:
    with pytest.raises(CannotEvaluate, match=says):
        holds('currency == "EUR" && "vip" in tags', **changed)


def test_only_what_a_condition_asks_for_has_to_be_small() -> None:
    assert holds('currency == "EUR"', milestone="x" * 1_000_000)


def test_half_a_letter_ends_nothing() -> None:
    """JSON allows "\\ud800", which no text can hold."""
    assert holds('currency == "?"', currency="\ud800")


def test_small_values_are_computed() -> None:
    """S57, S58"""
    assert value('owner.name + ", " + milestone') == "Nora Quist, Proposal"
    assert value('probability != null && probability >= 50 ? "likely" : "open"') == "likely"
    assert value('"" + currency', currency=None) is None
    assert value("amount * 2.0", Holds.NUMBER) == 2501.0
    assert value("won", Holds.FLAG) is False


@pytest.mark.parametrize(
    ("text", "gives", "says"),
    [
        ("amount", Holds.TEXT, r"must give a text, but gives a number: put string\(…\) around it"),
        ("currency", Holds.FLAG, "must give yes/no, but gives a text"),
        ("[currency]", Holds.TEXT, "gives list<string>"),
        ("null", Holds.TEXT, "gives nothing"),
    ],
)
def test_a_computed_value_of_another_kind_is_refused(text: str, gives: Holds, says: str) -> None:
    with pytest.raises(WrongText, match=says):
        value(text, gives)


def test_a_computed_text_that_is_too_long_is_no_value() -> None:
    with pytest.raises(CannotEvaluate, match="gives a text longer than 10,000 characters"):
        value("milestone + milestone", milestone="x" * 6_000)


def test_the_custom_fields_that_a_condition_names_are_known() -> None:
    """S15: so that it can be checked that the account has them."""
    text = 'fields["VAT number"] != "" || fields["Rush"] == "yes"'
    assert condition(text).custom_fields == {"VAT number", "Rush"}
