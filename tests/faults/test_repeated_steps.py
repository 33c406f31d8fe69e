"""A step that is made twice, as when its worker died before Temporal heard of it, tells what it did once."""

import pytest
from temporalio.testing import ActivityEnvironment

from tests.activities.steps import planned, read_client
from tests.sandboxes import Firm

pytestmark = pytest.mark.faults


async def test_an_adoption_that_is_confirmed_twice_is_one_line_in_the_audit_log(firm: Firm) -> None:
    """F41: the campaign finds this only where a worker dies within a few milliseconds."""
    party_id = await firm.new_party(emailAddresses=[{"address": "billing@acme.test"}])
    client_id = await firm.new_client(organization="Acme Ltd", email="billing@acme.test")
    write = await planned(firm, party_id, await read_client(firm, client_id))
    assert write.adopted
    for _ in range(2):
        await ActivityEnvironment().run(firm.passes.settle_link, write)
    assert [line.action for line in await firm.store.audit.latest(10)] == ["adopt"]
