"""The operations on parties. Source: https://developer.capsulecrm.com/v2/operations/Party"""

import uuid

from starlette.responses import Response

from sandbox.calls import Call, answer
from sandbox.capsule import party_write
from sandbox.capsule.account import Account, enveloped, id_in
from sandbox.capsule.entities import PARTY
from sandbox.capsule.looks import Looks
from sandbox.capsule.party_filters import PARTY_FIELDS
from sandbox.capsule.render import embeds_in, party_view
from sandbox.ledger import Record


class Parties:
    """Parties of the account, to be read, searched, filtered and written."""

    def __init__(self, account: Account) -> None:
        self._account, self.looks = account, Looks(account, PARTY, party_view)

    def filtered(self, call: Call) -> Response:
        """Parties that fulfil every condition of an ad-hoc filter."""
        return self.looks.filtered(call, PARTY_FIELDS)

    def people(self, call: Call) -> Response:
        """The people of an organisation."""
        organisation_id = self._account.organisation(id_in(call))["id"]
        found = self._account.listed(PARTY, "people", self._account.index.find("organisation", organisation_id))
        return self.looks.page(call, [each for each in found if _works_for(each, organisation_id)])

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


def _works_for(party: Record, organisation_id: int) -> bool:
    return bool((party.get("organisation") or {}).get("id") == organisation_id)
