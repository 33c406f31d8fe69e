"""From a change in Capsule to the client in FreshBooks: webhook, receiver, workflow, write."""

import time

from starters.forwarding import Forwarder
from tests.sandboxes import Firm
from tests.starters.doorway import Doorway
from tests.workflows.office import Office, until


async def test_a_change_in_capsule_is_in_freshbooks_within_seconds(office: Office, firm: Firm) -> None:
    """S1, S21: nobody polls."""
    async with Doorway.open(firm, Forwarder(office.announcer, firm.store)) as doorway, office.working():
        await doorway.register()
        started = time.monotonic()
        office.expect(await firm.new_party(name="Acme Ltd"))

        async def arrived() -> bool:
            return [each["organization"] for each in firm.clients()] == ["Acme Ltd"]

        await until(arrived)
        assert time.monotonic() - started < 5


async def test_our_own_write_comes_back_as_a_webhook_and_writes_nothing(office: Office, firm: Firm) -> None:
    """F20."""
    async with Doorway.open(firm, Forwarder(office.announcer, firm.store)) as doorway, office.working():
        await doorway.register()
        party_id = await firm.new_party(name="Acme Ltd")
        office.expect(party_id)
        await office.called("POST", "/users/clients", 1)
        await office.result(party_id)
        await firm.sandbox.settle()
        await office.result(party_id)
    assert firm.calls("PUT", "/clients/{id}") == 0
    assert firm.calls("POST", "/users/clients") == 1
