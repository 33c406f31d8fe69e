"""One attempt to bring an opportunity and its documents in step: read all, plan, write, confirm, tell the CRM."""

from collections.abc import Awaitable, Callable
from datetime import timedelta

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from activities.models import OpenCreate, OpenHold, PartyKey
    from activities.opportunity_models import (
        ClientFound,
        DocumentPlan,
        DocumentSide,
        EndDocument,
        FindClient,
        Kind,
        LookForDocument,
        MoveOpportunity,
        OpportunityKey,
        OpportunityPlan,
        OpportunitySide,
        OpportunityStanding,
        PlanDocuments,
        SettleDocument,
        WriteBack,
        WriteDocument,
    )
    from activities.opportunity_passes import OpportunityPassActivities as Store
    from mapping.values import Value
    from workflows.desk import show
    from workflows.models import Resolution
    from workflows.opportunity_calls import OpportunityCalls
    from workflows.opportunity_models import OpportunityChoice, OpportunityResult
    from workflows.options import STORE_CALL
    from workflows.search_attributes import IN_DOUBT, SYNCING

ASKED_BY_PERSON = 1
NO_PARTY, IN_STEP = 0, "in-step"
# A client is made by its own workflow, which may have to wait for its account or for a person. We look again ever more
# rarely, and after this long we ask a person what is wrong.
FIRST_LOOK, LONGEST_LOOK, CLIENT_PATIENCE = timedelta(seconds=1), timedelta(minutes=1), timedelta(minutes=10)
DECLINED = "declined"  # the name of a patch: runs from before it go on as they began
# Names of patches too. What a lost create has left is looked for although it is not due any more, and what was adopted
# is compared at once; an echo of our own write is no news.
LOST_CREATES, ECHOES = "lost-creates", "echoes"
# In ten minutes one opportunity and its documents: two systems may be answering each other.
MOST_WRITES = 30

Ask = Callable[[OpenHold, str, OpportunityPlan | None], Awaitable[Resolution]]


class Again(Exception):
    """A person decided, or something moved while we looked: make another attempt."""


