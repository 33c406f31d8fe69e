"""The steps of a pass that touch only our own store: local activities, shared by all connections."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

from temporalio import activity

from activities.errors import temporal_errors
from activities.models import OpenCreate, OpenHold, PartyKey, PlanClient, PlannedPass, Standing, WriteClient
from activities.planning import plan_for_client, plan_without_client
from activities.sides import CLIENTS_FLOW, agreement, record_key
from mapping.engine import Template
from mapping.rules import Direction
from store.audit import AuditEntry
from store.intents import Intent
from store.store import Store


class PassActivities:
    """What a pass knows, plans and confirms. `lost_after` is how long a request that nobody watches can still act."""

    def __init__(self, store: Store, templates: Mapping[str, Template], lost_after: Mapping[str, timedelta]) -> None:
        self._store, self._templates, self._lost_after = store, templates, lost_after

    @activity.defn
    async def begin_pass(self, key: PartyKey) -> Standing:
        """Return where the party stands. A party without a client gets an intent before anything is looked up."""
        template = self._templates[key.connection]
        link = await self._store.links.of_crm(record_key(key))
        standing = Standing(current_mapping=template.version, two_way=_two_way(template))
        if link is None or link.books_id is None:
            return standing.model_copy(update={"create": await self._open_create(key)})
        return standing.model_copy(
            update={
                "client_id": int(link.books_id),
                "crm_seen": link.crm_seen,
                "books_seen": link.books_seen,
                "mapping_version": link.mapping_version,
            }
        )

    @activity.defn
    async def plan_client(self, asked: PlanClient) -> PlannedPass:
        """Return what this pass would write, and why. An intent whose doubt is settled becomes usable again."""
        with temporal_errors():
            template = self._templates[asked.key.connection]
            if asked.client is not None:
                link = await self._store.links.of_crm(record_key(asked.key))
                return plan_for_client(asked, asked.client, link.base if link else None, template)
            owners = await self._owners(asked)
            planned = plan_without_client(asked, owners, template)
            if planned.plan.action == "create" and asked.create and asked.create.in_doubt:
                planned.create = await self._reopen(asked.create)
            return planned

    @activity.defn
    async def settle_link(self, write: WriteClient) -> None:
        """Save what both sides agree on when nothing has to be written. Safe to repeat: it sets values."""
        with temporal_errors():
            if write.client_id is None:
                raise ValueError("a link needs the client's id")
            agreed = agreement(write, write.client_id, write.client_fingerprint)
            entry = AuditEntry(action="adopt", cause=write.cause, mapping_version=write.mapping_version)
            await self._store.links.confirm(
                record_key(write.key),
                agreed,
                audit=entry if write.adopted else None,
                intent_id=write.create.intent_id if write.create else None,
            )

    @activity.defn
    async def open_hold(self, hold: OpenHold) -> None:
        """List a workflow that waits for a person. Safe to repeat: a workflow has one hold."""
        workflow_id = activity.info().workflow_id
        await self._store.holds.open(str(workflow_id), record_key(hold.key), hold.reason, hold.evidence)

    @activity.defn
    async def close_hold(self) -> None:
        """Take the workflow off the list. Safe to repeat."""
        await self._store.holds.close(str(activity.info().workflow_id))

    async def _open_create(self, key: PartyKey) -> OpenCreate:
        intent = await self._store.intents.reserve(record_key(key))
        if intent.state == "sending":  # the attempt that sent it is gone, and nobody heard the answer
            until = (intent.sent_at or datetime.now(UTC)) + self._lost_after[key.connection]
            await self._store.intents.doubt(intent, until)
            return _open(intent, in_doubt=True, settle_until=until)
        return _open(intent, in_doubt=intent.state == "in-doubt", settle_until=intent.settle_until)

    async def _owners(self, asked: PlanClient) -> dict[int, str]:
        ids = [str(each.client_id) for each in asked.candidates]
        owners = await self._store.links.owners(asked.key.connection, CLIENTS_FLOW, ids)
        return {int(client): party for client, party in owners.items() if party != str(asked.key.party_id)}

    async def _reopen(self, create: OpenCreate) -> OpenCreate:
        doubted = Intent(create.intent_id, create.reference, "in-doubt", create.fence, None, create.settle_until)
        return _open(await self._store.intents.reopen(doubted), in_doubt=False, settle_until=None)


def _two_way(template: Template) -> bool:
    return any(rule.direction is Direction.BOTH for rule in template.rules.values())


def _open(intent: Intent, *, in_doubt: bool, settle_until: datetime | None) -> OpenCreate:
    return OpenCreate(
        intent_id=intent.id,
        reference=intent.reference,
        fence=intent.fence,
        in_doubt=in_doubt,
        settle_until=settle_until if in_doubt else None,
    )
