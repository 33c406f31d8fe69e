"""Comparing opportunities with their documents, and invoices with their payments, as they were staged."""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from activities.document_rules import FLOWS, DocumentRules
from activities.models import OpenCreate
from activities.opportunities import shown_of_invoice
from activities.opportunity_models import (
    DocumentSide,
    DocumentStanding,
    Kind,
    OpportunityKey,
    OpportunitySide,
    OpportunityStanding,
    PlanDocuments,
)
from activities.reconciliation_cash import staged_invoice, staged_payment
from activities.reconciliation_documents import compare_opportunity, of_lost_opportunity
from activities.reconciliation_findings import Finder
from activities.reconciliation_models import Report
from activities.reconciliation_payments import compare_payments, sums_of
from activities.sides import CLIENTS_FLOW
from mapping.payments import PaymentRules
from store.links import Link
from store.plan_staging import Staged
from store.reconciliation_models import AmountSum, Mismatch
from store.records import RecordKey
from store.store import Store

PAGE = 200
KINDS: tuple[Kind, ...] = ("estimate", "invoice")


@dataclass
class Money:
    """What one comparison found, and which records it wants to have read once more before that counts."""

    found: list[Mismatch] = field(default_factory=list)
    in_step: int = 0
    crm_records: int = 0
    books_records: int = 0
    sums: tuple[AmountSum, ...] = ()


class Sales:
    """Opportunities and documents of one report."""

    def __init__(
        self, store: Store, report: Report, rules: DocumentRules, finder: Finder, beat: Callable[[], object]
    ) -> None:
        self._store, self._report, self._rules = store, report, rules
        self._finder, self._beat = finder, beat
        self._documents: dict[str, DocumentSide] = {}
        self._marked: dict[tuple[Kind, str], list[DocumentSide]] = defaultdict(list)
        self._money = Money()

    async def compare(self) -> Money:
        """Return what a pass would do with each opportunity, in the order of their ids, and what has lost its own."""
        for staged in await _all(self._store, self._report, "books", self._beat):
            kind: Kind = "estimate" if staged.record_id.startswith("estimate:") else "invoice"
            side = DocumentSide.model_validate(self._opened("books", staged))
            self._documents[staged.record_id] = side
            for sign in {side.reference, side.number} - {""}:
                self._marked[kind, sign].append(side)
        self._money.books_records = sum(each.visible and each.exists for each in self._documents.values())
        linked = await self._opportunities()
        await self._lost(linked)
        return self._money

    async def _opportunities(self) -> set[str]:
        """Compare all that were listed, and return the documents that belong to them."""
        linked: set[str] = set()
        opportunities = await _all(self._store, self._report, "crm", self._beat)
        for start in range(0, len(opportunities), PAGE):
            page = opportunities[start : start + PAGE]
            said = {each.record_id: self._opened("crm", each) for each in page}
            links = {kind: await self._links(FLOWS[kind], list(said)) for kind in KINDS}
            sides = {number: OpportunitySide.model_validate(each["side"]) for number, each in said.items()}
            parties = {str(party) for side in sides.values() for party in side.party_ids}
            clients = await self._links(CLIENTS_FLOW, sorted(parties))
            for number, side in sides.items():
                own = {kind: found[number] for kind, found in links.items() if number in found}
                linked |= {f"{kind}:{link.books_id}" for kind, link in own.items()}
                self._compare(int(number), side, own, clients, said[number]["shown"])
            self._beat()
        self._money.crm_records = len(opportunities)
        return linked

    def _compare(
        self,
        number: int,
        side: OpportunitySide,
        links: Mapping[Kind, Link],
        clients: Mapping[str, Link],
        shown: Mapping[str, str],
    ) -> None:
        asked = self._asked(number, side, links, clients)
        links_at = [link.updated_at for link in links.values()]
        documents = [each for each in (asked.estimate, asked.invoice) if each is not None]
        times: list[datetime | None] = [side.changed_at, *(each.changed_at for each in documents), *links_at]
        found = compare_opportunity(asked, self._rules, self._store.links.fingerprint, self._shown(asked, shown))
        self._money.found += [self._finder.explained(each, times) for each in found]
        self._money.in_step += not found

    def _asked(
        self, number: int, side: OpportunitySide, links: Mapping[Kind, Link], clients: Mapping[str, Link]
    ) -> PlanDocuments:
        own = {kind: self._documents.get(f"{kind}:{link.books_id}") for kind, link in links.items()}
        active = [clients[str(each)] for each in side.party_ids if str(each) in clients]
        client = next((each.books_id for each in active if each.state == "active" and each.books_id), None)
        references = {kind: self._reference(kind, number) for kind in KINDS}
        return PlanDocuments(
            key=OpportunityKey(connection=self._report.connection, opportunity_id=number),
            standing=OpportunityStanding(
                version=self._rules.version,
                estimate=_standing(links.get("estimate"), references["estimate"]),
                invoice=_standing(links.get("invoice"), references["invoice"]),
                invoices=self._rules.invoice != "none",
            ),
            opportunity=side,
            client_id=int(client) if client else None,
            estimate=own.get("estimate"),
            invoice=own.get("invoice"),
            found={kind: self._found(kind, number, references[kind]) for kind in KINDS if kind not in links},
        )

    def _found(self, kind: Kind, number: int, reference: str) -> list[DocumentSide]:
        """Return the documents that a search for this opportunity's would find."""
        signs = (reference, self._rules.number(kind, number))
        hits = {each.document_id: each for sign in signs for each in self._marked[kind, sign] if each.exists}
        return [hits[each] for each in sorted(hits)]

    def _reference(self, kind: Kind, number: int) -> str:
        return self._store.intents.reference(RecordKey(self._report.connection, FLOWS[kind], str(number)))

    def _shown(self, asked: PlanDocuments, shown: Mapping[str, str]) -> dict[str, tuple[str, str]]:
        if asked.invoice is None or not asked.invoice.exists or asked.standing.invoice.state != "active":
            return {}
        must = shown_of_invoice(asked.invoice)
        return {fact: (says, must[fact]) for fact, says in shown.items() if fact in must}

    async def _lost(self, linked: set[str]) -> None:
        """Name the documents that still stand, and whose opportunity the CRM does not list."""
        left: dict[str, list[str]] = defaultdict(list)
        for kind in KINDS:
            mine = {name: side for name, side in self._documents.items() if name.startswith(kind)}
            ids = [str(side.document_id) for name, side in mine.items() if name not in linked]
            owners = await self._store.links.owners(self._report.connection, FLOWS[kind], ids)
            for books_id, crm_id in owners.items():
                side = mine[f"{kind}:{books_id}"]
                if side.exists and side.visible:
                    left[crm_id].append(f"{kind}:{books_id}")
        for crm_id in sorted(left, key=int):
            found = of_lost_opportunity(int(crm_id), left[crm_id])
            times = [self._documents[each].changed_at for each in left[crm_id]]
            self._money.found.append(self._finder.explained(found, times))

    async def _links(self, flow: str, ids: Sequence[str]) -> dict[str, Link]:
        staging, place = self._store.plans.staging, (self._report.connection, flow)
        opened = [staging.opened_link(*place, each) for each in await staging.links(*place, ids)]
        return {link.crm_id: link for link in opened if link.books_id is not None}

    def _opened(self, side: Any, staged: Staged) -> dict[str, Any]:
        return self._store.reconciliations.staging.opened(self._report.report_id, side, staged)


