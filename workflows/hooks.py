"""Webhooks are kept up: systems drop them without a word when deliveries fail, and Zoho's end after a week.

What changed while one was missing was told by nobody, so a sweep follows at once; its cursor knows from when on.
"""

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from activities.catch_up import CatchUpActivities
    from activities.crm_hooks import CrmHookActivities
    from activities.hooks import FreshBooksHookActivities
    from activities.models import ConnectionName
    from activities.queues import FRESHBOOKS
    from activities.sweep_models import Callback, NewHook
    from activities.watch_models import CatchUp
    from workflows.models import CallbackRequest, ConnectionRequest, HookReport
    from workflows.options import STORE_CALL, api_call

PARTY_EVENTS: dict[str, tuple[str, ...]] = {
    "capsule": ("party/created", "party/updated", "party/deleted"),
    "zoho_crm": ("Contacts.all", "Accounts.all"),
}
"""What each CRM is asked to tell us."""
OPPORTUNITY_EVENTS = {
    "capsule": tuple(f"opportunity/{verb}" for verb in ("created", "updated", "moved", "closed", "deleted")),
    "zoho_crm": ("Deals.all",),
}
"""And this where opportunities are synced as well."""
CLIENT_EVENTS: tuple[str, ...] = ("client",)  # the noun stands for all its verbs
DOCUMENT_EVENTS, PAYMENT_EVENTS = ("estimate", "invoice"), ("payment",)
RANK = 3


@workflow.defn
class HookUpkeep:
    """Register the webhooks that are missing, ask again for handshakes that never came, and catch up."""

    @workflow.run
    async def run(self, request: ConnectionRequest) -> HookReport:
        """Look at both systems, mend what is missing, and have the systems swept that could not tell us."""
        self._connection, self._crm, self._report = request.connection, request.crm, HookReport()
        self._unheard: list[str] = []
        self._crm_events, self._books_events = PARTY_EVENTS[self._crm], CLIENT_EVENTS
        if request.opportunities:
            self._crm_events += OPPORTUNITY_EVENTS[self._crm]
            self._books_events += DOCUMENT_EVENTS
        if request.payments:
            self._books_events += PAYMENT_EVENTS
        await self._keep_crm_hooks()
        await self._keep_callbacks()
        if self._unheard and workflow.patched("catch-up-sweep"):
            await self._catch_up()
        swept = ", ".join(self._report.caught_up) or "none"
        workflow.set_current_details(f"created: {', '.join(self._report.created) or 'none'}; swept at once: {swept}")
        return self._report

    async def _keep_crm_hooks(self) -> None:
        listed = await workflow.execute_activity_method(
            CrmHookActivities.list_rest_hooks, self._asked(), **self._call(self._crm, "our hooks")
        )
        if not listed.allowed:
            self._report.not_allowed.append(self._crm)
            return
        for event in listed.expiring:
            await self._register(event, f"renew {event}")
            self._report.renewed.append(event)
        for event in self._missing(self._crm_events, listed.events):
            await self._register(event, f"register {event}")
            self._heard_nothing_of(self._crm)

    async def _register(self, event: str, summary: str) -> None:
        hook, create = NewHook(connection=self._connection, event=event), CrmHookActivities.create_rest_hook
        await workflow.execute_activity_method(create, hook, **self._call(self._crm, summary))

    async def _keep_callbacks(self) -> None:
        listed = await workflow.execute_activity_method(
            FreshBooksHookActivities.list_callbacks, self._asked(), **self._call(FRESHBOOKS, "our callbacks")
        )
        if not listed.allowed:
            self._report.not_allowed.append(FRESHBOOKS)
            return
        for callback_id in listed.unverified:
            callback = Callback(connection=self._connection, callback_id=callback_id)
            resend = FreshBooksHookActivities.resend_verification
            await workflow.execute_activity_method(
                resend, callback, **self._call(FRESHBOOKS, f"handshake of callback {callback_id} again")
            )
            self._heard_nothing_of(FRESHBOOKS)
        for event in self._missing(self._books_events, listed.events):
            hook = NewHook(connection=self._connection, event=event)
            create = FreshBooksHookActivities.create_callback
            await workflow.execute_activity_method(create, hook, **self._call(FRESHBOOKS, f"register {event}"))
            self._heard_nothing_of(FRESHBOOKS)

    async def _catch_up(self) -> None:
        missed = CatchUp(connection=self._connection, systems=self._unheard)
        self._report.caught_up = await workflow.execute_local_activity_method(
            CatchUpActivities.sweep_now, missed, **STORE_CALL
        )

    def _heard_nothing_of(self, system: str) -> None:
        if system not in self._unheard:
            self._unheard.append(system)

    def _asked(self) -> ConnectionName:
        return ConnectionName(connection=self._connection)

    def _call(self, system: str, summary: str) -> workflow.ActivityConfig:
        return api_call(system, self._connection, RANK, summary)

    def _missing(self, wanted: tuple[str, ...], present: list[str]) -> list[str]:
        missing = [event for event in wanted if event not in present]
        self._report.created.extend(missing)
        self._report.kept.extend(event for event in wanted if event in present)
        return missing


@workflow.defn
class CallbackVerification:
    """Answer the handshake of a FreshBooks callback, which receives nothing before."""

    @workflow.run
    async def run(self, request: CallbackRequest) -> bool:
        """Send the verifier back. False if the callback is gone."""
        return await workflow.execute_activity_method(
            FreshBooksHookActivities.verify_callback,
            Callback(connection=request.connection, callback_id=request.callback_id),
            **api_call(FRESHBOOKS, request.connection, RANK, f"verify callback {request.callback_id}"),
        )
