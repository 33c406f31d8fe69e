"""Pipelines and stages of deals: what an administrator arranges, and what the API tells of it.

Source: https://www.zoho.com/crm/developer/docs/api/v8/get-pipelines.html, /layouts-meta.html, /field-meta.html
"""

from collections.abc import Iterator
from typing import Any

from starlette.responses import Response

from sandbox.calls import Call, Refusal, id_of
from sandbox.hands import Hands
from sandbox.ledger import Record
from sandbox.zoho_crm.account import Account, number_of
from sandbox.zoho_crm.errors import bad_parameter, missing_parameter, nothing, refused, said
from sandbox.zoho_crm.fields import STAGES
from sandbox.zoho_crm.modules import MODULES

FIRST_STAGE, FIRST_PIPELINE, FIRST_LAYOUT = (
    4_876_876_000_000_006_801,
    4_876_876_000_000_095_001,
    4_876_876_000_000_091_023,
)
STANDARD, RENEWALS = "Standard (Standard)", "Renewals"
"""The pipelines that are there from the start, the default one first."""

FORECASTS = ("Open", "Closed Won", "Closed Lost")
RENEWAL_STAGES = ("Renewal Due", "Terms Agreed", "Closed Won", "Closed Lost")
CHANCES = {
    **dict(zip(STAGES, (10, 20, 40, 60, 75, 90, 100, 0, 0), strict=True)),
    **dict(zip(RENEWAL_STAGES, (50, 80, 100, 0), strict=True)),
}
"""Every stage that is there from the start, with its probability in percent."""


def seed_pipelines(account: Account) -> None:
    """Add what every account has from the start: two pipelines that share the stages in which deals end."""
    records = account.records
    records.start_ids("stage", FIRST_STAGE)
    records.start_ids("pipeline", FIRST_PIPELINE)
    numbers = {name: records.next_id("stage") for name in CHANCES}
    for name, number in numbers.items():
        forecast = next((each for each in FORECASTS[1:] if name.startswith(each)), FORECASTS[0])
        records.seed("stage", number, _stage(number, name, forecast, CHANCES[name]))
    for name, stages in ((STANDARD, STAGES), (RENEWALS, RENEWAL_STAGES)):
        number = records.next_id("pipeline")
        members = [str(numbers[each]) for each in stages]
        named = {"id": str(number), "display_value": name, "actual_value": name}
        records.seed("pipeline", number, {**named, "default": name == STANDARD, "stages": members})


def stage_named(account: Account, name: Any) -> Record | None:
    """Return the stage with an actual value, or None."""
    return _named(account, "stage", name)


def pipeline_named(account: Account, name: Any) -> Record | None:
    """Return the pipeline with an actual value, or None."""
    return _named(account, "pipeline", name)


def default_pipeline(account: Account) -> Record | None:
    """Return the pipeline that deals are in unless they name another one."""
    return next((each for each in account.records.all("pipeline") if each["default"]), None)


def picks(account: Account, kind: str) -> list[Record]:
    """Return the stages, or the pipelines, as values of the field of deals that holds them."""
    return [_pick(account, kind, number, each) for number, each in enumerate(account.records.all(kind), 1)]


def _named(account: Account, kind: str, name: Any) -> Record | None:
    return next((each for each in account.records.all(kind) if each["actual_value"] == name), None)


def _pick(account: Account, kind: str, position: int, record: Record) -> Record:
    texts = {key: record[key] for key in ("id", "display_value", "actual_value")}
    told = {**texts, "reference_value": record["actual_value"], "type": "used", "colour_code": None}
    if kind == "stage" and account.settings.stage_probability:
        told |= {"probability": record["probability"], "forecast_type": record["forecast_type"]}
    return {**told, "sequence_number": position}


