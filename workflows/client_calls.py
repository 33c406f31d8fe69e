"""The steps of a client sync as its workflows take them: each request on its account's queue, in turn, with its line
in the Temporal UI.
"""

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from activities.clients import ClientActivities
    from activities.models import (
        ClientKey,
        ClientSide,
        ClientWritten,
        LookForClient,
        PartyKey,
        PartySide,
        WriteClient,
        WriteParty,
    )
    from activities.parties import PartyActivities
    from activities.parting_models import AskFate, Farewell, Fate
    from activities.party_models import AnnounceParty, CreateParty, LookForParty, PartyCandidate, PartyWritten
    from activities.passes import PassActivities
    from activities.queues import FRESHBOOKS
    from workflows.options import STORE_CALL, api_call


class ClientCalls:
    """The requests of one connection. `rank` runs from 1, a person waits, to 5, a backfill."""

    def __init__(self, connection: str, crm: str) -> None:
        self._connection, self.crm = connection, crm
        self.rank = 5

    async def read_party(self, key: PartyKey) -> PartySide:
        """Return what the CRM says of a party."""
        return await workflow.execute_activity_method(
            PartyActivities.read_party, key, **self._in_crm(f"read party {key.party_id}")
        )

    async def read_client(self, client_id: int) -> ClientSide:
        """Return what FreshBooks says of a client."""
        return await workflow.execute_activity_method(
            ClientActivities.read_client,
            ClientKey(connection=self._connection, client_id=client_id),
            **self._freshbooks(f"read client {client_id}"),
        )

    async def look_for_client(self, search: LookForClient) -> list[ClientSide]:
        """Return the clients that a search found."""
        by = "email" if search.email else "name" if search.name else "our reference"
        found = await workflow.execute_activity_method(
            ClientActivities.look_for_client, search, **self._freshbooks(f"look for a client by {by}")
        )
        return found.clients

    async def look_for_party(self, search: LookForParty) -> list[PartyCandidate]:
        """Return the parties that a search found."""
        by = "email" if search.email else "our reference"
        found = await workflow.execute_activity_method(
            PartyActivities.look_for_party, search, **self._in_crm(f"look for a party by {by}")
        )
        return found.parties

    async def create_client(self, write: WriteClient, summary: str) -> ClientWritten:
        """Create a party's client."""
        return await workflow.execute_activity_method(
            ClientActivities.create_client, write, **self._freshbooks(summary)
        )

    async def update_client(self, write: WriteClient, summary: str) -> ClientWritten:
        """Write the changed fields of a client."""
        return await workflow.execute_activity_method(
            ClientActivities.update_client, write, **self._freshbooks(summary)
        )

    async def create_party(self, write: CreateParty) -> PartyWritten:
        """Create a client's party."""
        summary = f"create the party of client {write.key.client_id}"
        return await workflow.execute_activity_method(PartyActivities.create_party, write, **self._in_crm(summary))

    async def update_party(self, write: WriteParty) -> PartyWritten:
        """Write the changed fields of a party."""
        fields = ", ".join(each.field for each in write.writes)
        summary = f"write party {write.key.party_id}: {fields}"
        return await workflow.execute_activity_method(PartyActivities.update_party, write, **self._in_crm(summary))

    async def party_fate(self, key: PartyKey) -> Fate:
        """Return what became of a party that is gone."""
        summary = f"what became of party {key.party_id}?"
        return await workflow.execute_activity_method(
            PartyActivities.party_fate, AskFate(key=key), **self._in_crm(summary)
        )

    async def set_visibility(self, farewell: Farewell) -> ClientWritten:
        """Archive a client, or bring it back."""
        summary = f"{farewell.action} client {farewell.client_id}"
        return await workflow.execute_activity_method(
            ClientActivities.set_visibility, farewell, **self._freshbooks(summary)
        )

    async def announce(self, party_id: int, cause: str) -> None:
        """Let the workflow of a party make a pass."""
        key = PartyKey(connection=self._connection, party_id=party_id)
        asked = AnnounceParty(key=key, cause=cause, priority=self.rank)
        await workflow.execute_local_activity_method(PassActivities.announce_party, asked, **STORE_CALL)

    def _in_crm(self, summary: str) -> workflow.ActivityConfig:
        return api_call(self.crm, self._connection, self.rank, summary)

    def _freshbooks(self, summary: str) -> workflow.ActivityConfig:
        return api_call(FRESHBOOKS, self._connection, self.rank, summary)
