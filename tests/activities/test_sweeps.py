"""Sweeps: what differs is announced, and what is as it was seen is not."""

from datetime import UTC, date, datetime, timedelta

import httpx
from pydantic import SecretStr
from temporalio.testing import ActivityEnvironment

from activities.capsule_crm import CapsuleCrm
from activities.party_sides import PartyMapping
from activities.sweep_models import DeletedSince, PeoplePage, Stream, SweepEnd, SweepPage, SweptPage
from activities.sweeps import OVERLAP, CursorActivities, SweepActivities
from activities.watch_models import DeletionsPage
from connectors.capsule.api import CapsuleApi
from connectors.http import fixed_token, http_client
from mapping.context import Context
from store.news import Told
from tests.activities.steps import created
from tests.sandboxes import Announced, Firm
from worker.accounts import clients_template

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


async def swept(firm: Firm, page: int = 1, since: datetime | None = None, priority: int = 3) -> SweptPage:
    asked = SweepPage(connection=firm.name, since=since, page=page, priority=priority)
    return await firm.run(SweepActivities.sweep_parties, asked)


def announced(firm: Firm) -> list[int]:
    return sorted(each.party_id for each in firm.announced)


async def test_a_party_that_was_never_seen_is_announced(firm: Firm) -> None:
    party_id = await firm.new_party()
    assert await swept(firm) == SweptPage(listed=1, announced=1, has_more=False)
    assert firm.announced == [Announced(firm.name, party_id, "first sweep", 3)]


async def test_a_party_in_step_is_not_announced(firm: Firm) -> None:
    await created(firm, name="Acme Ltd")
    assert await swept(firm) == SweptPage(listed=1, announced=0, has_more=False)
    assert firm.announced == []


async def test_the_people_of_a_firm_that_is_gone_are_nobody(firm: Firm) -> None:
    """F17: it was deleted between the webhook and the pass."""
    asked = PeoplePage(organisation=firm.key(245_999_999))
    assert await firm.run(SweepActivities.announce_people, asked) == SweptPage(listed=0, announced=0, has_more=False)
    assert firm.announced == []


async def test_only_the_party_that_changed_is_announced(firm: Firm) -> None:
    """Z140."""
    changed, _ = await created(firm, name="Acme Ltd")
    await created(firm, name="Borg AB")
    await firm.change_party(changed, name="Acme & Sons")
    await swept(firm)
    assert announced(firm) == [changed]


async def test_a_change_that_no_client_shows_is_not_announced(firm: Firm) -> None:
    party_id, _ = await created(firm)
    await firm.change_party(party_id, websites=[{"service": "URL", "address": "https://acme.test"}])
    await swept(firm)
    assert firm.announced == []


async def test_a_party_that_cannot_be_mapped_is_announced_so_that_somebody_hears_of_it(firm: Firm) -> None:
    """F36: it does not stop the parties behind it either."""
    odd, plain = await firm.new_party(), await firm.new_party()
    firm.edit_party(odd, addresses=[{"id": 1, "type": "Office", "street": None, "country": "Atlantis"}])
    await swept(firm)
    assert announced(firm) == [odd, plain]


async def test_a_hundred_and_one_parties_are_two_pages(firm: Firm) -> None:
    """S62."""
    for number in range(101):
        await firm.new_party(name=f"Customer {number}")
    first, second = await swept(firm), await swept(firm, page=2)
    assert (first.listed, first.has_more) == (100, True)
    assert (second.listed, second.has_more) == (1, False)
    assert len(set(announced(firm))) == 101


async def test_a_sweep_lists_only_what_changed_since(firm: Firm) -> None:
    await firm.new_party()
    later = datetime.now(UTC) + timedelta(hours=1)
    assert (await swept(firm, since=later)).listed == 0


async def test_a_backfill_announces_behind_everything_else(firm: Firm) -> None:
    await firm.new_party()
    await swept(firm, priority=5)
    assert [each.priority for each in firm.announced] == [5]


