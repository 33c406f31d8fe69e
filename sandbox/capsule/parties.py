"""The operations on parties. Source: https://developer.capsulecrm.com/v2/operations/Party"""

import uuid
from collections.abc import Callable

from starlette.responses import Response

from sandbox.calls import Call, answer, id_of
from sandbox.capsule import party_write
from sandbox.capsule.account import Account, enveloped, id_in
from sandbox.capsule.errors import invalid
from sandbox.capsule.filters import matching
from sandbox.capsule.index import searchable
from sandbox.capsule.lifecycle import deleted_since
from sandbox.capsule.paging import page_of
from sandbox.capsule.render import embeds_in, party_view
from sandbox.clock import from_zulu, zulu
from sandbox.ledger import Record
from sandbox.remembered import Remembered

MOST_IDS = 10


class Parties:
    """Parties of the account, to be read, searched, filtered and written."""

    def __init__(self, account: Account) -> None:
        self._account, self._remembered = account, Remembered(account.records, "party")

    def index(self, call: Call) -> Response:
        """Parties by id, with `since` those changed after that instant. An unknown `q` is ignored."""
        since = _instant(call) if "since" in call.query else ""
        return self._page(call, self._looked("list", since, lambda: self._since(since)))

    def get(self, call: Call) -> Response:
        """One party, or up to ten by comma-separated ids: then 404 if any one is missing."""
        texts = call.params["ids"].split(",")
        if len(texts) > MOST_IDS:
            raise invalid("too many ids", "party", "id")
        views = [party_view(self._account, self._account.party(id_of(each)), embeds_in(call)) for each in texts]
        return answer({"party": views[0]} if len(views) == 1 else {"parties": views})

    def search(self, call: Call) -> Response:
        """Parties in whose name, postcodes, phone numbers or email addresses the text of `q` occurs."""
        wanted = call.query.get("q", "").casefold()
        return self._page(call, self._looked("search", wanted, lambda: self._containing(wanted)))

    def filtered(self, call: Call) -> Response:
        """Parties that fulfil every condition of an ad-hoc filter."""
        return self._page(call, matching(self._account, enveloped(call, "filter")))

    def deleted(self, call: Call) -> Response:
        """What was deleted after the instant in `since`, which is required."""
        if "since" not in call.query:
            raise invalid("since is required", "party", "since")
        return deleted_since(self._account, call, _instant(call))

    def people(self, call: Call) -> Response:
        """The people of an organisation."""
        organisation_id = self._account.organisation(id_in(call))["id"]
        found = self._account.listed("people", self._account.index.find("organisation", organisation_id))
        return self._page(call, [each for each in found if _works_for(each, organisation_id)])

    def create(self, call: Call) -> Response:
        """A new party: 201 with its address."""
        party = party_write.create(self._account, enveloped(call, "party"), call.token["user_id"])
        headers = {"Location": f"{call.base_url}/api/v2/parties/{party['id']}"}
        return answer({"party": party_view(self._account, party, embeds_in(call))}, 201, headers)

    def update(self, call: Call) -> Response:
        """A party after the merge of what was sent."""
        party = self._account.party(id_in(call, "ids"))
        changed = party_write.update(self._account, party, enveloped(call, "party"))
        return answer({"party": party_view(self._account, changed, embeds_in(call))})

    def delete(self, call: Call) -> Response:
        """204, or 202 with the address of a job where the settings ask for that."""
        party_write.delete(self._account, self._account.party(id_in(call, "ids")))
        if not self._account.settings.delete_as_job:
            return Response(status_code=204)
        job = uuid.uuid5(uuid.NAMESPACE_URL, call.path)
        return Response(status_code=202, headers={"Location": f"{call.base_url}/api/v2/jobs/{job}"})

    def job(self, call: Call) -> Response:
        """A job; in the sandbox every job is done at once."""
        return answer({"job": {"id": call.params["id"], "status": "completed", "progress": 100, "action": "Deleting"}})

    def _looked(self, way: str, wanted: str, look: Callable[[], list[Record]]) -> list[Record]:
        """Return what a look finds: once for all pages, unless it lags, for then it changes with time."""
        return look() if self._account.lag_of(way).longest else self._remembered.get((way, wanted), look)

    def _since(self, instant: str) -> list[Record]:
        parties = self._account.listed("list")
        return [each for each in parties if each["updatedAt"] > instant] if instant else parties

    def _containing(self, wanted: str) -> list[Record]:
        found = self._account.listed("search", self._account.index.containing(wanted))
        return [each for each in found if wanted in searchable(each)]

    def _page(self, call: Call, parties: list[Record]) -> Response:
        embeds = embeds_in(call)
        return page_of(call, "parties", parties, lambda party: party_view(self._account, party, embeds))


def _instant(call: Call) -> str:
    """Return the instant in `since`, as Capsule writes instants: such texts sort by time. Raises the 422."""
    try:
        return zulu(from_zulu(call.query["since"]))
    except ValueError as error:
        raise invalid("since must be an ISO 8601 date and time", "party", "since") from error


def _works_for(party: Record, organisation_id: int) -> bool:
    return bool((party.get("organisation") or {}).get("id") == organisation_id)
