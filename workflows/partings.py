"""The end of a pair, and its return: a party that was deleted, merged into another, hidden from us, or brought back."""

from collections.abc import Awaitable, Callable

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from activities.models import LookForClient, OpenHold, PartyKey, Standing, WriteClient
    from activities.parting_models import Farewell, Fate, FollowMerge
    from activities.passes import PassActivities
    from workflows.client_calls import ClientCalls
    from workflows.models import ClientUpsertResult, Resolution
    from workflows.options import STORE_CALL

ACTIVE, ARCHIVED = 0, 2  # vis_state; source: https://www.freshbooks.com/api/active_deleted

Ask = Callable[[OpenHold, str], Awaitable[Resolution]]


class Partings:
    """What happens when a party is not there any more, or is there again."""

    def __init__(self, key: PartyKey, calls: ClientCalls, ask: Ask) -> None:
        self._key, self._calls, self._ask = key, calls, ask

    async def gone(self, standing: Standing, cause: str) -> ClientUpsertResult:
        """End the link of a party that the CRM does not find any more, or let it follow a merge."""
        if standing.client_id is None:
            return await self._never_linked(standing, cause)
        if standing.state == "tombstoned":
            return ClientUpsertResult(outcome="gone", client_id=standing.client_id)
        fate = await self._calls.party_fate(self._key)
        if fate.fate != "deleted":
            return await self._not_deleted(standing, fate, cause)
        if fate.heirs:
            return await self._merged(standing, fate, cause)
        return await self._archive(standing, cause)

    async def returned(self, standing: Standing, *, archived: bool, cause: str) -> None:
        """Take the link up again, and bring back the client that went with its party."""
        farewell = self._farewell(standing, cause, "active", "restore")
        if archived:
            await self._calls.set_visibility(farewell.model_copy(update={"vis_state": ACTIVE}))
        else:
            await workflow.execute_local_activity_method(PassActivities.end_link, farewell, **STORE_CALL)

    async def orphaned(self, standing: Standing, cause: str) -> None:
        """Remember that a person deleted the client and that no other is to be made."""
        farewell = self._farewell(standing, cause, "orphaned", "orphan")
        await workflow.execute_local_activity_method(PassActivities.end_link, farewell, **STORE_CALL)

    async def _never_linked(self, standing: Standing, cause: str) -> ClientUpsertResult:
        """Drop the intent, unless a create whose answer was lost left a client: that one goes the usual way."""
        if standing.create is not None and standing.create.in_doubt:
            search = LookForClient(key=self._key, reference=standing.create.reference)
            found = await self._calls.look_for_client(search)
            if len(found) == 1:
                await self._link(standing, found[0].client_id, cause)
                return await self._archive(standing.model_copy(update={"client_id": found[0].client_id}), cause)
        await workflow.execute_local_activity_method(PassActivities.drop_intent, self._key, **STORE_CALL)
        return ClientUpsertResult(outcome="gone")

    async def _link(self, standing: Standing, client_id: int, cause: str) -> None:
        write = WriteClient(
            key=self._key,
            client_id=client_id,
            writes=[],
            next_base={},
            party_fingerprint="",
            mapping_version=standing.current_mapping,
            cause=cause,
            adopted=True,
            create=standing.create,
        )
        await workflow.execute_local_activity_method(PassActivities.settle_link, write, **STORE_CALL)

    async def _not_deleted(self, standing: Standing, fate: Fate, cause: str) -> ClientUpsertResult:
        why = {
            "hidden": "is hidden from the user of our token for the CRM; give that user access again and retry",
            "unknown": "is not found in the CRM, nor among what was deleted; look there and retry",
        }
        text = f"party {self._key.party_id} {why[fate.fate]}, approve to treat it as deleted, or skip"
        decided = await self._ask(self._hold("anomaly", text), text)
        if decided.choice == "approve":
            return await self._archive(standing, cause)
        return ClientUpsertResult(outcome="skipped", client_id=standing.client_id)

    async def _merged(self, standing: Standing, fate: Fate, cause: str) -> ClientUpsertResult:
        """Follow the only party that may be left of this one. Where that has a client of its own, a person decides."""
        free = [heir for heir, client in fate.heirs.items() if client in {None, standing.client_id}]
        heir = free[0] if len(fate.heirs) == 1 and free else await self._chosen_heir(standing, fate)
        if heir is None:
            return await self._archive(standing, cause)
        if heir == self._key.party_id:
            return ClientUpsertResult(outcome="skipped", client_id=standing.client_id)
        merge = FollowMerge(key=self._key, now_party_id=heir, cause=cause, mapping_version=standing.current_mapping)
        await workflow.execute_local_activity_method(PassActivities.follow_merge, merge, **STORE_CALL)
        await self._calls.announce(heir, f"party {self._key.party_id} was merged into it")
        return ClientUpsertResult(outcome="merged", client_id=standing.client_id)

    async def _chosen_heir(self, standing: Standing, fate: Fate) -> int | None:
        """Return the party that a person chose; None to archive the client; this party itself to leave all as it is."""
        listed = ", ".join(f"{heir} (client {client or 'none'})" for heir, client in sorted(fate.heirs.items()))
        text = (
            f"party {self._key.party_id} is gone, and its email address is that of party {listed}; pick the party that "
            f"client {standing.client_id} belongs to now, approve to archive that client, or skip"
        )
        taken = all(client not in {None, standing.client_id} for client in fate.heirs.values())
        hold = self._hold("duplicate-found" if taken else "doubtful-match", text, list(fate.heirs))
        decided = await self._ask(hold, text)
        if decided.choice == "pick" and decided.party_id is not None:
            return decided.party_id
        return None if decided.choice == "approve" else self._key.party_id

    async def _archive(self, standing: Standing, cause: str) -> ClientUpsertResult:
        policy = await workflow.execute_local_activity_method(PassActivities.farewell_policy, self._key, **STORE_CALL)
        farewell = self._farewell(standing, cause, "tombstoned", "archive" if policy.archive else "part")
        if policy.archive and policy.today >= policy.limit:
            text = (
                f"{policy.today} parties were deleted today and their clients archived; approve to archive client "
                f"{standing.client_id} too, or reject to leave it as it is"
            )
            decided = await self._ask(self._hold("bulk-limit", text), text)
            policy.archive = decided.choice == "approve"
            farewell.action = "archive" if policy.archive else "part"
        if policy.archive:
            await self._calls.set_visibility(farewell.model_copy(update={"vis_state": ARCHIVED}))
        else:
            await workflow.execute_local_activity_method(PassActivities.end_link, farewell, **STORE_CALL)
        return ClientUpsertResult(outcome="archived" if policy.archive else "gone", client_id=standing.client_id)

    def _farewell(self, standing: Standing, cause: str, state: str, action: str) -> Farewell:
        return Farewell.model_validate(
            {
                "key": self._key,
                "client_id": standing.client_id,
                "cause": cause,
                "mapping_version": standing.current_mapping,
                "state": state,
                "action": action,
            }
        )

    def _hold(self, reason: str, text: str, candidates: list[int] | None = None) -> OpenHold:
        return OpenHold(key=self._key, reason=reason, evidence={"explanation": text, "parties": candidates or []})
