"""Who works in the business: staff of the account, and the same people as team members. They are in the settings.

Source: https://www.freshbooks.com/api/staff, /api/team-members
"""

from starlette.responses import Response

from sandbox.calls import Call, Refusal, answer, id_of
from sandbox.freshbooks.account import ACCOUNT_ID, BUSINESS_ID, IDENTITY_ID, LANGUAGE, Account
from sandbox.freshbooks.business import account_id_of, members
from sandbox.freshbooks.errors import AUTH, unknown
from sandbox.freshbooks.identity import EMAIL, NAME, PERSON
from sandbox.freshbooks.list_filters import STAFF, passing
from sandbox.freshbooks.paging import page_of, plain_page_of, searches
from sandbox.ledger import Record
from sandbox.settings import Colleague

OWNER_ID = 1
SINCE, SINCE_UTC = "2024-02-01 05:00:00", "2024-02-01T10:00:00Z"
CREDENTIAL = "must-never-be-stored"
"""What stands in `api_token`, which real staff records carry too."""


def staff_ids(account: Account) -> range:
    """Return the ids of all staff, those who have left too."""
    return range(OWNER_ID, OWNER_ID + 1 + len(account.settings.staff))


class Staff:
    """The people of the sandbox's own business; a further one has its owner alone."""

    def __init__(self, account: Account) -> None:
        self._account = account

    def index(self, call: Call) -> Response:
        """A page of staff. Its list is called `staff`, in the singular."""
        self._account.check(call)
        found = passing(STAFF, searches(call), self._staff(call))
        return answer(page_of(call, "staff", found, lambda each: each, self._account.settings.extra_total))

    def get(self, call: Call) -> Response:
        """One member of the staff."""
        self._account.check(call)
        found = [each for each in self._staff(call) if each["id"] == id_of(call.params["id"])]
        if not found:
            raise unknown("staff", "userid", call.params["id"])
        return answer({"response": {"result": {"staff": found[0]}}})

    def team(self, call: Call) -> Response:
        """A page of team members; `active` chooses among them. This envelope has no `pages`."""
        found = self._team(call)
        if wanted := call.query.get("active"):
            found = [each for each in found if each["active"] == (wanted.casefold() in {"true", "1"})]
        return answer(plain_page_of(call, found))

    def member(self, call: Call) -> Response:
        """One team member."""
        found = [each for each in self._team(call) if each["uuid"] == call.params["uuid"]]
        if not found:
            raise Refusal(404, {"error": "not_found", "error_description": "Team member not found."}, AUTH)
        return answer({"response": found[0]})

    def business(self, call: Call) -> Response:
        """The business itself: where it is, its account, and who works in it."""
        business_id = self._business(call)
        account_id, place = account_id_of(self._account, business_id), business_id - BUSINESS_ID
        hidden = not place and self._account.settings.null_account_id
        return answer(
            {
                "response": {
                    "id": business_id,
                    "business_uuid": self._account.business_uuid(place),
                    "name": self._account.settings.businesses[place - 1].name if place else NAME,
                    "account_id": None if hidden else account_id or None,
                    "timezone": self._account.settings.business_time_zone,
                    "date_format": "dd/mm/yyyy",
                    "status": "active",
                    "business_group": {"id": 1, "category": "business", "members": members(self._account, business_id)},
                }
            }
        )

    def _people(self, *, own: bool) -> list[tuple[int, Colleague]]:
        owner = Colleague(**PERSON, email=EMAIL)
        return list(enumerate([owner, *(self._account.settings.staff if own else ())], OWNER_ID))

    def _staff(self, call: Call) -> list[Record]:
        account_id = call.params["account"]
        return [self._member_of_staff(*each) for each in self._people(own=account_id == ACCOUNT_ID)]

    def _team(self, call: Call) -> list[Record]:
        business_id = self._business(call)
        return [
            self._team_member(business_id, number, each)
            for number, each in self._people(own=business_id == BUSINESS_ID)
        ]

    def _business(self, call: Call) -> int:
        business_id = id_of(call.params["business"])
        if not self._account.knows_business(business_id):
            raise Refusal(404, {"error": "not_found", "error_description": "Business not found."}, AUTH)
        return business_id

    def _member_of_staff(self, number: int, person: Colleague) -> Record:
        return {
            "id": number,
            "userid": number,
            "fname": person.first_name,
            "lname": person.last_name,
            "display_name": f"{person.first_name} {person.last_name}",
            "username": f"{person.first_name}{number}".casefold(),
            "email": person.email,
            "role": "admin" if number == OWNER_ID else "staff",
            "level": 10,
            "organization": "",
            "language": LANGUAGE,
            **dict.fromkeys(("currency_code", "rate", "note", "home_phone")),
            **dict.fromkeys(("bus_phone", "mob_phone", "fax"), ""),
            "num_logins": 1,
            "last_login": SINCE,
            "signup_date": SINCE,
            "updated": SINCE,
            "api_token": CREDENTIAL,
            "vis_state": 0 if person.active else 1,
        }

    def _team_member(self, business_id: int, number: int, person: Colleague) -> Record:
        optional = ("middle_name", "job_title", "street_1", "street_2", "city", "province", "country", "postal_code")
        return {
            "uuid": self._account.uuid_of(f"team member {business_id} {number}"),
            "first_name": person.first_name,
            "last_name": person.last_name,
            "email": person.email,
            **dict.fromkeys((*optional, "phone_number")),
            "business_id": business_id,
            "business_role_name": "owner" if number == OWNER_ID else "business_employee",
            "active": person.active,
            "identity_id": IDENTITY_ID + number - OWNER_ID,
            "invitation_date_accepted": SINCE_UTC,
            "created_at": SINCE_UTC,
            "updated_at": SINCE_UTC,
        }
