"""The item of a plan that a pass carries out: whether it is still what the person saw, and what came of it."""

from collections.abc import Sequence

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from activities.plan_applying import PlanItemActivities
    from activities.plan_models import SettledItem
    from workflows.models import Change, Expected
    from workflows.options import STORE_CALL

OUTCOMES = {
    "created": "done",
    "adopted": "done",
    "updated": "done",
    "in-step": "done",
    "moved": "moved",
    "merged": "moved",
    "gone": "moved",
    "archived": "moved",
    "orphaned": "moved",
    "not-carried": "moved",
    "forwarded": "moved",
    "waiting": "held",
}


class PlanItem:
    """What a plan expects of this pass, if a plan asked for it. Once a person decides, the plan binds no more."""

    def __init__(self, changes: Sequence[Change] = ()) -> None:
        self.expected: Expected | None = next((each.expected for each in changes if each.expected), None)
        self._held = False

    def differs(self, digest: str) -> bool:
        """Return whether the pass would do anything else than the plan said."""
        return self.expected is not None and not self._held and self.expected.digest != digest

    def client_id(self, action: str) -> int | None:
        """Return the client that the plan names for this action."""
        return self.expected.client_id if self.expected and self.expected.action == action else None

    async def report(self, outcome: str) -> None:
        """Tell the plan what came of its item: that it is held, and later how that ended."""
        expected = self.expected
        if expected is None:
            return
        self._held = True
        settled = SettledItem.model_validate(
            {"plan_id": expected.plan_id, "item": expected.item, "outcome": OUTCOMES.get(outcome, outcome)}
        )
        await workflow.execute_local_activity_method(PlanItemActivities.settle_item, settled, **STORE_CALL)
