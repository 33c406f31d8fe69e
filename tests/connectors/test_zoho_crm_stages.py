"""Stages and pipelines of deals in Zoho CRM, as its documentation shows them."""

from collections.abc import Mapping
from typing import Any

import httpx
import pytest

from connectors.errors import Refused
from tests.connectors.test_zoho_crm_deals import deals
from tests.connectors.zoho_answers import NOTHING

LAYOUT_ID = "4876876000000091023"


def stage(name: str, forecast: str | None, number: int, label: str | None = None) -> dict[str, Any]:
    named = {"id": str(number), "display_value": label or name, "actual_value": name}
    return {**named, "sequence_number": number, "forecast_type": forecast, "forecast_category": {"name": "x", "id": 1}}


def pipeline(name: str, *stages: Mapping[str, Any], label: str | None = None) -> dict[str, Any]:
    named = {"id": "7", "display_value": label or name, "actual_value": name}
    return {**named, "default": True, "maps": list(stages)}


def stage_field(*choices: Mapping[str, Any]) -> httpx.Response:
    field = {"id": "1", "api_name": "Stage", "data_type": "picklist", "pick_list_values": list(choices)}
    return httpx.Response(200, json={"fields": [{"id": "2", "api_name": "Deal_Name"}, field]})


LAYOUTS = httpx.Response(200, json={"layouts": [{"id": LAYOUT_ID, "name": "Standard", "sections": []}]})
WON, NEW = stage("Closed Won", "Closed Won", 9, "Gewonnen"), stage("Qualification", "Open", 1)
LOST = stage("Closed Lost", "Closed Lost", 10)


def pipelines(*rows: Mapping[str, Any]) -> httpx.Response:
    return httpx.Response(200, json={"pipeline": list(rows)})


async def test_stages_say_whether_they_are_won_whatever_people_call_them() -> None:
    """S41: names are edited and translated; forecast types are not."""
    choices = stage_field({**NEW, "probability": 10}, {**WON, "probability": 100})
    api, script = deals(choices, LAYOUTS, pipelines(pipeline("Standard", WON, NEW, LOST, label="Verkauf")))
    new, won, lost = await api.stages()
    assert [each.state for each in (new, won, lost)] == ["open", "won", "lost"]
    assert (won.name, won.label, won.pipeline, won.pipeline_label) == ("Closed Won", "Gewonnen", "Standard", "Verkauf")
    assert [(each.position, each.probability) for each in (new, won, lost)] == [(1, 10), (2, 100), (3, None)]
    assert (script.sent[2].url.path, script.query) == ("/crm/v8/settings/pipeline", {"layout_id": LAYOUT_ID})


async def test_stages_of_all_layouts_are_told_once_for_each_pipeline() -> None:
    two = httpx.Response(200, json={"layouts": [{"id": LAYOUT_ID}, {"id": "17"}]})
    standard, renewals = pipeline("Standard", NEW, WON), pipeline("Renewals", NEW, WON)
    api, _ = deals(stage_field(), two, pipelines(standard), pipelines(standard, renewals))
    assert [(each.pipeline, each.name) for each in await api.stages()] == [
        ("Standard", "Qualification"),
        ("Standard", "Closed Won"),
        ("Renewals", "Qualification"),
        ("Renewals", "Closed Won"),
    ]


async def test_an_account_without_pipelines_has_its_stages_all_the_same() -> None:
    api, _ = deals(stage_field(NEW, WON), LAYOUTS, NOTHING)
    assert [(each.pipeline, each.name, each.state) for each in await api.stages()] == [
        ("", "Qualification", "open"),
        ("", "Closed Won", "won"),
    ]


@pytest.mark.parametrize("forecast", [None, "", "Commit"])
async def test_a_stage_that_may_be_won_or_not_is_a_persons_to_clear_up(forecast: str | None) -> None:
    """F7: to take it for open would leave a deal that was won without its invoice."""
    odd = stage("Signed", forecast, 3)
    api, _ = deals(stage_field(odd), LAYOUTS, pipelines(pipeline("Standard", NEW, odd)))
    with pytest.raises(Refused, match="“Signed” of its deals is open, won or lost: choose its forecast type"):
        await api.stages()
