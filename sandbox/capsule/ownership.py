"""Owner and team of a record. Source: https://developer.capsulecrm.com/v2/overview/writing-to-the-api"""

from sandbox.capsule.account import Account, reference
from sandbox.capsule.errors import invalid
from sandbox.capsule.reference import MEMBERS
from sandbox.ledger import Record


def merge_owner(account: Account, record: Record, changes: Record, resource: str) -> None:
    """Set owner and team, which hang together: an owner sent without a team clears the team. Raises 404 and 422."""
    if "owner" in changes:
        owner = changes["owner"]
        record["owner"] = None if owner is None else account.user_short(reference(owner, "user"))
        record["team"] = None if "team" not in changes else record["team"]
    if "team" in changes:
        team = changes["team"]
        record["team"] = None if team is None else account.team_short(reference(team, "team"))
    if record["team"] and record["owner"] and record["owner"]["id"] not in MEMBERS[record["team"]["id"]]:
        raise invalid("owner is not a member of the team", resource, "owner")
