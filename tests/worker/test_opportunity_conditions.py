"""Conditions in the settings of opportunities: what is wrong with one is known before anything starts."""

from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from activities.opportunity_crm import CrmOpportunity, Milestone
from mapping.values import MappingError, UnmappableValue
from runtime.load import WrongSettings, load_settings
from runtime.opportunities import OpportunitiesFlow
from worker.accounts import check_mappings
from worker.document_lines import line_maker
from worker.opportunity_conditions import conditions, left_out

PROPOSAL = Milestone("Proposal", "Consulting", "open", 50)


def opportunity(**said: Any) -> CrmOpportunity:
    """Return an opportunity worth 1,250.50 EUR, tagged "Retainer", to be closed by the end of March."""
    shown = {
        "amount": Decimal("1250.50"),
        "currency": "EUR",
        "tags": ("Retainer",),
        "expected_close": date(2026, 3, 31),
    }
    return CrmOpportunity(701, "Website rebuild", PROPOSAL, [7], **{**shown, "owner_email": "nora@quist.test", **said})


def reason(when: str, **said: Any) -> str:
    """Return why an opportunity is left out by this condition, "" if it is not."""
    return left_out(conditions(OpportunitiesFlow(when=when)).when)(opportunity(**said))


@pytest.mark.parametrize(
    "when",
    [
        "amount != null && amount > 1250.49 && amount < 1250.51",
        'currency in ["EUR", "CHF"]',
        '"Retainer" in tags',
        'pipeline == "Consulting" && milestone == "Proposal" && state == "open"',
        'expected_close < "2026-04-01"',
        'owner.endsWith("@quist.test")',
        'fields["Released"] == ""',
    ],
)
def test_a_condition_may_ask_for_all_that_an_opportunity_says(when: str) -> None:
    """S45, S56, S65."""
    assert reason(when) == ""


def test_one_that_is_left_out_says_by_which_condition() -> None:
    assert reason('"Retainer" in tags', tags=()) == 'left out by opportunities.when: "Retainer" in tags'


def test_an_opportunity_without_a_value_is_no_reason_to_stop() -> None:
    assert reason("amount != null && amount > 100", amount=None).startswith("left out")
    with pytest.raises(UnmappableValue, match="opportunities"):
        reason("amount > 100", amount=None)


@pytest.mark.parametrize(
    ("when", "said"),
    [
        ('amount > "100"', "line 1, column 8"),
        ('curency == "EUR"', "line 1, column 1"),
        (
            'size((name + name) + (name + name)) > 0 && "a" + "a" + "a" + "a" + "a" + "a" + "a" + "a" + "a" == ""',
            "line 1",
        ),
        ('currency == "EUR" &&\n  amout > 1', "line 2, column 3"),
    ],
)
def test_a_wrong_type_an_unknown_name_and_a_memory_bomb_are_refused_with_line_and_column(when: str, said: str) -> None:
    """S52."""
    with pytest.raises(MappingError, match=said):
        conditions(OpportunitiesFlow(when=when))


def test_the_start_is_refused_with_the_line_of_the_settings_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "ledgerline.yaml"
    monkeypatch.setenv("LEDGERLINE_CONFIG", str(file))
    file.write_text(
        "connections:\n  acme:\n    capsule: {token: c}\n    freshbooks: {token: f, account_id: aB3xYz}\n"
        "    opportunities:\n      lines:\n        - {name: Travel, percent: 10, when: 'amount > \"a\"'}\n"
        "        - {name: Project}\n"
    )
    with pytest.raises(
        WrongSettings, match=r"ledgerline\.yaml:7: connections\.acme\.opportunities\.lines\.0\.when: .*line 1"
    ):
        check_mappings(load_settings(file))


def test_a_fixed_amount_finer_than_its_currency_is_refused() -> None:
    flow = OpportunitiesFlow.model_validate(
        {"lines": [{"name": "Travel", "amount": "110.50", "currency": "JPY"}, {"name": "Project"}]}
    )
    with pytest.raises(MappingError, match=r"lines\[0\]\.amount"):
        line_maker(flow, conditions(flow))


@pytest.mark.parametrize(
    "wrong",
    [
        {"lines": [{"name": "Travel", "amount": 10}, {"name": "Project"}]},
        {"lines": [{"name": "Travel", "amount": 10, "currency": "EUR", "percent": 5}, {"name": "Project"}]},
        {"lines": [{"name": "Travel", "amount": 10, "currency": "EUR"}, {"name": "Project", "percent": 100}]},
        {"lines": [{"name": "Project", "when": "amount > 1.0"}]},
        {"lines": [{"name": "Project"}], "line_fields": [{"name": "Line", "amount": "Price"}]},
    ],
)
def test_lines_that_could_not_come_to_the_value_are_refused_when_the_settings_are_read(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"line|amount|percent"):
        OpportunitiesFlow.model_validate(wrong)
