"""Services, what an hour of them costs, and what an hour of each person costs.

Source: https://www.freshbooks.com/api/services, /api/staff
"""

from collections.abc import Callable
from dataclasses import dataclass

from starlette.responses import Response

from sandbox.calls import Call, answer, id_of
from sandbox.freshbooks.account import BUSINESS_ID, Account
from sandbox.freshbooks.business import (
    HIDDEN,
    account_id_of,
    business_of,
    content,
    found,
    identities,
    listed,
    named_business,
    page_of,
)
from sandbox.freshbooks.business_values import amount, flag, parsed, title
from sandbox.freshbooks.errors import invalid, missing
from sandbox.ledger import Record

SIZE = 50
"""Services on a page, unless a caller says how many."""

DELETED = 1


class Services:
    """Services of a business. The API makes and reads them; people rename them and take them away."""

    def __init__(self, account: Account) -> None:
        self._account = account

    def index(self, call: Call) -> Response:
        """A page of services, or all of them if the settings say that paging is ignored."""
        chosen = [each for each in listed(self._account, "service", call) if each["vis_state"] != DELETED]
        if self._account.settings.services_on_one_page:
            count = len(chosen)
            meta = {"sort": [], "total": count, "per_page": max(count, SIZE), "page": 1, "pages": min(count, 1)}
            return answer({"services": [service_view(each) for each in chosen], "meta": meta})
        extra = self._account.settings.extra_total
        return answer(page_of(call, "services", chosen, service_view, extra=extra, size=SIZE))

    def get(self, call: Call) -> Response:
        """One service, taken away or not."""
        return answer({"service": service_view(found(self._account, "service", call))})

    def create(self, call: Call) -> Response:
        """A new service: 200, not 201."""
        business_id = business_of(self._account, call)
        return answer({"service": service_view(self.add(content(call, "service"), business_id))})

    def add(self, draft: Record, business_id: int) -> Record:
        """Make a service and return it. Raises a 422, also for a name that is taken unless the settings allow it."""
        written = _written({"billable": True, "project_default": False}, draft, ("name",))
        self._check(written, business_id)
        number = self._account.next_id("service")
        service = {
            "business_id": business_id,
            "id": number,
            **written,
            "vis_state": 0,
            "accounting_systemid": account_id_of(self._account, business_id),
        }
        self._account.records.commit("create", "service", number, service)
        return service

    def by_hand(self, draft: Record) -> Record:
        """A person makes a service, in the sandbox's own business unless the draft names another. Raises a 422."""
        return self.add(draft, named_business(self._account, draft))

    def edit(self, service_id: int, changes: Record) -> Record:
        """A person changes a service. Raises the 404 or a 422."""
        service = self._known(service_id)
        changed = {**service, **_written(service, changes, ())}
        self._check(changed, service["business_id"])
        return self._store(changed)

    def remove(self, service_id: int) -> Record:
        """A person takes a service away, which hides it. Raises the 404."""
        return self._store({**self._known(service_id), "vis_state": DELETED})

    def _store(self, service: Record) -> Record:
        self._account.records.commit("update", "service", service["id"], service)
        return service

    def _known(self, service_id: int) -> Record:
        service = self._account.records.get("service", service_id)
        if service is None:
            raise missing()
        return service

    def _check(self, service: Record, business_id: int) -> None:
        others = (each for each in self._account.records.all("service") if each["id"] != service.get("id"))
        taken = {each["name"].casefold() for each in others if each["business_id"] == business_id}
        if self._account.settings.service_names_once and service["name"].casefold() in taken:
            raise invalid({"name": "Name has already been taken"})


@dataclass(frozen=True)
class RateKind:
    """Rates of services, or of people: the `name` of one, the field that says whose it is, and who can have one."""

    name: str
    of: str
    exists: Callable[[Account, int, int], bool]
    """Takes the number of what has the rate, and the business."""


