"""Edits on both sides, in random order; see `both_sides.py`, which runs it with 2,000 records."""

import pytest

from tests.faults.both_sides import run

pytestmark = pytest.mark.faults


@pytest.mark.timeout(180)
@pytest.mark.parametrize(("crm", "records"), [("capsule", 40), ("zoho_crm", 20)])
async def test_edits_on_both_sides_end_as_the_reference_model_says(crm: str, records: int) -> None:
    """Z10, F20, F21: nothing is lost, true conflicts are held, once, and a second full pass writes nothing."""
    found = await run(records, seed=7, crm=crm)
    assert found["differences"] == []
    assert found["wrong_holds"] == []
    assert found["conflicts"] > 0
    assert found["writes_of_a_second_full_pass"] == 0
    assert (found["clients"], found["parties"]) == (records, records)