async def test_deleted_parties_are_listed_by_their_own_log(firm: Firm) -> None:
    """F16: absence from a list is no deletion."""
    gone, _ = await firm.new_party(), await firm.new_party()
    since = datetime.now(UTC) - timedelta(minutes=1)
    await firm.delete_party(gone)
    deletions = await firm.run(SweepActivities.deleted_parties, DeletedSince(connection=firm.name, since=since))
    assert (deletions.party_ids, deletions.has_more) == ([gone], False)


async def deletions(firm: Firm) -> SweptPage:
    since = datetime.now(UTC) - timedelta(minutes=1)
    return await firm.run(SweepActivities.sweep_deletions, DeletionsPage(connection=firm.name, since=since))


async def test_a_linked_party_that_was_deleted_is_announced(firm: Firm) -> None:
    """F16: no list of changes shows a deletion."""
    party_id, _ = await created(firm, name="Acme Ltd")
    await firm.delete_party(party_id)
    assert await deletions(firm) == SweptPage(listed=1, announced=1, has_more=False)
    assert firm.announced == [Announced(firm.name, party_id, "sweep: deleted", 3)]


async def test_a_deleted_party_that_had_no_client_is_nobodys_business(firm: Firm) -> None:
    await firm.delete_party(await firm.new_party())
    assert await deletions(firm) == SweptPage(listed=1, announced=0, has_more=False)


async def test_a_party_that_we_may_no_longer_see_is_not_deleted(firm: Firm) -> None:
    """F16: a team's walls would else archive the team's customers."""
    party_id, _ = await created(firm, name="Acme Ltd")
    hidden = {"parties": [], "restrictedParties": [{"id": party_id, "type": "organisation", "isRestricted": True}]}
    async with http_client(httpx.MockTransport(lambda _: httpx.Response(200, json=hidden))) as http:
        capsule = CapsuleApi(http, fixed_token(SecretStr("token")))
        mapping = PartyMapping(clients_template(firm.name, firm.connection), Context())
        sweeps = SweepActivities(CapsuleCrm(capsule, "Ledgerline reference"), mapping, firm.store, firm._announce)
        asked = DeletionsPage(connection=firm.name, since=NOON)
        assert (await ActivityEnvironment().run(sweeps.sweep_deletions, asked)).announced == 0
    assert firm.announced == []


async def test_a_change_that_no_webhook_told_of_is_counted_once(firm: Firm) -> None:
    """F13: sweeps overlap, so most changes are listed twice."""
    silent, told = await firm.new_party(), await firm.new_party()
    await firm.store.news.told([Told(firm.name, "capsule", str(told), datetime.now(UTC))])
    for _ in range(2):
        await swept(firm, since=datetime.now(UTC) - timedelta(minutes=1))
    assert announced(firm) == sorted([silent, told] * 2)
    (count,) = await firm.store.news.counts(date(2026, 1, 1))
    assert (count.by_webhook, count.by_sweep) == (1, 1)


async def test_the_first_sweep_reads_everything(firm: Firm) -> None:
    cursors, stream = CursorActivities(firm.store), Stream(connection=firm.name, name="capsule.parties")
    assert (await ActivityEnvironment().run(cursors.begin_sweep, stream)).since is None


async def test_the_next_sweep_reads_again_what_lies_shortly_before_the_cursor(firm: Firm) -> None:
    """F15: a pause of any length loses nothing."""
    cursors, stream = CursorActivities(firm.store), Stream(connection=firm.name, name="capsule.parties")
    await ActivityEnvironment().run(cursors.end_sweep, SweepEnd(stream=stream, read_until=NOON))
    assert (await ActivityEnvironment().run(cursors.begin_sweep, stream)).since == NOON - OVERLAP


async def test_a_cursor_never_goes_back(firm: Firm) -> None:
    cursors, stream = CursorActivities(firm.store), Stream(connection=firm.name, name="capsule.parties")
    for instant in (NOON, NOON - timedelta(hours=1)):
        await ActivityEnvironment().run(cursors.end_sweep, SweepEnd(stream=stream, read_until=instant))
    assert await firm.store.cursors.read(firm.name, "capsule.parties") == NOON
