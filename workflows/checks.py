"""The connection check: what the worker itself sees of both systems. `ledgerline doctor` asks for it."""

from temporalio import workflow
from temporalio.exceptions import ActivityError, ApplicationError

with workflow.unsafe.imports_passed_through():
    from activities.checks import CapsuleCheckActivities, FreshBooksCheckActivities
    from activities.models import ConnectionName, Identity
    from activities.queues import CAPSULE, FRESHBOOKS
    from workflows.models import CheckReport, ConnectionRequest
    from workflows.options import check


@workflow.defn
class ConnectionCheck:
    """Ask both systems of one connection who we are."""

    @workflow.run
    async def run(self, request: ConnectionRequest) -> CheckReport:
        """Return what passed and what failed; a failed check is an answer, not an error."""
        report = CheckReport()
        for system in (CAPSULE, FRESHBOOKS):
            try:
                identity = await self._identify(system, request.connection)
                (report.passed if identity.ok else report.failed).append(f"{system}: {identity.text}")
            except ActivityError as error:
                cause = error.cause
                text = cause.message if isinstance(cause, ApplicationError) else "no answer from the worker in time"
                report.failed.append(f"{system}: {text}")
        return report

    async def _identify(self, system: str, connection: str) -> Identity:
        asked = ConnectionName(connection=connection)
        if system == CAPSULE:
            identify = CapsuleCheckActivities.identify_capsule
            return await workflow.execute_activity_method(identify, asked, **check(system, connection))
        ask = FreshBooksCheckActivities.identify_freshbooks
        return await workflow.execute_activity_method(ask, asked, **check(system, connection))
