"""Business rules in a mapping: who is synced, which fields, and values that are computed."""

from typing import Any

import pytest

from mapping.engine import MappingError, Template, UnmappableValue
from mapping.values import IncompleteRecord
from tests.mapping.parties import CLIENTS, NO_DEFAULTS, ONE_WAY, address, custom, email, mapped, organisation, person
from tests.mapping.test_zoho_records import CLIENTS as OF_ZOHO

CUSTOMERS = '"customer" in tags'


def tagged(*names: str, **parts: Any) -> dict[str, Any]:
    return organisation(tags=[{"id": 1, "name": name} for name in names], **parts)


def refusal(template: Template, overrides: dict[str, Any]) -> MappingError:
    with pytest.raises(MappingError) as refused:
        template.with_overrides(overrides)
    return refused.value


def test_only_parties_that_meet_the_condition_are_synced() -> None:
    """S56, S45: a firm syncs its customers, and not everybody it has ever met."""
    customers = CLIENTS.with_overrides({"when": CUSTOMERS})
    assert customers.left_out(tagged("customer", "north")) is None
    assert customers.left_out(tagged("supplier")) == (
        'left out by the mapping, whose `when` it does not meet: "customer" in tags'
    )
    assert CLIENTS.left_out(tagged("supplier")) is None


def test_a_party_that_is_left_out_says_nothing_so_that_its_changes_are_no_news() -> None:
    """S56"""
    customers = CLIENTS.with_overrides({"when": CUSTOMERS})
    before, after = tagged(name="Quist AB"), tagged(name="Quist & Sons AB")
    assert customers.said(before, NO_DEFAULTS) == customers.said(after, NO_DEFAULTS) == dict.fromkeys(CLIENTS.rules)
    assert customers.said(tagged("customer"), NO_DEFAULTS)["organization"] == "Quist AB"


def test_a_party_that_is_left_out_may_hold_what_nobody_could_map() -> None:
    country = [address(type="Billing", country="Elbonia")]
    customers = CLIENTS.with_overrides({"when": CUSTOMERS})
    assert customers.said(tagged(addresses=country), NO_DEFAULTS)["p_country"] is None
    with pytest.raises(UnmappableValue, match="p_country"):
        customers.said(tagged("customer", addresses=country), NO_DEFAULTS)


@pytest.mark.parametrize(
    ("text", "is_synced"),
    [
        ('type == "organisation"', True),
        ('type == "person"', False),
        ('addresses.exists(a, a.country == "Sweden" && a.type == "Billing")', True),
        ('emailAddresses.exists(e, e.address.endsWith("@quist.test"))', True),
        ('fields["Segment"] in ["A", "B"]', True),
        ('fields["Newsletter"] == "yes"', True),
        ('fields["731"] == "A"', True),
        ('owner.name == "" && organisation.name == ""', True),
        ("size(phoneNumbers) > 0", False),
        ('timestamp(createdAt) > timestamp("2026-01-01T00:00:00Z")', True),
    ],
)
def test_a_condition_may_ask_for_anything_that_a_party_has(text: str, *, is_synced: bool) -> None:
    """S56, S15"""
    party = tagged(
        addresses=[address(type="Billing", country="Sweden")],
        emailAddresses=[email("office@quist.test")],
        fields=[custom("Segment", "A", 731), custom("Newsletter", value=True, number=732)],
        createdAt="2026-03-01T08:00:00Z",
    )
    assert (CLIENTS.with_overrides({"when": text}).left_out(party) is None) is is_synced


def test_zoho_names_are_those_of_its_modules() -> None:
    """S56"""
    customers = OF_ZOHO.with_overrides({"when": 'Contacts.Lead_Source == "Trade Show" || Accounts.Industry == "Food"'})
    names = ("Lead_Source", "First_Name", "Last_Name")
    assert customers.left_out({"module": "Contacts", **dict.fromkeys(names), "Lead_Source": "Trade Show"}) is None
    assert customers.left_out({"module": "Contacts", **dict.fromkeys(names)}) is not None
    assert customers.left_out({"module": "Accounts", "Industry": "Food"}) is None


def test_what_a_condition_asks_for_is_fetched_and_checked_like_what_is_mapped() -> None:
    """S15: an account has to have the custom field, and Zoho shows only the fields that are asked for."""
    rules = {"when": 'fields["Segment"] == "A"', "note": {"when": 'fields["Shared"] == "yes"'}}
    mapping = CLIENTS.with_overrides(rules)
    assert mapping.asked_fields == [("note.when", "Shared"), ("when", "Segment")]
    of_zoho = OF_ZOHO.with_overrides({"when": 'Contacts.Segment == "A"'})
    assert "Contacts.Segment" in [path.text for path in of_zoho.reads]
    assert of_zoho.asked_fields == [("when", "Contacts.Segment")]


def test_a_party_that_was_not_fetched_in_full_is_not_taken_for_one_to_leave_out() -> None:
    with pytest.raises(IncompleteRecord, match="fetched without tags"):
        CLIENTS.with_overrides({"when": CUSTOMERS}).left_out(organisation())


