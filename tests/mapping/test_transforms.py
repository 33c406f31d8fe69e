"""The small functions that change a value on its way."""

import random
from datetime import date

import pytest
from babel import Locale
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from mapping import transforms
from mapping.context import Context
from mapping.countries import country_code_of, country_listed, country_shown, is_country_code
from mapping.registry import Step, known_transforms
from mapping.values import CannotTransform
from tests.mapping.parties import patient

NOWHERE = Context()
BRITISH = Context(phone_region="GB")

ROWS = st.lists(
    st.fixed_dictionaries(
        {"type": st.sampled_from(["Work", "Home", "Fax", "Direct", None]), "number": st.text(min_size=1)}
    ),
    max_size=6,
).map(lambda rows: [row | {"id": place} for place, row in enumerate(rows)])


@pytest.mark.parametrize(
    ("typed", "shown"),
    [
        ("UK", "United Kingdom"),
        ("England", "United Kingdom"),
        ("USA", "United States"),
        ("U.S.A.", "United States"),
        ("us", "United States"),
        ("United States of America", "United States"),
        ("Deutschland", "Germany"),
        ("DEU", "Germany"),
        ("Allemagne", "Germany"),
        ("Holland", "Netherlands"),
        ("The Netherlands", "Netherlands"),
        ("Turkey", "Türkiye"),
        ("turkiye", "Türkiye"),
        ("Ivory Coast", "Côte d\u2019Ivoire"),
        ("Cote d'Ivoire", "Côte d\u2019Ivoire"),
        ("Korea, South", "South Korea"),
        ("Korea, Republic of", "South Korea"),
        ("Czech Republic", "Czechia"),
        ("Österreich", "Austria"),
        ("NO", "Norway"),
        ("Russian Federation", "Russia"),
        ("Viet Nam", "Vietnam"),
        ("Trinidad and Tobago", "Trinidad & Tobago"),
        ("Bosnia & Herzegovina", "Bosnia & Herzegovina"),
        ("Hong Kong", "Hong Kong"),
        ("Kosovo", "Kosovo"),
    ],
)
def test_a_country_is_known_by_its_usual_names(typed: str, shown: str) -> None:
    """S57"""
    assert transforms.country_name(typed, context=NOWHERE) == shown


@pytest.mark.parametrize("typed", ["Ruritania", "Korea", "Kongo", "Europe", "N/A", "n.a.", "-", ""])
def test_a_country_is_never_guessed(typed: str) -> None:
    with pytest.raises(CannotTransform, match="country_aliases"):
        transforms.country_name(typed, context=NOWHERE)


def test_every_country_that_freshbooks_is_told_is_read_back_as_itself() -> None:
    """F20"""
    codes = [code for code in map(str, Locale("en").territories) if is_country_code(code)]
    assert len(codes) == 250
    assert all(country_code_of(country_shown(code, {})) == code for code in codes)


def test_every_country_that_capsule_is_told_is_read_back_as_itself() -> None:
    """F20: by the usual names, where Capsule's own list was not read."""
    codes = [code for code in map(str, Locale("en").territories) if is_country_code(code)]
    assert all(country_code_of(country_listed(code)) == code for code in codes)
    assert [country_listed(code) for code in ("GB", "US", "DE", "CZ", "XK")] == [
        "United Kingdom",
        "United States",
        "Germany",
        "Czechia",
        "Kosovo",
    ]


def test_a_connection_may_have_its_own_words_for_countries() -> None:
    own = Context(country_aliases={"Blighty": "GB"}, country_names={"GB": "Great Britain & N.I."})
    assert transforms.country_name("blighty", context=own) == "Great Britain & N.I."
    assert transforms.country_name("Great Britain & N.I.", context=own) == "Great Britain & N.I."
    assert transforms.country_code("blighty", context=own) == "GB"


