"""What a difference between both sides is called, why it is there, and who mends it. Pure: a pass decides the same."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from activities.plan_models import StagedClient, StagedParty
from activities.plan_survey import Clients
from mapping.values import Value
from store.links import Link
from store.plans import NewItem
from store.reconciliation_models import Cause, Drift, Mismatch, MismatchKind, Repair


@dataclass(frozen=True)
class Standing:
    """What our own store knows of records on which work goes on. Ids as text, by side."""

    held: Mapping[str, frozenset[str]] = field(default_factory=dict)
    in_doubt: Mapping[str, frozenset[str]] = field(default_factory=dict)


@dataclass(frozen=True)
class Finder:
    """Names the differences of one report, whose lists were read from `since` on."""

    standing: Standing
    since: datetime

    def of_party(self, item: NewItem, party: StagedParty, link: Link | None, clients: Clients) -> Mismatch | None:
        """Return what an item about a party says of both sides, None if it is as it should be."""
        candidates = [int(each["id"]) for each in item.detail.get("candidates", ())]
        linked = int(link.books_id) if link is not None and link.books_id else None
        known = [each for each in dict.fromkeys((item.client_id, linked, *candidates)) if each is not None]
        times = [party.side.changed_at, link.updated_at if link else None]
        times += [clients[each].side.changed_at for each in known if each in clients]
        kind = _kind_of_party(item, linked)
        if kind is None:
            return None
        found = Mismatch(
            number=0,
            kind=kind,
            cause="unknown",
            repair="person" if item.action in ("doubtful", "conflict", "skip") else "sync",
            crm_ids=(str(item.party_id),),
            books_ids=tuple(map(str, known)),
            name=party.name,
            drifts=_drifts(item),
            explanation=_text_of_party(item, kind),
        )
        return self.explained(found, times)

    def of_client(self, item: NewItem, client: StagedClient, link_state: str | None) -> Mismatch | None:
        """Return what an item about a client whose party was not listed says, None if it is as it should be."""
        client_id, side = str(client.side.client_id), client.side
        if item.action == "create":
            text = f"no party in the CRM belongs to client {client_id}"
            return self._of_client(client, "missing-left", "sync", (), text)
        if not side.visible or side.archived:
            return None
        if item.reason == "party-gone" and link_state == "active":
            text = f"party {item.party_id}, to which client {client_id} is linked, is not in the CRM any more"
            return self._of_client(client, "orphaned-link", "sync", (str(item.party_id),), text)
        if item.reason == "made-by-us":
            text = f"client {client_id} carries our reference, and no party that the CRM lists is linked to it"
            return self._of_client(client, "orphaned-link", "person", (), text)
        return None

    def of_twins_client(self, item: NewItem, client: StagedClient) -> Mismatch:
        """Return what to say of a client that may belong to a party of which there are two: nobody else tells of it."""
        client_id = str(client.side.client_id)
        text = f"no party belongs to client {client_id}, unless it is party {item.party_id}, which the CRM has twice"
        return self._of_client(client, "missing-left", "person", (), text)

    def both_gone(self, link: tuple[str, str, datetime]) -> Mismatch:
        """Return what to say of a link, (party, client, last moved), whose records neither system lists."""
        party_id, client_id, moved_at = link
        text = f"neither party {party_id} nor client {client_id} is there any more, and the link says that both are"
        found = Mismatch(0, "orphaned-link", "unknown", "sync", (party_id,), (client_id,), explanation=text)
        return self.explained(found, [moved_at])

    def twins(self, side: str, ids: Sequence[int]) -> Mismatch:
        """Return what to say of records of one side that stand for the same."""
        known = tuple(map(str, ids))
        what = "parties" if side == "crm" else "clients"
        text = f"{what} {', '.join(known)} have one strong key and one name, or one reference of ours: merge them"
        crm_ids, books_ids = (known, ()) if side == "crm" else ((), known)
        return self.explained(Mismatch(0, "duplicate", "unknown", "person", crm_ids, books_ids, explanation=text), [])

    def explained(self, found: Mismatch, times: Sequence[datetime | None]) -> Mismatch:
        """Return it with its cause. `times` are when its records and their link last changed."""
        cause = self._cause(found, times)
        repair: Repair = found.repair
        if cause in ("in-doubt", "edited-after"):
            repair = "none"  # its own workflow is at it
        elif cause == "held":
            repair = "person"
        return replace(found, cause=cause, repair=repair)

    def _cause(self, found: Mismatch, times: Sequence[datetime | None]) -> Cause:
        if self._is_among(self.standing.held, found):
            return "held"
        if self._is_among(self.standing.in_doubt, found):
            return "in-doubt"
        # Systems write whole seconds: what happened in the second in which we began may have happened after.
        since = self.since.replace(microsecond=0)
        return "edited-after" if any(each is not None and each >= since for each in times) else "unknown"

    def _is_among(self, records: Mapping[str, frozenset[str]], found: Mismatch) -> bool:
        sides = (("crm", found.crm_ids), ("books", found.books_ids))
        return any(not records.get(side, frozenset()).isdisjoint(ids) for side, ids in sides)

    def _of_client(
        self, client: StagedClient, kind: MismatchKind, repair: Repair, crm_ids: tuple[str, ...], text: str
    ) -> Mismatch:
        books_ids = (str(client.side.client_id),)
        found = Mismatch(0, kind, "unknown", repair, crm_ids, books_ids, name=client.name, explanation=text)
        return self.explained(found, [client.side.changed_at])


def _kind_of_party(item: NewItem, linked: int | None) -> MismatchKind | None:
    if item.action == "skip":
        if item.reason != "unmappable":
            return None
        return "missing-right" if linked is None else "field-drift"
    if item.action == "doubtful":
        return "duplicate" if len(item.detail.get("candidates", ())) > 1 else "missing-right"
    if item.action == "conflict":
        return "orphaned-link" if linked is not None and not item.detail.get("conflicts") else "field-drift"
    return "field-drift" if item.action == "update" else "missing-right"


def _text_of_party(item: NewItem, kind: MismatchKind) -> str:
    if item.action == "create":
        return f"no client in FreshBooks belongs to party {item.party_id}"
    if item.action == "link":
        return f"client {item.client_id} is the one of party {item.party_id}, and nothing ties the two yet"
    if kind == "field-drift" and item.action == "update":
        return "the two differ, and a sync brings them in step"
    return str(item.detail.get("text", ""))


def _drifts(item: NewItem) -> tuple[Drift, ...]:
    """Return the fields that differ, with what each side says. What a create would write is no drift."""
    if item.action in ("create", "link"):
        return ()
    said, none = item.detail, ()
    drifts = [Drift(each["field"], _text(each["crm"]), _text(each["books"])) for each in said.get("conflicts", none)]
    drifts += [Drift(each["field"], _text(each["after"]), _text(each["before"])) for each in said.get("writes", none)]
    drifts += [
        Drift(each["field"], _text(each["before"]), _text(each["after"])) for each in said.get("crm_writes", none)
    ]
    return tuple(sorted(drifts, key=lambda each: each.name))


def _text(value: Value) -> str | None:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return None if value is None else str(value)
