"""The plan as it travels between activities and workflows."""

import pytest
from pydantic import ValidationError

from mapping.plan import ClientPlan, FieldWrite
from mapping.values import Value


@pytest.mark.parametrize("value", ["1", "true", "", "NO", True, False, 1, None])
def test_a_value_travels_unchanged(value: Value) -> None:
    """A phone number "1" must not become the number 1, nor a yes a 1."""
    plan = ClientPlan(
        action="update",
        client_id=90210,
        writes=[FieldWrite(field="bus_phone", before=None, after=value)],
        hold_reason=None,
        explanation="bus_phone changed in the CRM",
        mapping_version="0123456789abcdef",
    )
    arrived = ClientPlan.model_validate_json(plan.model_dump_json())
    assert arrived == plan
    assert type(arrived.writes[0].after) is type(value)


def test_a_plan_does_only_what_is_known() -> None:
    with pytest.raises(ValidationError):
        ClientPlan.model_validate({"action": "delete", "client_id": 1, "writes": []})