@pytest.mark.parametrize(
    "setting",
    [
        {"default_currency": "eur"},
        {"default_language": "German"},
        {"phone_region": "UK"},
        {"country_aliases": {"Blighty": "UK"}},
        {"country_names": {"UK": "Great Britain"}},
        {"currency": "EUR"},
    ],
)
def test_a_connection_cannot_be_set_to_what_does_not_exist(setting: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        Context.model_validate(setting)


@pytest.mark.parametrize(
    ("typed", "code"),
    [("German", "de"), ("de-DE", "de"), ("de_AT.UTF-8", "de"), ("Français", "fr"), ("svenska", "sv"), ("EN", "en")],
)
def test_a_language_may_be_a_name_a_code_or_a_locale(typed: str, code: str) -> None:
    """S57"""
    assert transforms.language_code(typed) == code


@pytest.mark.parametrize("typed", ["Klingonese", "qq", "deutsch-ish"])
def test_a_language_nobody_speaks_is_refused(typed: str) -> None:
    with pytest.raises(CannotTransform):
        transforms.language_code(typed)


@pytest.mark.parametrize("typed", ["Euro", "$", "XYZ", "EU"])
def test_a_currency_is_never_guessed(typed: str) -> None:
    with pytest.raises(CannotTransform):
        transforms.currency_code(typed)


@pytest.mark.parametrize(
    ("typed", "international"),
    [
        ("020 7946 0018", "+442079460018"),
        ("+46 8 123 456 78", "+46812345678"),
        ("020 7946 0018 ext 12", "+442079460018 ext. 12"),
    ],
)
def test_a_phone_number_gets_the_country_code_of_its_connection(typed: str, international: str) -> None:
    assert transforms.phone_e164(typed, context=BRITISH) == international
    assert transforms.phone_e164(international, context=BRITISH) == international


@pytest.mark.parametrize("typed", ["020 7946 0018", "ask Ida", "12"])
def test_a_phone_number_without_a_country_is_refused_where_no_region_is_set(typed: str) -> None:
    with pytest.raises(CannotTransform, match="phone_region"):
        transforms.phone_e164(typed, context=NOWHERE)


@pytest.mark.parametrize("typed", ["nora", "@quist.test", "nora@", "nora@quist@test", "no ra@quist.test"])
def test_what_is_no_email_address_is_refused(typed: str) -> None:
    with pytest.raises(CannotTransform):
        transforms.lower_email_domain(typed)


def test_a_checkbox_or_a_word_says_yes_or_no() -> None:
    answers = [transforms.yes_no(word) for word in (True, "Yes", "ja", " 1 ", False, "No", "nein")]
    assert answers == [True, True, True, True, False, False, False]
    with pytest.raises(CannotTransform):
        transforms.yes_no("perhaps")


def test_a_table_chooses_by_the_word_whatever_its_case() -> None:
    """S57"""
    choices: dict[str, str | bool | int] = {"customer": "Client", "yes": "Ticked"}
    assert transforms.table(" Customer ", choices=choices) == "Client"
    assert transforms.table(True, choices=choices) == "Ticked"
    assert transforms.table("Supplier", choices=choices, otherwise="Other") == "Other"
    with pytest.raises(CannotTransform, match="no `otherwise`"):
        transforms.table("Supplier", choices=choices)


def test_all_rows_can_be_joined_oldest_first() -> None:
    rows = [{"id": 9, "address": "b@acme.test"}, {"id": 4, "address": "a@acme.test"}, {"id": 5, "address": " "}]
    assert transforms.join(rows, key="address", separator="; ") == "a@acme.test; b@acme.test"
    assert transforms.join([], key="address") is None


def test_a_text_is_cut_only_where_the_mapping_says_so() -> None:
    assert transforms.cut("Quist & Berg", length=7) == "Quist &"
    assert transforms.cut("Quist & Berg", length=6) == "Quist"


def test_a_date_that_is_written_otherwise_is_refused() -> None:
    with pytest.raises(CannotTransform, match="is no date"):
        transforms.date_format("31/01/2026", reads="%Y-%m-%d", writes="%d.%m.%Y")


@patient
@given(st.dates(min_value=date(1900, 1, 1)))
def test_a_date_comes_back_as_it_was(day: date) -> None:
    """S57"""
    step = Step("date_format", {"reads": "%Y-%m-%d", "writes": "%d.%m.%Y"})
    assert step.back(step.apply(day.isoformat(), NOWHERE)) == day.isoformat()


@patient
@given(ROWS, st.randoms(use_true_random=False))
def test_the_order_of_a_list_never_changes_what_is_chosen(rows: list[dict[str, object]], dice: random.Random) -> None:
    """F20"""
    shuffled = list(rows)
    dice.shuffle(shuffled)
    chosen = transforms.choose(rows, prefer=("Work", "untyped"), exclude=("Fax",))
    assert transforms.choose(shuffled, prefer=("Work", "untyped"), exclude=("Fax",)) == chosen
    assert (chosen is None) == all(row["type"] == "Fax" for row in rows)
    assert chosen is None or chosen["type"] != "Fax"


NORMALISING = sorted(name for name, known in known_transforms().items() if known.normalises)


@patient
@given(st.sampled_from(NORMALISING), st.text(max_size=30) | st.sampled_from(["UK", "de-DE", "eur", "a@B.C", "Yes"]))
def test_tidying_twice_is_tidying_once(name: str, text: str) -> None:
    """F20: else what we wrote would read back as something else, and be written again."""
    step = Step(name, {})
    try:
        once = step.apply(text, BRITISH)
    except CannotTransform:
        return
    assert step.apply(once, BRITISH) == once
    assert step.back(once) == once
