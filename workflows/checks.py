"""The connection check: what the worker itself sees of both systems. `ledgerline doctor` asks for it."""

import asyncio
from collections.abc import Awaitable, Sequence

from temporalio import workflow
from temporalio.exceptions import ActivityError, ApplicationError

with workflow.unsafe.imports_passed_through():
    from activities.checks import FreshBooksCheckActivities, TokenCheckActivities
    from activities.crm_checks import CrmCheckActivities
    from activities.crm_hooks import CrmHookActivities
    from activities.hooks import FreshBooksHookActivities
    from activities.models import ConnectionName
    from activities.opportunity_checks import DocumentCheckActivities, OpportunityCheckActivities, OwnersAsked
    from activities.queues import FRESHBOOKS
    from activities.sweep_models import HookList, Identity
    from activities.watch_models import AccountName, Finding, Findings
    from workflows.hooks import CLIENT_EVENTS, DOCUMENT_EVENTS, OPPORTUNITY_EVENTS, PARTY_EVENTS, PAYMENT_EVENTS
    from workflows.models import CheckReport, CheckRequest
    from workflows.options import STORE_CALL, check

BUILT_IN = {
    "capsule": (
        "capsule: Capsule's own FreshBooks integration works against Ledgerline if it is switched on, and no request"
        " can tell: look in Capsule's account settings, and switch it off there",
    )
}
"""What to know about a CRM, by system."""
NO_WEBHOOKS = "webhooks: none (receiver.public_url is not set), sweeps find every change"


