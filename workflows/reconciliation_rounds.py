"""The round that a schedule starts: each flow of a connection is compared, unless somebody is comparing it already."""

from temporalio import workflow
from temporalio.common import Priority
from temporalio.exceptions import ApplicationError, ChildWorkflowError, WorkflowAlreadyStartedError

with workflow.unsafe.imports_passed_through():
    from workflows.reconciliation_models import ReconciliationRequest, ReconciliationResult, RoundRequest, RoundResult
    from workflows.reconciliations import RANK, Reconciliation, reconciliation_id


@workflow.defn
class ReconciliationRound:
    """Compare the flows one after the other: they share the quota of the accounts."""

    @workflow.run
    async def run(self, request: RoundRequest) -> RoundResult:
        """Return which reports were made. One flow that cannot be compared does not keep the next from it."""
        result, failed = RoundResult(), list[str]()
        for flow in request.flows:
            try:
                result.report_ids.append((await self._compare(request, flow)).report_id)
            except WorkflowAlreadyStartedError:
                result.under_way.append(flow)
            except ChildWorkflowError as error:
                failed.append(f"{flow}: {error.cause or 'ended'}")
        if failed:
            raise ApplicationError("; ".join(failed), type="NotCompared", non_retryable=True)
        return result

    async def _compare(self, request: RoundRequest, flow: str) -> ReconciliationResult:
        asked = ReconciliationRequest(connection=request.connection, flow=flow, crm=request.crm, repair=request.repair)
        return await workflow.execute_child_workflow(
            Reconciliation.run,
            asked,
            id=reconciliation_id(request.connection, flow),
            parent_close_policy=workflow.ParentClosePolicy.REQUEST_CANCEL,
            search_attributes=workflow.info().typed_search_attributes,
            static_summary=f"both sides of {request.connection} in full: {flow}",
            priority=Priority(priority_key=RANK, fairness_key=request.connection),
        )