class OpportunityPass:
    """A pass over one opportunity. `choice` is what a person has decided so far, and `seen` it as last read."""

    def __init__(self, key: OpportunityKey, calls: OpportunityCalls, ask: Ask, choice: OpportunityChoice) -> None:
        self._key, self._calls, self._ask = key, calls, ask
        self.choice = choice
        self.seen = ""
        self.cause = ""
        self.settle_time = timedelta(0)
        self._known_as: dict[str, object] = {}
        self._documents: dict[int, tuple[Kind, str]] = {}
        self._adopted = ""

    async def attempt(self, *, books_news: bool) -> OpportunityResult:
        """Make one attempt. Raises Again, and FailureError for what an activity could not do."""
        result = await self._attempt(books_news=books_news)
        adopted, self._adopted = self._adopted, ""
        done = [each for each in (adopted, result.outcome) if each and each != IN_STEP]
        return OpportunityResult(outcome=", ".join(done) or IN_STEP)

    async def documents_moved(self) -> bool:
        """Return whether a document is not as this pass has read or left it. Without any, nobody can say: it may be."""
        for document_id, (kind, fingerprint) in self._documents.items():
            if (await self._calls.read_document(kind, document_id)).fingerprint != fingerprint:
                return True
        return not self._documents

    async def _attempt(self, *, books_news: bool) -> OpportunityResult:
        self._documents = {}
        standing = await self._begin()
        for create in (standing.estimate.create, standing.invoice.create):
            await self._settle(create)
        opportunity = await self._calls.read_opportunity()
        self.seen, self._known_as = opportunity.fingerprint, opportunity.known_as
        if not books_news and self._is_unchanged(standing, opportunity):
            return OpportunityResult(outcome=IN_STEP)
        asked = PlanDocuments(key=self._key, standing=standing, opportunity=opportunity, approved=self.choice.approved)
        asked.by_person = self._calls.rank <= ASKED_BY_PERSON
        asked.take, self.choice.side = self.choice.side, None
        await self._read(asked)
        plan = await self._plan(asked)
        if plan.needs_client:
            if await self._wait_for_client(opportunity):
                raise Again
            return await self._declined(asked, "skipped")
        if plan.hold_reason is not None:
            return await self._hold(asked, plan)
        return await self._carry_out(asked, plan)

    async def _begin(self) -> OpportunityStanding:
        standing = await workflow.execute_local_activity_method(Store.begin_opportunity, self._key, **STORE_CALL)
        self.settle_time = standing.settle_time
        return standing

    def _is_unchanged(self, standing: OpportunityStanding, opportunity: OpportunitySide) -> bool:
        """Return whether what is linked was last compared with this very opportunity, and nothing else is due."""
        if self._calls.rank <= ASKED_BY_PERSON or self._due(standing, opportunity):
            return False
        linked = [each for each in (standing.estimate, standing.invoice) if each.document_id is not None]
        seen = [(each.crm_seen, each.version) == (opportunity.fingerprint, standing.version) for each in linked]
        return bool(linked) and all(seen)

    def _due(self, standing: OpportunityStanding, opportunity: OpportunitySide) -> list[Kind]:
        """Return the documents that the opportunity should have and is not linked to."""
        if not opportunity.exists or opportunity.is_left_out:
            return []
        due: list[Kind] = []
        if standing.estimate.document_id is None and opportunity.state == "open" and opportunity.is_due:
            due.append("estimate")
        if standing.invoice.document_id is None and opportunity.state == "won" and standing.invoices:
            due.append("invoice")
        return due

    async def _settle(self, create: OpenCreate | None) -> None:
        """Wait until a create whose answer was lost can no longer take effect unseen."""
        if create is None or not create.in_doubt or create.settle_until is None:
            return
        wait = create.settle_until - workflow.now()
        if wait > timedelta(0):
            show(IN_DOUBT, f"a create was not answered; looking again in {wait.total_seconds():.0f} s")
            await workflow.sleep(wait, summary="until the lost create has settled")
        show(SYNCING, "looking for what a lost create may have left")

    async def _read(self, asked: PlanDocuments) -> None:
        """Read what is linked, and look for what is to be made."""
        standing, due = asked.standing, self._due(asked.standing, asked.opportunity)
        if standing.estimate.document_id is not None:
            asked.estimate = await self._calls.read_document("estimate", standing.estimate.document_id)
            self._remember("estimate", asked.estimate)
        if standing.invoice.document_id is not None:
            asked.invoice = await self._calls.read_document("invoice", standing.invoice.document_id)
            self._remember("invoice", asked.invoice)
        if due:
            asked.client_id = (await self._client(asked.opportunity)).client_id
        for kind in ("estimate", "invoice"):
            create = standing.of(kind).create
            is_lost = create is not None and create.in_doubt
            if kind in due or (is_lost and workflow.patched(LOST_CREATES)):
                await self._look(asked, kind)
            elif create is not None:
                document = self._calls.document_key(kind)
                await workflow.execute_local_activity_method(Store.drop_document, document, **STORE_CALL)

    async def _look(self, asked: PlanDocuments, kind: Kind) -> None:
        """Reserve the intent, which comes before anything is looked up, and search for the document's number."""
        key, standing = self._calls.document_key(kind), asked.standing.of(kind)
        standing.create = await workflow.execute_local_activity_method(Store.reserve_document, key, **STORE_CALL)
        if standing.create.in_doubt:
            await self._settle(standing.create)
        search = LookForDocument(
            key=key,
            number=asked.standing.numbers[kind],
            reference=standing.create.reference,
            client_id=asked.client_id if kind == "invoice" else None,
        )
        found = await self._calls.look_for_document(search)
        asked.found[kind] = found.documents
        if kind == "invoice":
            asked.is_first_invoice = found.is_first

    async def _client(self, opportunity: OpportunitySide) -> ClientFound:
        asked = FindClient(connection=self._key.connection, party_ids=opportunity.party_ids)
        return await workflow.execute_local_activity_method(Store.find_client, asked, **STORE_CALL)

    async def _plan(self, asked: PlanDocuments) -> OpportunityPlan:
        return await workflow.execute_local_activity_method(Store.plan_documents, asked, **STORE_CALL)

    async def _wait_for_client(self, opportunity: OpportunitySide) -> bool:
        """Let the opportunity's party get its client first, and wait for it. Asks a person if that takes too long.

        Returns False if that person leaves the opportunity alone.
        """
        began, wait = workflow.now(), FIRST_LOOK
        for party_id in opportunity.party_ids:
            await self._calls.announce_party(party_id, f"opportunity {self._key.opportunity_id}")
        show(SYNCING, "waiting for the client of the opportunity's party")
        while (await self._client(opportunity)).client_id is None:
            if not opportunity.party_ids or workflow.now() - began > CLIENT_PATIENCE:
                text = (
                    "the opportunity's party has no client in FreshBooks: look whether its own sync is held "
                    "(`ledgerline holds list`), or give the opportunity another party, then retry"
                )
                decided = await self._ask(self.held("missing-parent", {"explanation": text}), text, None)
                return decided.choice != "skip" or not workflow.patched(DECLINED)
            await workflow.sleep(wait, summary="until the party has its client")
            wait = min(2 * wait, LONGEST_LOOK)
        return True

    async def _hold(self, asked: PlanDocuments, plan: OpportunityPlan) -> OpportunityResult:
        decided = await self._ask(self.held(plan.hold_reason or "anomaly", plan.evidence), plan.explanation, plan)
        if decided.choice == "reject":
            return await self._declined(asked, "rejected")
        if decided.choice != "skip":
            raise Again
        if plan.orphans is not None:
            ended = EndDocument(
                key=self._calls.document_key(plan.orphans), state="orphaned", cause=self.cause, version=plan.version
            )
            await workflow.execute_local_activity_method(Store.end_document, ended, **STORE_CALL)
        return await self._declined(asked, "skipped")

    async def _declined(self, asked: PlanDocuments, outcome: str) -> OpportunityResult:
        """End the pass, and with it the intents of what a person does not want: left open, they would be taken up again
        within the hour, and the same question asked.
        """
        for kind in ("estimate", "invoice"):
            create = asked.standing.of(kind).create
            if create is not None and not create.in_doubt and workflow.patched(DECLINED):
                document = self._calls.document_key(kind)
                await workflow.execute_local_activity_method(Store.drop_document, document, **STORE_CALL)
        return OpportunityResult(outcome=outcome)

    async def _carry_out(self, asked: PlanDocuments, plan: OpportunityPlan) -> OpportunityResult:
        await self._check_breaker(asked, plan)
        invoice = asked.invoice
        for document in plan.documents:
            written = await self._take_steps(asked, plan, document)
            invoice = written if document.kind == "invoice" else invoice
        if any(each.action == "adopt" for each in plan.documents) and workflow.patched(LOST_CREATES):
            self._adopted = ", ".join(filter(None, (self._adopted, _outcome(plan))))
            raise Again
        for kind, base in plan.settled.items():
            await self._settle_document(asked, plan, kind, base)
        if plan.move_to or plan.crm_writes:
            await self._calls.write_opportunity(
                MoveOpportunity(
                    key=self._key,
                    milestone=plan.move_to,
                    writes=plan.crm_writes,
                    next_base=plan.final_base,
                    seen=asked.opportunity.fingerprint,
                    cause=self.cause,
                    version=plan.version,
                    document_created_at=asked.estimate.created_at if asked.estimate else None,
                    document_changed_at=asked.estimate.changed_at if asked.estimate else None,
                )
            )
        if invoice is not None and asked.opportunity.exists:
            await self._tell(asked, plan, invoice)
        return OpportunityResult(outcome=_outcome(plan))

    async def _settle_document(
        self, asked: PlanDocuments, plan: OpportunityPlan, kind: Kind, base: dict[str, Value]
    ) -> None:
        """Save that the two were compared, if that is news."""
        side, standing = asked.estimate if kind == "estimate" else asked.invoice, asked.standing.of(kind)
        as_before = (base, asked.opportunity.fingerprint, plan.version) == (
            standing.base,
            standing.crm_seen,
            standing.version,
        )
        if side is None or (as_before and side.fingerprint == standing.books_seen):
            return
        settled = SettleDocument(
            key=self._calls.document_key(kind),
            document_id=side.document_id,
            base=base,
            crm_seen=asked.opportunity.fingerprint,
            books_seen=side.fingerprint,
            version=plan.version,
        )
        await workflow.execute_local_activity_method(Store.settle_document, settled, **STORE_CALL)

    async def _check_breaker(self, asked: PlanDocuments, plan: OpportunityPlan) -> None:
        writes = bool(plan.documents or plan.move_to or plan.crm_writes)
        if not writes or self.choice.breaks or asked.standing.writes_lately < MOST_WRITES:
            return
        text = f"the opportunity was written {asked.standing.writes_lately} times in ten minutes: what changes it?"
        if (await self._ask(self.held("breaker", {"explanation": text}), text, None)).choice != "approve":
            raise Again
        self.choice.breaks = True

    async def _take_steps(self, asked: PlanDocuments, plan: OpportunityPlan, document: DocumentPlan) -> DocumentSide:
        """Take the steps of one document, each a request of its own: FreshBooks drops fields beside an action."""
        standing = asked.standing.of(document.kind)
        before = asked.estimate if document.kind == "estimate" else asked.invoice
        step = document
        for action in (document.action, *document.then):
            step = step.model_copy(update={"action": action})
            write = WriteDocument(
                key=self._calls.document_key(document.kind),
                plan=step,
                version=plan.version,
                cause=self.cause,
                crm_seen=asked.opportunity.fingerprint,
                create=plan.reopened.get(document.kind, standing.create),
                opportunity_created_at=asked.opportunity.created_at,
                opportunity_changed_at=asked.opportunity.changed_at,
                document_created_at=before.created_at if before else None,
                document_changed_at=before.changed_at if before else None,
            )
            written = await self._calls.write_document(write)
            step = step.model_copy(update={"document_id": written.document.document_id})
            self._remember(document.kind, written.document)
            if written.mismatch:
                await self._ask(self._mismatch(document, written.document, written.mismatch), written.mismatch, None)
        return written.document

    def _remember(self, kind: Kind, side: DocumentSide) -> None:
        self._documents[side.document_id] = (kind, side.fingerprint)

    def _mismatch(self, document: DocumentPlan, side: DocumentSide, text: str) -> OpenHold:
        evidence: dict[str, object] = {
            "explanation": text,
            "predicted": document.predicted,
            "answered": side.total,
            "currency": side.currency,
        }
        return self.held("money-mismatch", evidence)

    async def _tell(self, asked: PlanDocuments, plan: OpportunityPlan, invoice: DocumentSide) -> None:
        """Write number, amount, status and link of the invoice onto the opportunity, unless they stand there."""
        base = asked.standing.invoice.base or {}
        if base.get("told") == invoice.fingerprint and not plan.documents:
            return
        create = asked.standing.invoice.create
        reference = invoice.reference or (create.reference if create else "")
        told = WriteBack(key=self._key, invoice=invoice, reference=reference, cause=self.cause, version=plan.version)
        await self._calls.write_back(told)

    def held(self, reason: str, evidence: dict[str, object]) -> OpenHold:
        """Return a hold of this opportunity."""
        key = PartyKey(connection=self._key.connection, party_id=NO_PARTY)
        shown = {"opportunity": self._known_as, **evidence}
        return OpenHold(key=key, opportunity_id=self._key.opportunity_id, reason=reason, evidence=shown)


def _outcome(plan: OpportunityPlan) -> str:
    done = [f"{each.kind} {each.action}" for each in plan.documents]
    done += ["opportunity"] if plan.move_to or plan.crm_writes else []
    return ", ".join(done) or IN_STEP