@workflow.defn
class ConnectionCheck:
    """Ask both systems of one connection who we are, what we may, and whether what the settings say fits."""

    @workflow.run
    async def run(self, request: CheckRequest) -> CheckReport:
        """Return what was found; a failed check is an answer, not an error."""
        self._request, self._report = request, CheckReport()
        self._asked = ConnectionName(connection=request.connection)
        more = workflow.patched("examine")
        usable = [each for each in (request.crm, FRESHBOOKS) if not more or await self._has_token(each)]
        known = [each for each in usable if await self._knows_us(each)]
        if more:
            examined = await asyncio.gather(*(self._examine(each) for each in known))
            for system, findings in zip(known, examined, strict=True):
                self._note(system, findings)
            if request.opportunities and len(known) > 1:
                self._note(FRESHBOOKS, await _answered(self._owners()))
            self._report.notes.extend(BUILT_IN.get(request.crm, ()))
        return self._report

    async def _has_token(self, system: str) -> bool:
        """Return whether there is anything to ask with: an account that waits for consent has no worker."""
        name = AccountName(connection=self._request.connection, system=system)
        found = await workflow.execute_local_activity_method(TokenCheckActivities.examine_token, name, **STORE_CALL)
        self._note(system, found.findings)
        return found.usable

    async def _knows_us(self, system: str) -> bool:
        try:
            identity = await self._identify(system)
        except ActivityError as error:
            self._report.failed.append(f"{system}: {_said(error)}")
            return False
        (self._report.passed if identity.ok else self._report.failed).append(f"{system}: {identity.text}")
        return identity.ok

    async def _identify(self, system: str) -> Identity:
        if system != FRESHBOOKS:
            identify = CrmCheckActivities.identify_crm
            return await workflow.execute_activity_method(identify, self._asked, **self._check(system))
        ask = FreshBooksCheckActivities.identify_freshbooks
        return await workflow.execute_activity_method(ask, self._asked, **self._check(system))

    async def _examine(self, system: str) -> list[Finding]:
        if system != FRESHBOOKS:
            checks = [self._service(system), self._custom_fields(), self._crm_hooks()]
            checks += [self._opportunities()] if self._request.opportunities else []
        else:
            checks = [self._service(FRESHBOOKS), self._callbacks()]
            checks += [self._documents()] if self._request.opportunities else []
        return [finding for each in checks for finding in await _answered(each)]

    async def _service(self, system: str) -> list[Finding]:
        if system != FRESHBOOKS:
            examine = CrmCheckActivities.examine_crm
            found = await workflow.execute_activity_method(examine, self._asked, **self._check(system))
        else:
            ask = FreshBooksCheckActivities.examine_freshbooks
            found = await workflow.execute_activity_method(ask, self._asked, **self._check(system))
        return found.findings

    async def _custom_fields(self) -> list[Finding]:
        examine = CrmCheckActivities.examine_custom_fields
        found: Findings = await workflow.execute_activity_method(examine, self._asked, **self._check(self._request.crm))
        return found.findings

    async def _opportunities(self) -> list[Finding]:
        examine = OpportunityCheckActivities.examine_opportunities
        found = await workflow.execute_activity_method(examine, self._asked, **self._check(self._request.crm))
        return found.findings

    async def _documents(self) -> list[Finding]:
        examine = DocumentCheckActivities.examine_documents
        found = await workflow.execute_activity_method(examine, self._asked, **self._check(FRESHBOOKS))
        return found.findings

    async def _owners(self) -> list[Finding]:
        """Compare the CRM's users with FreshBooks' staff: who owns an opportunity should own its estimate."""
        crm, asked = self._check(self._request.crm), self._asked
        listed = await workflow.execute_activity_method(OpportunityCheckActivities.list_owners, asked, **crm)
        owners = OwnersAsked(connection=self._request.connection, crm=listed.crm, owners=listed.owners)
        examine = DocumentCheckActivities.examine_owners
        return (await workflow.execute_activity_method(examine, owners, **self._check(FRESHBOOKS))).findings

    async def _crm_hooks(self) -> list[Finding]:
        if not self._request.webhooks:
            return [Finding(level="note", text=NO_WEBHOOKS)]
        ask = CrmHookActivities.list_rest_hooks
        listed = await workflow.execute_activity_method(ask, self._asked, **self._check(self._request.crm))
        if not listed.allowed:
            text = "webhooks: this token may have none; connect as an administrator with a registered application"
            return [Finding(level="warning", text=f"{text}, or leave all changes to the sweeps")]
        more = OPPORTUNITY_EVENTS[self._request.crm] if self._request.opportunities else ()
        return _judge_hooks(listed, (*PARTY_EVENTS[self._request.crm], *more))

    async def _callbacks(self) -> list[Finding]:
        if not self._request.webhooks:
            return [Finding(level="note", text=NO_WEBHOOKS)]
        ask = FreshBooksHookActivities.list_callbacks
        listed = await workflow.execute_activity_method(ask, self._asked, **self._check(FRESHBOOKS))
        if not listed.allowed:
            text = "webhooks: this token may have none; connect again as somebody who may read clients"
            return [Finding(level="warning", text=f"{text}, or leave all changes to the sweeps")]
        more = DOCUMENT_EVENTS if self._request.opportunities else ()
        payments = PAYMENT_EVENTS if self._request.payments else ()
        return _judge_hooks(listed, (*CLIENT_EVENTS, *more, *payments))

    def _check(self, system: str) -> workflow.ActivityConfig:
        return check(system, self._request.connection)

    def _note(self, system: str, findings: Sequence[Finding]) -> None:
        lists = {
            "ok": self._report.passed,
            "note": self._report.notes,
            "warning": self._report.warnings,
            "wrong": self._report.failed,
        }
        for each in findings:
            lists[each.level].append(f"{system}: {each.text}")


async def _answered(asked: Awaitable[list[Finding]]) -> list[Finding]:
    """Return what a check found; that it could not be made is a finding too."""
    try:
        return await asked
    except ActivityError as error:
        return [Finding(level="wrong", text=_said(error))]


def _said(error: ActivityError) -> str:
    return error.cause.message if isinstance(error.cause, ApplicationError) else "no answer from the worker in time"


def _judge_hooks(listed: HookList, wanted: Sequence[str]) -> list[Finding]:
    missing = [event for event in wanted if event not in listed.events]
    findings = []
    if missing:
        text = f"webhooks: {', '.join(missing)} not registered; the schedule hook-upkeep does it within the hour"
        findings.append(Finding(level="warning", text=f"{text}, at once if you trigger it"))
    if listed.unverified:
        ids = ", ".join(map(str, listed.unverified))
        text = f"webhooks: callback {ids} is not verified, so it delivers nothing; can FreshBooks reach the receiver?"
        findings.append(Finding(level="warning", text=f"{text} The schedule hook-upkeep asks for the handshake again"))
    return findings or [Finding(level="ok", text=f"webhooks: {', '.join(wanted)}")]
