"""The operations on opportunities. Source: https://developer.capsulecrm.com/v2/operations/Opportunity"""

from starlette.responses import Response

from sandbox.calls import Call, answer
from sandbox.capsule import opportunity_write
from sandbox.capsule.account import Account, enveloped, id_in
from sandbox.capsule.entities import OPPORTUNITY
from sandbox.capsule.errors import invalid, missing
from sandbox.capsule.looks import Looks
from sandbox.capsule.opportunity_filters import opportunity_fields
from sandbox.capsule.paging import page_of
from sandbox.capsule.render import embeds_in, opportunity_view, party_view
from sandbox.ledger import Record


class Opportunities:
    """Opportunities of the account, to be read, searched, filtered and written, and their additional parties."""

    def __init__(self, account: Account) -> None:
        self._account, self.looks = account, Looks(account, OPPORTUNITY, opportunity_view)

    def filtered(self, call: Call) -> Response:
        """Opportunities that fulfil every condition of an ad-hoc filter."""
        return self.looks.filtered(call, opportunity_fields(call.token["user_id"]))

    def of_party(self, call: Call) -> Response:
        """The opportunities of a party, and those in which it is an additional party."""
        party_id, index = self._account.party(id_in(call))["id"], self._account.opportunities
        among = index.find("party", party_id) | index.find("contact", party_id)
        found = self._account.listed(OPPORTUNITY, "list", among)
        return self.looks.page(call, [each for each in found if party_id in (each["party"]["id"], *each["parties"])])

    def create(self, call: Call) -> Response:
        """A new opportunity: 201 with its address."""
        made = opportunity_write.create(self._account, enveloped(call, "opportunity"), call.token["user_id"])
        headers = {"Location": f"{call.base_url}/api/v2/opportunities/{made['id']}"}
        return answer({"opportunity": opportunity_view(self._account, made, embeds_in(call))}, 201, headers)

    def update(self, call: Call) -> Response:
        """An opportunity after the merge of what was sent."""
        before = self._account.opportunity(id_in(call, "ids"))
        changed = opportunity_write.update(self._account, before, enveloped(call, "opportunity"))
        return answer({"opportunity": opportunity_view(self._account, changed, embeds_in(call))})

    def delete(self, call: Call) -> Response:
        """204."""
        opportunity_write.delete(self._account, self._account.opportunity(id_in(call, "ids")))
        return Response(status_code=204)

    def parties(self, call: Call) -> Response:
        """The additional parties of an opportunity; its main one is not among them."""
        ids = self._account.opportunity(id_in(call))["parties"]
        hidden = self._account.index.restricted
        found = [self._account.party(each) for each in ids if each not in hidden]
        return page_of(call, "parties", found, lambda each: party_view(self._account, each, embeds_in(call)))

    def add_party(self, call: Call) -> Response:
        """204: a further party of an opportunity."""
        opportunity = self._account.opportunity(id_in(call))
        party = self._account.party(id_in(call, "party_id"))
        if party["id"] == opportunity["party"]["id"]:
            raise invalid("party is already related to this opportunity", "opportunity", "party")
        if party["id"] in opportunity["parties"]:
            raise invalid("party is already a contact for this opportunity", "opportunity", "party")
        return self._set_parties(opportunity, [*opportunity["parties"], party["id"]])

    def remove_party(self, call: Call) -> Response:
        """204: an additional party less."""
        opportunity, party_id = self._account.opportunity(id_in(call)), id_in(call, "party_id")
        if party_id not in opportunity["parties"]:
            raise missing("party")
        return self._set_parties(opportunity, [each for each in opportunity["parties"] if each != party_id])

    def _set_parties(self, opportunity: Record, ids: list[int]) -> Response:
        changed = {**opportunity, "parties": ids, "updatedAt": self._account.stamp()}
        self._account.records.commit("update", "opportunity", opportunity["id"], changed)
        return Response(status_code=204)