async def compare_cash(
    store: Store, report: Report, rules: PaymentRules, finder: Finder, beat: Callable[[], object]
) -> Money:
    """Return what is wrong between invoices and payments. A record that says no amount is named, and left out."""
    invoices, payments, money = [], [], Money()
    for staged in await _all(store, report, "books", beat):
        said = store.reconciliations.staging.opened(report.report_id, "books", staged)
        if "problem" in said:
            odd = Mismatch(
                0, "amount", "unknown", "person", books_ids=(staged.record_id,), explanation=str(said["problem"])
            )
            money.found.append(finder.explained(odd, []))
        elif staged.record_id.startswith("invoice:"):
            invoices.append(staged_invoice(said))
        else:
            payments.append(staged_payment(said))
    found = compare_payments(invoices, payments, rules)
    money.found += [finder.explained(each, []) for each in found]
    money.books_records, money.sums = len(invoices) + len(payments), sums_of(invoices)
    touched = {record for each in found for record in each.books_ids}
    money.in_step = sum(f"invoice:{each.id}" not in touched for each in invoices)
    return money


async def _all(store: Store, report: Report, side: Any, beat: Callable[[], object]) -> list[Staged]:
    """Return what was staged of a side, by id. Opportunities and documents are far fewer than clients."""
    found, after = list[Staged](), ""
    while page := await store.reconciliations.staging.page(report.report_id, side, after, PAGE):
        found += page
        after = page[-1].record_id
        beat()
    return found


def _standing(link: Link | None, reference: str) -> DocumentStanding:
    if link is None or link.books_id is None:
        return DocumentStanding(create=OpenCreate(intent_id=0, reference=reference, fence=0))
    return DocumentStanding(document_id=int(link.books_id), base=link.base, state=link.state)
