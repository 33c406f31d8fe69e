"""Who is behind a token, and which businesses that person belongs to.

Source: https://www.freshbooks.com/api/authentication
"""

from dataclasses import dataclass

from starlette.responses import Response

from sandbox.calls import Call, answer
from sandbox.freshbooks.account import ACCOUNT_ID, BUSINESS_ID, IDENTITY_ID, LANGUAGE, Account
from sandbox.ledger import Record

NAME = "Sandbox Studio"
PERSON, EMAIL = {"first_name": "Ida", "last_name": "Berg"}, "ida@sandbox-studio.example"
FIRST_MEMBERSHIP, FIRST_GROUP, FIRST_ROLE = 5501, 91, 61


@dataclass(frozen=True)
class Membership:
    """The identity's place in one business. `place` is 0 for the sandbox's own; no account means no accounting."""

    place: int
    name: str
    role: str
    account_id: str | None
    shows_account: bool = True


class Identity:
    """The one person whom all tokens belong to."""

    def __init__(self, account: Account) -> None:
        self._account = account

    def me(self, call: Call) -> Response:
        """The identity behind the token. There is no `result` level in this answer."""
        memberships = self._memberships(call.token["role"])
        accounts = [each.account_id for each in memberships if each.account_id]
        return answer({"response": {**self._person(), **self._places(memberships), **_permissions(accounts)}})

    def _memberships(self, role: str) -> list[Membership]:
        settings = self._account.settings
        own = Membership(0, NAME, settings.role or role, ACCOUNT_ID, not settings.null_account_id)
        others = (
            Membership(place, each.name, each.role, each.account_id)
            for place, each in enumerate(settings.businesses, 1)
        )
        return [own, *others]

    def _person(self) -> Record:
        return {
            "id": IDENTITY_ID,
            "identity_id": IDENTITY_ID,
            "identity_uuid": self._account.uuid_of("identity"),
            **PERSON,
            "email": EMAIL,
            "language": LANGUAGE,
            "confirmed_at": "2024-02-01T10:00:00Z",
            "created_at": "2024-02-01T09:58:12Z",
            "unconfirmed_email": None,
            "setup_complete": True,
            "profile": {"setup_complete": True, **PERSON, "phone_number": None, "address": None, "professions": []},
            "phone_numbers": [{"title": "", "phone_number": None}],
            "addresses": [None],
            "profession": None,
            "links": {"me": f"/service/auth/api/v1/users?id={IDENTITY_ID}"},
            "integrations": {},
            "identity_origin": None,
        }

    def _places(self, memberships: list[Membership]) -> Record:
        return {
            "groups": [self._group(each) for each in memberships],
            "business_memberships": [self._membership(each) for each in memberships],
            "roles": [_role(each) for each in memberships if each.account_id],
        }

    def _membership(self, membership: Membership) -> Record:
        address = {"id": 1, "street": "1 King St", "city": "Toronto", "province": "Ontario", "country": "Canada"}
        business = {
            "id": BUSINESS_ID + membership.place,
            "business_uuid": self._account.business_uuid(membership.place),
            "name": membership.name,
            "account_id": membership.account_id if membership.shows_account else None,
            "date_format": "dd/mm/yyyy",
            "address": address,
            "phone_number": None,
            "business_clients": [],
        }
        return {
            "id": FIRST_MEMBERSHIP + membership.place,
            "role": membership.role,
            "unacknowledged_change": False,
            "business": business,
        }

    def _group(self, membership: Membership) -> Record:
        return {
            "id": FIRST_GROUP + 10 * membership.place,
            "group_id": FIRST_GROUP + 10 * membership.place + 1,
            "identity_id": IDENTITY_ID,
            "identity_uuid": self._account.uuid_of("identity"),
            "role": membership.role,
            "business_id": BUSINESS_ID + membership.place,
            "active": True,
        }


def _permissions(accounts: list[str]) -> Record:
    return {
        "permissions": {each: {} for each in accounts},
        "subscription_statuses": dict.fromkeys(accounts, "active"),
    }


def _role(membership: Membership) -> Record:
    """Return the old form of a membership, which still names the account where the new one hides it."""
    number = FIRST_ROLE + membership.place
    return {
        "id": number,
        "role": "client" if membership.role == "client" else "admin",
        "systemid": 654 + membership.place,
        "userid": 1,
        "created_at": "2024-02-01T10:00:02Z",
        "links": {"destroy": f"/service/auth/api/v1/users/role/{number}"},
        "accountid": membership.account_id,
    }
