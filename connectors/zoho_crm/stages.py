"""Which stages the deals of one account can be in, out of what Zoho tells in three places.

Source: https://www.zoho.com/crm/developer/docs/api/v8/get-pipelines.html, /layouts-meta.html, /field-meta.html
"""

from collections.abc import Iterable, Mapping, Sequence

from connectors.errors import Refused
from connectors.zoho_crm.deal_models import STATES, Pipeline, PipelineStage, Stage, State
from connectors.zoho_crm.models import Choice, FieldDefinition
from connectors.zoho_crm.problems import DIALECT


def stage_choices(fields: Iterable[FieldDefinition]) -> Sequence[Choice]:
    """Return the values of the field `Stage`, among the fields of deals."""
    return [choice for field in fields if field.api_name == "Stage" for choice in field.pick_list_values]


def stages_of(pipelines: Iterable[Pipeline], choices: Sequence[Choice]) -> list[Stage]:
    """Return each stage of each pipeline once; in an account without pipelines the choices, in a pipeline without name.

    Raises Refused for a stage of which Zoho does not say whether it is open, won or lost.
    """
    known = {each.actual_value or "": each for each in choices}
    found: dict[tuple[str, str], Stage] = {}
    for pipeline in pipelines:
        for number, stage in enumerate(sorted(pipeline.maps, key=_position), 1):
            told = _stage(stage, known, pipeline, number)
            found.setdefault((told.pipeline, told.name), told)
    return list(found.values()) or [_stage(each, known, None, number) for number, each in enumerate(choices, 1)]


def _position(stage: PipelineStage) -> int:
    return stage.sequence_number or 0


def _stage(stage: Choice, known: Mapping[str, Choice], pipeline: Pipeline | None, number: int) -> Stage:
    name = stage.actual_value or stage.display_value or ""
    choice = known.get(name, stage)
    within = pipeline.actual_value if pipeline else ""
    return Stage(
        name=name,
        label=stage.display_value or name,
        pipeline=within,
        pipeline_label=(pipeline.display_value if pipeline else None) or within,
        state=_state(stage.forecast_type or choice.forecast_type, name),
        position=number,
        probability=choice.probability,
    )


def _state(forecast: str | None, name: str) -> State:
    state = STATES.get(forecast or "")
    if state is None:
        text = f"Zoho CRM does not say whether the stage “{name}” of its deals is open, won or lost"
        raise Refused(DIALECT.system, f"{text}: choose its forecast type in Zoho's settings of stages, then retry")
    return state
