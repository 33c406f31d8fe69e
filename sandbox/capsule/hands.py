"""What people do with records in Capsule's web interface, and what support does, for the control API."""

import functools
from collections.abc import Callable

from sandbox.capsule import entries, opportunity_write, party_write
from sandbox.capsule.account import ADMIN_ID, Account
from sandbox.capsule.entities import OPPORTUNITY, PARTY
from sandbox.capsule.lifecycle import merge, restore, restore_opportunity, restrict, unrestrict
from sandbox.hands import Hands
from sandbox.ledger import Record


def hands_of(account: Account) -> dict[str, Hands]:
    """Return what the administrator can do, by the kind of record."""
    return {"party": _parties(account), "opportunity": _opportunities(account), "entry": _entries(account)}


def _parties(account: Account) -> Hands:
    def remove(party_id: int) -> Record:
        party = account.party(party_id)
        party_write.delete(account, party)
        return party

    deeds: dict[str, Callable[[int, Record], Record]] = {
        "merge": functools.partial(merge, account),
        "restore": functools.partial(restore, account),
        "restrict": functools.partial(restrict, account, PARTY),
        "unrestrict": functools.partial(unrestrict, account, PARTY),
    }
    return Hands(
        create=lambda draft: party_write.create(account, draft, ADMIN_ID),
        edit=lambda party_id, changes: party_write.update(account, account.party(party_id), changes),
        remove=remove,
        deeds=deeds,
    )


def _opportunities(account: Account) -> Hands:
    def remove(opportunity_id: int) -> Record:
        opportunity = account.opportunity(opportunity_id)
        opportunity_write.delete(account, opportunity)
        return opportunity

    deeds: dict[str, Callable[[int, Record], Record]] = {
        "restore": functools.partial(restore_opportunity, account),
        "restrict": functools.partial(restrict, account, OPPORTUNITY),
        "unrestrict": functools.partial(unrestrict, account, OPPORTUNITY),
    }
    return Hands(
        create=lambda draft: opportunity_write.create(account, draft, ADMIN_ID),
        edit=lambda number, changes: opportunity_write.update(account, account.opportunity(number), changes),
        remove=remove,
        deeds=deeds,
    )


def _entries(account: Account) -> Hands:
    return Hands(
        create=lambda draft: entries.create(account, draft, ADMIN_ID),
        edit=lambda number, changes: entries.update(account, entries.found_entry(account, number), changes),
        remove=lambda number: entries.remove(account, entries.found_entry(account, number)),
    )
