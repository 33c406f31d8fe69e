"""One attempt to bring a party and its client in step: read both, plan, write, confirm."""

from datetime import datetime, timedelta

from temporalio import workflow
from temporalio.workflow import ParentClosePolicy

with workflow.unsafe.imports_passed_through():
    from activities.models import (
        ClientSide,
        ClientWritten,
        LookForClient,
        OpenHold,
        PartyKey,
        PartySide,
        PlanClient,
        PlannedPass,
        Standing,
        WriteClient,
        WriteParty,
    )
    from activities.passes import PassActivities
    from activities.sides import record_times
    from workflows.client_calls import ClientCalls
    from workflows.desk import show
    from workflows.employers import announce_people, is_renamed
    from workflows.models import Choice, ClientUpsertResult, SearchLagRequest
    from workflows.options import STORE_CALL
    from workflows.partings import Ask, Partings
    from workflows.plan_item import PlanItem
    from workflows.search_attributes import IN_DOUBT, SYNCING
    from workflows.search_lag import SearchLag

ASKED_BY_PERSON = 1
# In ten minutes one pair may be written five times to and fro, or thirty times in all. The next write is held: two
# systems may be answering each other, or an automation itself. A person who edits a record six times is neither.
MOST_TURNS, MOST_WRITES = 4, 30


class Again(Exception):
    """A person decided, or something moved while we looked: make another attempt."""