class Rates:
    """Rates of one kind: amounts for an hour, without a currency."""

    def __init__(self, account: Account, kind: RateKind) -> None:
        self._account, self._kind = account, kind

    def index(self, call: Call) -> Response:
        """All rates of the business; this list has no pages."""
        business_id = business_of(self._account, call)
        rates = [each for each in self._account.records.all(self._kind.name) if each["business_id"] == business_id]
        return answer({f"{self._kind.name}s": [_rate_view(each) for each in rates]})

    def get(self, call: Call) -> Response:
        """One rate. Raises the 404 if none was set."""
        self._owner(call)
        return self._answer(self._found(call))

    def create(self, call: Call) -> Response:
        """The first rate. Raises a 422 if there is one."""
        owner_id = self._owner(call)
        if self._account.records.get(self._kind.name, owner_id):
            raise invalid({"rate": "Rate already exists"})
        return self._answer(self.write(owner_id, content(call, self._kind.name), business_of(self._account, call)))

    def update(self, call: Call) -> Response:
        """Another rate. Raises the 404 if none was set."""
        self._owner(call)
        self._found(call)
        return self.put(call)

    def put(self, call: Call) -> Response:
        """A rate, whether there was one or not."""
        owner_id, business_id = self._owner(call), business_of(self._account, call)
        return self._answer(self.write(owner_id, content(call, self._kind.name), business_id))

    def add(self, draft: Record) -> Record:
        """A person sets a rate; the draft says of what. Raises the 404 or a 422."""
        owner_id, business_id = id_of(str(draft.get(self._kind.of))), named_business(self._account, draft)
        if not self._kind.exists(self._account, owner_id, business_id):
            raise missing()
        return self.write(owner_id, draft, business_id)

    def edit(self, owner_id: int, changes: Record) -> Record:
        """A person changes a rate. Raises the 404 or a 422."""
        return self.write(owner_id, changes, self._known(owner_id)["business_id"])

    def remove(self, owner_id: int) -> Record:
        """A person takes a rate away. Raises the 404."""
        rate = self._known(owner_id)
        self._account.records.commit("delete", self._kind.name, owner_id, rate)
        return rate

    def write(self, owner_id: int, draft: Record, business_id: int) -> Record:
        """Store a rate and return it. Raises a 422."""
        read = parsed(draft, {"rate": amount}, ("rate",))
        rate = {"id": owner_id, "business_id": business_id, self._kind.of: owner_id, **read}
        operation = "update" if self._account.records.get(self._kind.name, owner_id) else "create"
        self._account.records.commit(operation, self._kind.name, owner_id, rate)
        return rate

    def _owner(self, call: Call) -> int:
        """Return the number of what has the rate. Raises the 404."""
        business_id, owner_id = business_of(self._account, call), id_of(call.params["id"])
        if not self._kind.exists(self._account, owner_id, business_id):
            raise missing()
        return owner_id

    def _found(self, call: Call) -> Record:
        return self._known(id_of(call.params["id"]))

    def _known(self, owner_id: int) -> Record:
        rate = self._account.records.get(self._kind.name, owner_id)
        if rate is None:
            raise missing()
        return rate

    def _answer(self, rate: Record) -> Response:
        return answer({self._kind.name: _rate_view(rate)})


def service_view(service: Record) -> Record:
    """Return a service as it is answered, also within a project."""
    return {key: value for key, value in service.items() if key not in HIDDEN}


def _rate_view(rate: Record) -> Record:
    return {key: value for key, value in rate.items() if key != "id"}


def _written(before: Record, draft: Record, required: tuple[str, ...]) -> Record:
    read = parsed(draft, {"name": title, "billable": flag, "project_default": flag}, required)
    return {**before, **{key: value for key, value in read.items() if value is not None}}


def _has_service(account: Account, service_id: int, business_id: int) -> bool:
    service = account.records.get("service", service_id)
    return service is not None and service["business_id"] == business_id


SERVICE_RATE = RateKind("service_rate", "service_id", _has_service)
TEAM_MEMBER_RATE = RateKind(
    "team_member_rate",
    "identity_id",
    lambda account, identity_id, business_id: identity_id in identities(account) and business_id == BUSINESS_ID,
)
