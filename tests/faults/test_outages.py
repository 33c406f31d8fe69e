"""The short cut of the outages: books that are away while people go on working. See docs/faults.md."""

from pathlib import Path

import pytest

from tests.databases import NoPostgres
from tests.faults.outage_phases import Plan
from tests.faults.outages import outages

pytestmark = [pytest.mark.e2e, pytest.mark.faults, pytest.mark.timeout(240)]

SHORT = Plan(day=6.0, records=4, newcomers=1, blip=0.0)
AWAY = ("freshbooks",)


async def test_what_people_do_during_outages_arrives_by_itself_in_order_and_once(tmp_path: Path) -> None:
    """S49: every record says on both sides what was said last; no hold, no manual step.

    How long it takes until people are told is not judged here: seconds of a busy machine are hours of so short a day.
    """
    try:
        report = await outages(AWAY, SHORT, tmp_path)
    except NoPostgres as problem:
        pytest.skip(str(problem))
    assert report.trouble == ""
    wrong = {each.what: each.offenders for each in report.findings if each.count}
    assert {what: offenders for what, offenders in wrong.items() if "alerts" not in what} == {}