class ClientPass:
    """A pass over one pair. `choice` is what a person has decided so far, and `seen` the party as it was last read."""

    def __init__(self, key: PartyKey, calls: ClientCalls, ask: Ask, choice: Choice) -> None:
        self._key, self._calls, self._ask = key, calls, ask
        self._partings = Partings(key, calls, ask)
        self.choice = choice
        self.seen = ""
        self.cause = ""
        self.listed: PartySide | None = None
        self.item = PlanItem()
        self.settle_time = timedelta(0)

    async def attempt(self, *, crm_news: bool, books_news: bool) -> ClientUpsertResult:
        """Make one attempt. Raises Again, and FailureError for what an activity could not do."""
        standing = await workflow.execute_local_activity_method(PassActivities.begin_pass, self._key, **STORE_CALL)
        self.settle_time = standing.settle_time
        if standing.merged_into is not None:
            await self._calls.announce(standing.merged_into, self.cause)
            return ClientUpsertResult(outcome="merged", client_id=standing.client_id)
        if books_news and not crm_news and not standing.two_way:
            return ClientUpsertResult(outcome="not-carried", client_id=standing.client_id)
        client = await self._client_first(standing) if books_news and standing.two_way else None
        if client is not None and not crm_news and self._is_as_seen(standing, client):
            return ClientUpsertResult(outcome="in-step", client_id=standing.client_id)
        await self._settle(standing)
        party = self._as_listed(standing) or await self._calls.read_party(self._key)
        self.seen = party.fingerprint
        if not party.exists:
            return await self._gone(standing)
        if client is None and self._is_unchanged(standing, party):
            return ClientUpsertResult(outcome="in-step", client_id=standing.client_id)
        return await self._compare(standing, party, client)

    def _as_listed(self, standing: Standing) -> PartySide | None:
        """Return the party as a sweep has listed it, unless somebody may know better. It counts for one attempt."""
        side, self.listed = self.listed, None
        if side is None or side.read_at is None or self._is_asked or (standing.create and standing.create.in_doubt):
            return None
        return side if standing.looked_at is None or standing.looked_at < side.read_at else None

    async def _client_first(self, standing: Standing) -> ClientSide | None:
        return await self._calls.read_client(standing.client_id) if standing.client_id is not None else None

    def _is_as_seen(self, standing: Standing, client: ClientSide) -> bool:
        """Return whether the client is as we left it: our own write comes back as news, and is none."""
        seen = (standing.books_seen, standing.mapping_version) == (client.fingerprint, standing.current_mapping)
        return seen and client.visible and standing.state == "active" and not self._is_asked

    def _is_unchanged(self, standing: Standing, party: PartySide) -> bool:
        seen = (standing.crm_seen, standing.mapping_version) == (party.fingerprint, standing.current_mapping)
        return standing.client_id is not None and seen and not self._is_asked and standing.state != "tombstoned"

    @property
    def _is_asked(self) -> bool:
        """Whether a person, or a plan that a person approved, wants both sides compared whatever was seen before."""
        return self._calls.rank <= ASKED_BY_PERSON or self.item.expected is not None

    async def _settle(self, standing: Standing) -> None:
        """Wait until a create whose answer was lost can no longer take effect unseen."""
        create = standing.create
        if create is None or not create.in_doubt or create.settle_until is None:
            return
        wait = create.settle_until - workflow.now()
        if wait > timedelta(0):
            show(IN_DOUBT, f"a create was not answered; looking again at {_clock(create.settle_until)}")
            await workflow.sleep(wait, summary="until the lost create has settled")
        show(SYNCING, "looking for what a lost create may have left")

    async def _gone(self, standing: Standing) -> ClientUpsertResult:
        if not workflow.patched("party-gone"):
            return ClientUpsertResult(outcome="gone", client_id=standing.client_id)
        return await self._partings.gone(standing, self.cause)

    async def _left_to_people(self, party: PartySide) -> ClientUpsertResult:
        """Make no client of an organisation whose people are clients. As long as it may yet get people, its create
        stays open, and the hourly look at open creates asks again.
        """
        if party.stands_alone is None:
            return ClientUpsertResult(outcome="too-early")
        await workflow.execute_local_activity_method(PassActivities.drop_intent, self._key, **STORE_CALL)
        return ClientUpsertResult(outcome="left-to-people")

    async def _compare(self, standing: Standing, party: PartySide, client: ClientSide | None) -> ClientUpsertResult:
        if standing.client_id is None and not party.stands_alone and not self._is_asked:
            return await self._left_to_people(party)
        if standing.client_id is not None and client is None:
            client = await self._calls.read_client(standing.client_id)
        if client is not None:
            ended = await self._resumed(standing, client)
            if ended is not None:
                return ended
        planned = await self._plan(standing, party, client)
        if self.item.differs(planned.digest):
            return ClientUpsertResult(outcome="moved", client_id=standing.client_id)
        if planned.plan.action == "hold":
            return await self._hold_plan(planned)
        return await self._carry_out(standing, planned, party)

    async def _resumed(self, standing: Standing, client: ClientSide) -> ClientUpsertResult | None:
        """Take a link up again whose party or client has come back; or leave it, as a person decided before."""
        living = client.exists and client.visible
        if standing.state == "tombstoned" and living:
            await self._partings.returned(standing, archived=client.archived, cause=self.cause)
        elif standing.state == "orphaned" and living:
            await self._partings.returned(standing, archived=False, cause=self.cause)
        elif standing.state == "orphaned" and self._calls.rank > ASKED_BY_PERSON and not self.choice.create:
            return ClientUpsertResult(outcome="orphaned", client_id=standing.client_id)
        return None

    async def _plan(self, standing: Standing, party: PartySide, client: ClientSide | None) -> PlannedPass:
        asked = PlanClient(key=self._key, party=party, create=standing.create)
        if client is not None and self.choice.create and not (client.exists and client.visible):
            asked.create = await workflow.execute_local_activity_method(
                PassActivities.reserve_anew, self._key, **STORE_CALL
            )
        elif client is not None:
            asked.client = client
        if asked.client is None:
            asked.candidates = await self._look(asked, party)
            asked.create_anyway = self.choice.create
            asked.chosen = self._chosen(party)
        asked.take = self.choice.side
        return await workflow.execute_local_activity_method(PassActivities.plan_client, asked, **STORE_CALL)

    async def _look(self, asked: PlanClient, party: PartySide) -> list[ClientSide]:
        """Search by email, or by our reference where there is none; by both when a create may have taken effect.

        What no strong key finds is looked for by name: a person then says whether it is the same customer.
        """
        chosen, create = self._chosen(party), asked.create
        if chosen is not None:
            return [await self._calls.read_client(chosen)]
        if create is None:
            return []
        email = _text(party, "email")
        searches = [LookForClient(key=self._key, email=email, reference=create.reference)] if email else []
        if create.in_doubt or not searches:
            searches.append(LookForClient(key=self._key, reference=create.reference))
        found = [await self._calls.look_for_client(search) for search in searches]
        hits = [client for clients in found for client in clients]
        name = _text(party, "organization") if party.is_organisation else _text(party, "lname")
        if hits or name is None or self.choice.create or not workflow.patched("look-by-name"):
            return hits
        by_name = LookForClient(key=self._key, name=name, is_firm=party.is_organisation, reference=create.reference)
        return await self._calls.look_for_client(by_name)

    def _chosen(self, party: PartySide) -> int | None:
        """Return the client that a person, a plan, or our reference on the party names."""
        return self.choice.client_id or self.item.client_id("link") or party.partner_hint

    async def _hold_plan(self, planned: PlannedPass) -> ClientUpsertResult:
        plan = planned.plan
        evidence: dict[str, object] = {"explanation": plan.explanation, "candidates": planned.candidate_ids}
        hold = OpenHold(key=self._key, reason=plan.hold_reason or "anomaly", evidence=evidence)
        decided = await self._ask(hold, plan.explanation)
        if decided.choice != "skip":
            raise Again
        if planned.orphan:
            await self._partings.orphaned(
                Standing(client_id=plan.client_id, current_mapping=plan.mapping_version), self.cause
            )
        return ClientUpsertResult(outcome="skipped", client_id=plan.client_id)

    async def _carry_out(self, standing: Standing, planned: PlannedPass, party: PartySide) -> ClientUpsertResult:
        plan = planned.plan
        write = self._write_of(planned, party)
        if is_renamed(party, plan):  # before the write: if it fails, the next attempt announces them again
            await announce_people(self._key, self._calls.crm, self._calls.rank)
        if plan.action == "create":
            return await self._create(write, plan.explanation)
        if not plan.writes and not plan.crm_writes:
            await workflow.execute_local_activity_method(PassActivities.settle_link, write, **STORE_CALL)
            outcome = "adopted" if write.adopted else "in-step"
            return ClientUpsertResult(outcome=outcome, client_id=plan.client_id)
        await self._check_breaker(standing, planned)
        if write.adopted:
            write = await self._claim(write)
        fingerprint = write.client_fingerprint
        if plan.writes:
            fingerprint = (await self._calls.update_client(write, plan.explanation)).fingerprint
        if plan.crm_writes:
            await self._calls.update_party(self._back(write, planned, fingerprint))
        outcome = "adopted" if plan.action == "link" else "updated"
        return ClientUpsertResult(outcome=outcome, client_id=plan.client_id)

    def _write_of(self, planned: PlannedPass, party: PartySide) -> WriteClient:
        plan = planned.plan
        return WriteClient(
            key=self._key,
            client_id=plan.client_id,
            writes=plan.writes,
            next_base=planned.next_base,
            party_fingerprint=party.fingerprint,
            client_fingerprint=planned.client.fingerprint if planned.client else "",
            mapping_version=plan.mapping_version,
            cause=self.cause,
            adopted=plan.action == "link",
            create=planned.create,
            client_read_at=planned.client.read_at if planned.client else None,
            times=record_times(
                crm_created=party.created_at,
                crm_changed=party.changed_at,
                books_created=planned.client.created_at if planned.client else None,
                books_changed=planned.client.changed_at if planned.client else None,
            ),
        )

    def _back(self, write: WriteClient, planned: PlannedPass, client_fingerprint: str) -> WriteParty:
        return WriteParty(
            key=self._key,
            client_id=write.client_id or 0,
            writes=planned.plan.crm_writes,
            next_base=planned.final_base,
            party_fingerprint=write.party_fingerprint,
            client_fingerprint=client_fingerprint,
            mapping_version=write.mapping_version,
            cause=self.cause,
            times=write.times,
        )

    async def _create(self, write: WriteClient, summary: str) -> ClientUpsertResult:
        if not await self._admitted():
            return ClientUpsertResult(outcome="waiting")
        written = await self._calls.create_client(write, summary)
        if written.measure_lag and write.create is not None:
            await self._measure(written, write.create.reference)
        return ClientUpsertResult(outcome="created", client_id=written.client_id)

    async def _admitted(self) -> bool:
        """Return whether one more may be created now: a flood of creates waits for a person."""
        if self._calls.rank <= ASKED_BY_PERSON or self.item.expected or not workflow.patched("bulk-limit"):
            return True
        return await workflow.execute_local_activity_method(PassActivities.admit_create, self._key, **STORE_CALL)

    async def _measure(self, written: ClientWritten, reference: str) -> None:
        """Find out how soon a search shows a new client; nobody waits for the answer."""
        request = SearchLagRequest(
            crm=self._calls.crm,
            connection=self._key.connection,
            party_id=self._key.party_id,
            client_id=written.client_id,
            reference=reference,
            created_at=workflow.now(),
        )
        await workflow.start_child_workflow(
            SearchLag.run,
            request,
            id=f"search-lag/{self._key.connection}/freshbooks-client-{written.client_id}",
            parent_close_policy=ParentClosePolicy.ABANDON,
            static_summary=f"how soon does a search show client {written.client_id}?",
        )

    async def _check_breaker(self, standing: Standing, planned: PlannedPass) -> None:
        quiet = standing.turns_lately < MOST_TURNS and standing.writes_lately < MOST_WRITES
        if quiet or self.choice.approved:
            return
        text = (
            f"this pair was written {standing.writes_lately} times in ten minutes, and {planned.plan.explanation} is "
            "due again: something else may be writing too; approve to write once more, or skip"
        )
        decided = await self._ask(OpenHold(key=self._key, reason="breaker", evidence={"explanation": text}), text)
        if decided.choice != "approve":
            raise Again if decided.choice == "retry" else Skipped

    async def _claim(self, write: WriteClient) -> WriteClient:
        """Link a client before anything is written to it: of two parties with one address, only one may write.

        The claim agrees on nothing yet, so that a pass that dies before it has written is made again.
        """
        claim = write.model_copy(update={"next_base": {}, "party_fingerprint": ""})
        await workflow.execute_local_activity_method(PassActivities.settle_link, claim, **STORE_CALL)
        return write.model_copy(update={"adopted": False})


class Skipped(Exception):
    """A person left this change alone."""


def _text(party: PartySide, field: str) -> str | None:
    value = party.values.get(field)
    return str(value) if value else None


def _clock(instant: datetime) -> str:
    return instant.strftime("%H:%M:%S UTC")
