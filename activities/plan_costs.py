"""What applying a plan costs in requests; how long that takes, each account's quota knows."""

from collections.abc import Mapping
from typing import TypeAlias

from activities.queues import FRESHBOOKS, ZOHO_CRM
from store.plans import NewItem
from store.quotas import AccountQuota

AccountQuotas: TypeAlias = Mapping[str, AccountQuota]
"""The quotas of a connection's accounts, by system."""

# Requests to the CRM and to FreshBooks. Both sides are read anew before anything is written. A party is read once more
# right before it is written. A new party is looked for, created, and then compared with its client.
_CALLS: Mapping[tuple[str, str], tuple[int, int]] = {
    ("link", ""): (1, 1),
    ("link", "books"): (1, 2),
    ("link", "crm"): (3, 1),
    ("link", "both"): (3, 2),
    ("update", "books"): (1, 2),
    ("update", "crm"): (3, 1),
    ("update", "both"): (3, 2),
    ("create", "books"): (1, 3),
    ("create", "crm"): (3, 2),
    ("doubtful", ""): (1, 2),
    ("conflict", ""): (1, 1),
}


# Zoho answers a write with the record's id alone, so the record is read once more.
_READ_AFTER_WRITE = frozenset({ZOHO_CRM})


def cost_of(item: NewItem, crm: str) -> dict[str, int]:
    """Return how many requests applying an item takes, per system; none for what is skipped."""
    calls, freshbooks = _CALLS.get((item.action, item.side), (0, 0))
    more = crm in _READ_AFTER_WRITE and item.side in ("crm", "both")
    return {crm: calls + more, FRESHBOOKS: freshbooks}
