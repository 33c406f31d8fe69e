"""The opportunities that an account has from the start."""

from typing import Any

import pytest

from sandbox.app import build_sandbox
from sandbox.capsule.app import build_capsule
from sandbox.ledger import Ledger
from sandbox.records import Records


def account(seed: int, parties: int, opportunities: int) -> Records:
    return build_capsule(
        Ledger(None), seed=seed, records=parties, per_hour=4000, transport=None, opportunities=opportunities
    ).records


def opportunities(seed: int, count: int) -> list[dict[str, Any]]:
    return account(seed, 40, count).all("opportunity")


@pytest.fixture(scope="module")
def hundreds() -> list[dict[str, Any]]:
    return opportunities(1, 400)


def test_the_same_seed_gives_the_same_opportunities() -> None:
    assert opportunities(5, 30) == opportunities(5, 30)
    assert opportunities(5, 30) != opportunities(6, 30)
    assert opportunities(5, 60)[:30] == opportunities(5, 30)


def test_parties_are_what_they_are_however_many_opportunities_they_have() -> None:
    assert account(5, 40, 0).all("party") == account(5, 40, 200).all("party")


def test_a_few_are_there_unless_told_otherwise_and_none_where_there_are_no_parties() -> None:
    assert len(build_sandbox(records=3).capsule_service.records.all("opportunity")) == 10
    assert build_sandbox().capsule_service.records.all("opportunity") == []


def test_amounts_come_in_several_currencies_with_as_many_digits_as_these_have(hundreds: list[dict[str, Any]]) -> None:
    """F26: yens have no cents, and dinars a thousand fils."""
    priced = [each["value"] for each in hundreds if each["value"]["amount"] is not None]
    digits: dict[str, set[int]] = {}
    for value in priced:
        digits.setdefault(value["currency"], set()).add(len(str(value["amount"]).partition(".")[2].rstrip("0")))
    assert digits.keys() == {"EUR", "USD", "GBP", "SEK", "JPY", "KWD"}
    assert (max(digits["EUR"]), digits["JPY"], max(digits["KWD"])) == (2, {0}, 3)
    assert 0 < len(hundreds) - len(priced) < len(hundreds) / 4


def test_they_stand_at_all_milestones_and_what_follows_from_these_fits(hundreds: list[dict[str, Any]]) -> None:
    assert len({each["milestone"]["id"] for each in hundreds}) == 10
    won = [each for each in hundreds if each["milestone"]["name"] in {"Won", "Agreed"}]
    lost = [each for each in hundreds if each["milestone"]["name"] in {"Lost", "Declined"}]
    assert {each["probability"] for each in won} == {100}
    assert all(each["lostReason"] and each["closedOn"] for each in lost)
    assert all((each["closedOn"] is None) == (each not in won and each not in lost) for each in hundreds)
    assert all((each["durationBasis"] == "FIXED") == (each["duration"] is None) for each in hundreds)
    assert {each["durationBasis"] for each in hundreds} == {"FIXED", "MONTH", "HOUR"}
