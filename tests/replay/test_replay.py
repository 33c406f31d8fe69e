"""Recorded runs still replay: deploying these workflows breaks none that is under way."""

import json
from pathlib import Path
from typing import Any

import pytest
from temporalio import workflow
from temporalio.client import WorkflowHistory
from temporalio.worker import Replayer

from runtime.codec import data_converter
from tests.replay.record import HISTORIES, SCENARIOS
from tests.temporal_server import PAYLOAD_KEYS
from worker.main import WORKFLOWS, sandboxed_runner

RECORDED = sorted(HISTORIES.glob("*.json"))


def loaded(path: Path) -> dict[str, Any]:
    history: dict[str, Any] = json.loads(path.read_text())
    return history


def workflow_type(history: dict[str, Any]) -> str:
    return str(history["events"][0]["workflowExecutionStartedEventAttributes"]["workflowType"]["name"])


async def replay(history: dict[str, Any]) -> None:
    replayer = Replayer(
        workflows=WORKFLOWS, data_converter=data_converter(PAYLOAD_KEYS), workflow_runner=sandboxed_runner()
    )
    await replayer.replay_workflow(WorkflowHistory.from_json("recorded", history))


@pytest.mark.parametrize("path", RECORDED, ids=[path.stem for path in RECORDED])
async def test_a_run_that_is_under_way_goes_on_after_an_update(path: Path) -> None:
    """S52. If this fails, deploying would break running workflows: use workflow.patched()."""
    await replay(loaded(path))


@pytest.mark.parametrize("known", WORKFLOWS, ids=[each.__name__ for each in WORKFLOWS])
def test_every_workflow_has_a_recorded_run(known: type) -> None:
    """Record one: `python -m tests.replay.record`."""
    assert known.__name__ in {workflow_type(loaded(path)) for path in RECORDED}


def test_every_scenario_is_recorded() -> None:
    assert {path.stem for path in RECORDED} == set(SCENARIOS)


async def test_a_changed_order_of_steps_would_be_noticed() -> None:
    """The replay bites: a run that had asked another activity is not replayed."""
    text = (HISTORIES / "created.json").read_text().replace('"name": "read_party"', '"name": "read_account"')
    with pytest.raises(workflow.NondeterminismError):
        await replay(json.loads(text))


@pytest.mark.parametrize("path", RECORDED, ids=[path.stem for path in RECORDED])
def test_a_recorded_run_names_nobody_in_clear(path: Path) -> None:
    """Z132."""
    text = path.read_text()
    assert "acme.test" not in text
    assert "Customer" not in text