class Pipelines:
    """What clients read about the way of a deal."""

    def __init__(self, account: Account) -> None:
        self._account = account

    def layouts(self, call: Call) -> Response:
        """The one layout that each module has."""
        module = call.query.get("module")
        if module is None:
            raise missing_parameter("module")
        if module not in MODULES:
            raise refused("INVALID_MODULE", "the module name given seems to be invalid", param_name="module")
        named = {"id": str(layout_of(module)), "name": "Standard", "api_name": "Standard", "display_label": "Standard"}
        told = {"status": "active", "visible": True, "generated_type": "default", "sections": [], "profiles": []}
        return said({"layouts": [{**named, **told}]})

    def pipelines(self, call: Call) -> Response:
        """The pipelines of the layout of deals, which must be named; 204 if it has none."""
        layout = call.query.get("layout_id")
        if layout is None:
            raise missing_parameter("layout_id")
        if id_of(layout) != layout_of("Deals"):
            raise bad_parameter("layout_id", "the layout id given seems to be invalid")
        found = [self._view(each) for each in self._account.records.all("pipeline")]
        return said({"pipeline": found}) if found else nothing()

    def _view(self, pipeline: Record) -> Record:
        texts = {key: pipeline[key] for key in ("id", "display_value", "actual_value", "default")}
        return {**texts, "child_available": True, "parent": None, "maps": list(self._maps(pipeline))}

    def _maps(self, pipeline: Record) -> Iterator[Record]:
        for position, number in enumerate(pipeline["stages"], 1):
            stage = self._account.records.get("stage", int(number)) or {}
            texts = {key: stage[key] for key in ("id", "display_value", "actual_value", "forecast_type")}
            category = {"name": "Pipeline" if stage["forecast_type"] == FORECASTS[0] else "Closed", "id": number}
            yield {**texts, "sequence_number": position, "colour_code": None, "forecast_category": category}


def layout_of(module: str) -> int:
    """Return the id of a module's layout."""
    return FIRST_LAYOUT + 2 * list(MODULES).index(module)


def stage_hands(account: Account) -> Hands:
    """Return how an administrator makes a stage in a pipeline, and renames one: deals keep its actual value."""

    def make(draft: Record) -> Record:
        name, forecast = draft.get("display_value"), draft.get("forecast_type", FORECASTS[0])
        chance = draft.get("probability", 0)
        pipeline = account.records.get("pipeline", number_of(draft.get("pipeline"))) or default_pipeline(account)
        if not isinstance(name, str) or not name or stage_named(account, name) or pipeline is None:
            raise _wrong("a stage has a `display_value` that no other one has")
        if forecast not in FORECASTS or type(chance) is not int or not 0 <= chance <= 100:
            raise _wrong(f"`forecast_type` is one of {', '.join(FORECASTS)}, `probability` 0 to 100")
        number = account.records.next_id("stage")
        stage = _stage(number, name, forecast, chance)
        account.records.commit("create", "stage", number, stage)
        longer = {**pipeline, "stages": [*pipeline["stages"], stage["id"]]}
        account.records.commit("update", "pipeline", int(pipeline["id"]), longer)
        return stage

    return Hands(create=make, edit=lambda number, changes: _renamed(account, "stage", number, changes), remove=_kept)


def pipeline_hands(account: Account) -> Hands:
    """Return how an administrator makes a pipeline of stages that are there, and renames one."""

    def make(draft: Record) -> Record:
        name, stages = draft.get("display_value"), draft.get("stages")
        if not isinstance(name, str) or not name or pipeline_named(account, name):
            raise _wrong("a pipeline has a `display_value` that no other one has")
        known = [account.records.get("stage", number_of(each)) for each in stages] if isinstance(stages, list) else []
        if not known or not all(known):
            raise _wrong("`stages` are the ids of stages")
        number = account.records.next_id("pipeline")
        named = {"id": str(number), "display_value": name, "actual_value": name, "default": False}
        pipeline = {**named, "stages": [str(each["id"]) for each in known if each]}
        account.records.commit("create", "pipeline", number, pipeline)
        return pipeline

    return Hands(create=make, edit=lambda number, changes: _renamed(account, "pipeline", number, changes), remove=_kept)


def _stage(number: int, name: str, forecast: str, chance: int) -> Record:
    texts = {"id": str(number), "display_value": name, "actual_value": name}
    return {**texts, "forecast_type": forecast, "probability": chance}


def _renamed(account: Account, kind: str, number: int, changes: Record) -> Record:
    record, name = account.records.get(kind, number), changes.get("display_value")
    if record is None:
        raise Refusal(404, {"error": f"there is no {kind} {number}"})
    if not isinstance(name, str) or not name:
        raise _wrong(f"a {kind} can only be renamed, by its `display_value`")
    renamed = {**record, "display_value": name}
    account.records.commit("update", kind, number, renamed)
    return renamed


def _kept(_number: int) -> Record:
    raise _wrong("stages and pipelines stay")


def _wrong(why: str) -> Refusal:
    return Refusal(422, {"error": why})
