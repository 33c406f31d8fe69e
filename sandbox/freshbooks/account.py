"""The FreshBooks account: its identifiers, its clocks, and who is calling.

Source: https://www.freshbooks.com/api/authentication
"""

import uuid
from datetime import UTC, datetime

from starlette.responses import Response

from sandbox.calls import Call, answer
from sandbox.clock import EASTERN
from sandbox.freshbooks.errors import refused, unknown_account
from sandbox.ledger import Record
from sandbox.records import Records
from sandbox.settings import FreshBooksSettings
from sandbox.tokens import Tokens

ACCOUNT_ID = "sBx7Qz"
BUSINESS_ID = 880_001
IDENTITY_ID = 7001
CURRENCY, LANGUAGE = "EUR", "en"
ROW_KEYS = {"contacts": "contactid"}


class Account:
    """What all operations on the account share."""

    def __init__(self, records: Records, tokens: Tokens, settings: FreshBooksSettings, seed: int) -> None:
        self.records, self.tokens, self.settings, self.seed = records, tokens, settings, seed

    def uuid_of(self, name: str) -> str:
        """Return a UUID that is the same for the same seed and name."""
        return str(uuid.uuid5(uuid.NAMESPACE_DNS, f"freshbooks {self.seed} {name}"))

    def check(self, call: Call) -> None:
        """Raise the 404 unless the path names this account; ids are case-sensitive."""
        if call.params["account"] != ACCOUNT_ID:
            raise unknown_account(call.params["account"])

    def me(self, call: Call) -> Response:
        """The identity behind the token. There is no `result` level in this answer."""
        return answer({"response": identity(self, call.token["role"])})


def eastern(instant: datetime) -> str:
    """Return an instant as accounting writes it: US Eastern, no offset."""
    return instant.astimezone(EASTERN).strftime("%Y-%m-%d %H:%M:%S")


def utc(instant: datetime) -> str:
    """Return an instant in the same form, but in UTC, as `signup_date` has it."""
    return instant.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S")


def content(call: Call, key: str) -> Record:
    """Return the object under a body's one key. Raises errno 1005 or 1001."""
    try:
        body = call.json()
    except ValueError as error:
        raise refused(1005, "The request body could not be parsed.", thing=key) from error
    found = body.get(key) if isinstance(body, dict) else None
    if not isinstance(found, dict):
        raise refused(1001, f"'{key}' is a required field.", key, key)
    return found


def identity(account: Account, role: str) -> Record:
    """Return the answer of `users/me`."""
    business = {
        "id": BUSINESS_ID,
        "business_uuid": account.uuid_of("business"),
        "name": "Sandbox Studio",
        "account_id": None if account.settings.null_account_id else ACCOUNT_ID,
        "date_format": "dd/mm/yyyy",
        "address": {"id": 1, "street": "1 King St", "city": "Toronto", "province": "Ontario", "country": "Canada"},
        "phone_number": None,
        "business_clients": [],
    }
    person = {"first_name": "Ida", "last_name": "Berg"}
    identity_uuid = account.uuid_of("identity")
    return {
        "id": IDENTITY_ID,
        "identity_id": IDENTITY_ID,
        "identity_uuid": identity_uuid,
        **person,
        "email": "ida@sandbox-studio.example",
        "language": LANGUAGE,
        "confirmed_at": "2024-02-01T10:00:00Z",
        "created_at": "2024-02-01T09:58:12Z",
        "unconfirmed_email": None,
        "setup_complete": True,
        "profile": {"setup_complete": True, **person, "phone_number": None, "address": None, "professions": []},
        "phone_numbers": [{"title": "", "phone_number": None}],
        "addresses": [None],
        "profession": None,
        "links": {"me": f"/service/auth/api/v1/users?id={IDENTITY_ID}"},
        "permissions": {ACCOUNT_ID: {}},
        "groups": [_group(role, identity_uuid)],
        "subscription_statuses": {ACCOUNT_ID: "active"},
        "integrations": {},
        "business_memberships": [{"id": 5501, "role": role, "unacknowledged_change": False, "business": business}],
        "identity_origin": None,
        "roles": [_role()],
    }


def _group(role: str, identity_uuid: str) -> Record:
    ids = {"id": 91, "group_id": 92, "identity_id": IDENTITY_ID, "identity_uuid": identity_uuid}
    return {**ids, "role": role, "business_id": BUSINESS_ID, "active": True}


def _role() -> Record:
    made = {"created_at": "2024-02-01T10:00:02Z", "links": {"destroy": "/service/auth/api/v1/users/role/61"}}
    return {"id": 61, "role": "admin", "systemid": 654, "userid": 1, **made, "accountid": ACCOUNT_ID}