@pytest.mark.parametrize(
    ("overrides", "path", "says"),
    [
        (
            {"when": '"customer" in tag'},
            ("when",),
            "line 1, column 15: there is no tag here. Allowed: about, addresses",
        ),
        ({"when": "name > 5"}, ("when",), "line 1, column 6: > does not work on text and whole number"),
        ({"when": "name"}, ("when",), "line 1, column 1: must say yes or no"),
        ({"when": True}, ("when",), "a condition is a text"),
        ({"note": {"when": "abut != ''"}}, ("note", "when"), "line 1, column 1: there is no abut here"),
        ({"when": "addresses.exists(a, a.town == '')"}, ("when",), "column 23: rows have no part town"),
        (
            {"fname": {"compute": "firstName +\n lastname", "direction": "to-books"}},
            ("fname", "compute"),
            "line 2, column 2: there is no lastname here",
        ),
        (
            {"fname": {"compute": "size(firstName)", "direction": "to-books"}},
            ("fname", "compute"),
            "must give a text, but gives a number",
        ),
        ({"fname": {"compute": "firstName", "from": "about"}}, ("fname", "compute"), "in the place of `from`"),
        ({"fname": {"compute": "firstName"}}, ("fname", "compute"), "cannot be undone"),
        ({"email": {"when": CUSTOMERS}}, ("email", "when"), "by which clients are recognised"),
        ({"when": "[about].map(a, a + a).map(a, a + a) == []"}, ("when",), "line 1, column 9: there is no map(…)"),
    ],
)
def test_a_rule_that_cannot_work_is_refused_with_line_and_column(
    overrides: dict[str, Any], path: tuple[str, ...], says: str
) -> None:
    """S54, Z36"""
    error = refusal(CLIENTS, overrides)
    assert error.path == path
    assert says in str(error)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('Contact.Email == ""', "line 1, column 1: no such path in a contact or an account. Allowed: Contacts.X"),
        ('type == "" || Contacts.Account_Name == ""', "line 1, column 15: names another record"),
        ('email == ""', "line 1, column 1: there is no email here"),
    ],
)
def test_a_name_that_no_zoho_record_has_is_refused(text: str, says: str) -> None:
    """S54"""
    assert says in str(refusal(OF_ZOHO, {"when": text}))


def test_a_field_whose_condition_is_not_met_is_left_alone() -> None:
    """S56, S65: a note goes to the books only if sales says so."""
    mapping = CLIENTS.with_overrides({"note": {"when": 'fields["Share note"] == "yes"'}})
    shared = organisation(about="Pays late", fields=[custom("Share note", value=True)])
    private = organisation(about="Pays late")
    assert mapping.crm_values(shared, NO_DEFAULTS)["note"] == "Pays late"
    assert mapping.unmet(shared) == []
    assert mapping.crm_values(private, NO_DEFAULTS)["note"] is None
    assert mapping.unmet(private) == ["note"]


def test_a_value_can_be_computed_from_the_whole_party() -> None:
    """S57, S58"""
    named = {"compute": 'organisation.name == "" ? firstName + " " + lastName : organisation.name'}
    nora = person(organisation={"id": 8, "name": "Quist AB"})
    assert mapped(nora, organization=named)["organization"] == "Quist AB"
    assert mapped(person(), organization=named)["organization"] == "Nora Quist"


def test_a_computed_value_goes_through_transforms_and_has_a_default() -> None:
    """S57"""
    entry = {"compute": 'fields["Size"]', "transforms": [{"table": {"choices": {"S": "1-10"}}}], "default": "unknown"}
    assert mapped(organisation(fields=[custom("Size", "s")]), company_size=entry)["company_size"] == "1-10"
    assert mapped(organisation(), company_size=entry)["company_size"] == "unknown"


def test_yes_or_no_can_be_computed() -> None:
    """S65"""
    entry = {"compute": 'addresses.exists(a, a.country == "Germany")'}
    german = organisation(addresses=[address(country="Germany")])
    assert mapped(german, pref_gmail=entry)["pref_gmail"] is True
    assert mapped(organisation(), pref_gmail=entry)["pref_gmail"] is False


def test_what_cannot_be_computed_for_one_party_stops_that_party_and_names_the_rule() -> None:
    """S54"""
    entry = {"compute": 'string(int(fields["Seats"]) * 2)'}
    assert mapped(organisation(fields=[custom("Seats", "4")]), company_size=entry)["company_size"] == "8"
    with pytest.raises(UnmappableValue) as stopped:
        mapped(organisation(fields=[custom("Seats", "a dozen")]), company_size=entry)
    assert str(stopped.value).startswith(
        "company_size: company_size.compute: for this party it reads a text as a number"
    )
    assert "dozen" not in str(stopped.value)


def test_a_computed_value_of_a_custom_field_that_is_gone_empties_nothing() -> None:
    """S15"""
    rule = ONE_WAY.with_overrides({"company_size": {"compute": 'fields["Size"]'}})
    assert rule.rules_for("organisation", {"Size": 5})["company_size"].when_empty == "clear"
    assert rule.rules_for("organisation", {})["company_size"].when_empty == "keep"


@pytest.mark.parametrize(
    "change",
    [
        {"when": CUSTOMERS},
        {"note": {"when": CUSTOMERS}},
        {"organization": {"compute": "name", "direction": "to-books"}},
    ],
)
def test_another_condition_is_another_version(change: dict[str, Any]) -> None:
    """F37"""
    changed = CLIENTS.with_overrides(change)
    assert changed.version != CLIENTS.version
    assert changed.version == CLIENTS.with_overrides(change).version


def test_the_condition_can_be_taken_out_again_and_stays_when_all_goes_one_way() -> None:
    """S52"""
    customers = CLIENTS.with_overrides({"when": CUSTOMERS})
    assert customers.one_way().left_out(tagged()) is not None
    assert customers.with_overrides({"when": None}).version == CLIENTS.version


def test_mappings_without_conditions_have_the_versions_they_had() -> None:
    """F37: else every record would be due again after an update of ours."""
    assert CLIENTS.version == "962d7a16efeba5a0"
    assert OF_ZOHO.version == "796d92f4988ff884"
