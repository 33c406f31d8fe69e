"""What happens in the firm whose data is planted: creates, updates, refusals, conflicts, an outage, forged webhooks."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from starlette.responses import JSONResponse, Response

from starters.demo.sides import until
from tests.faults.gateway import Gateway, Rule
from tests.faults.planted import person, text
from tests.faults.rig import Rig

CLIENTS = r"/users/clients$"
VAT_NUMBER = 731  # the custom field that the sandbox's Capsule has for it
PATIENCE = 60.0


class Firm:
    """The people at both ends, and the two gateways before their systems."""

    def __init__(self, rig: Rig, crm: Gateway, books: Gateway) -> None:
        self.rig, self.sides, self.crm, self.books = rig, rig.sides, crm, books
        self.account_id = rig.sides.account_id

    async def live(self) -> None:
        """Let everything happen, and wait for what has to come of it."""
        await self._rude_answers()
        full = await self.sides.create_party(**person())
        await self._client_of(f"Quist {text('last name')}")
        await self._conflict()
        await self._refused()
        await self._lost_answer()
        await self.forged_hooks()
        phone = {"type": "Direct", "number": f"+44{text('phone after a change')}"}
        name = f"Berg {text('last name after a change')}"
        await self.sides.update_party(full, lastName=name, phoneNumbers=[phone])
        await self._client_of(name)
        await until("three holds", self._three_holds, PATIENCE)

    async def _rude_answers(self) -> None:
        """An outage, a malformed answer, a rejected token, a strange redirection: each tells what it should not."""
        outage = {"message": f"down for {text('token in the body of an outage')}"}
        self.books.rude("GET", CLIENTS, lambda body, token: JSONResponse(outage, 503, {"Retry-After": "1"}), times=2)
        broken = f'{{"response": {{"result": {{"clients": [{{"fname": "{text("name in a malformed answer")}", "'
        self.books.rude("GET", CLIENTS, lambda body, token: Response(broken + text("token in a malformed answer"), 200))
        self.crm.rude("GET", r"/api/v2/parties/\d+$", _redirected)
        self.books.rude("GET", CLIENTS, lambda body, token: JSONResponse({"error_description": f"no {token}"}, 401))

    async def _refused(self) -> None:
        """Two syncs that a person has to look at: the error of one quotes whatever it was sent."""
        quoting = self.books.rude("POST", CLIENTS, _quoting)
        await self.sides.create_party(
            type="person",
            firstName=text("name that a provider quotes in an error"),
            emailAddresses=[{"address": f"{text('email that is refused')}@planted.example"}],
        )
        # The next create would be refused in its place if it came first.
        await until("the refusal", lambda: _given(quoting), PATIENCE)
        address = {"type": "Office", "country": "Sweden"}
        party = await self.sides.create_party(
            type="organisation", name=text("name of an organisation"), addresses=[address]
        )
        # Capsule takes no such country today; an old import may have left it.
        url = f"{self.sides.capsule_url}/_sandbox/records/party/{party}"
        stored = (await self.sides.http.post(url, json={})).raise_for_status().json()["addresses"][0]
        edited = {"addresses": [{**stored, "country": text("country that nobody knows")}]}
        (await self.sides.http.post(url, json=edited)).raise_for_status()

    async def _conflict(self) -> None:
        """Both sides change the VAT number, of which a person decides."""
        field = {"definition": {"id": VAT_NUMBER}, "value": "DE1"}
        party = await self.sides.create_party(type="organisation", name="Acme Planted", fields=[field])
        client = await self._client_of("Acme Planted", "organization")
        self.books.rude("GET", rf"/users/clients/{client['id']}$", _unavailable)
        url = f"{self.sides.freshbooks_url}/_sandbox/records/client/{client['id']}"
        edited = {"vat_number": text("VAT number changed in the books")}
        (await self.sides.http.post(url, json=edited)).raise_for_status()
        await self.sides.update_party(party, fields=[{**field, "value": text("VAT number")}])

    async def _lost_answer(self) -> None:
        await self.sides.fault(method="POST", path=CLIENTS, fault="commit_then_cut", times=1)
        await self.sides.create_party(type="person", firstName="Otto", lastName="Void")
        await self._client_of("Void")

    async def forged_hooks(self) -> None:
        """Webhooks that nobody believes, and one whose verifier is offered to us by a stranger."""
        target = await self.sides.hook_target()
        guessed = target.rsplit("/", 1)[0] + "/" + text("guessed secret in the path of a webhook")
        headers = {
            "Authorization": f"Bearer {text('authorization header of a webhook')}",
            "Cookie": f"session={text('cookie of a webhook')}",
            "X-FreshBooks-Hmac-SHA256": text("signature of a webhook"),
        }
        payload = [{"id": 1, "firstName": text("name in the body of a webhook")}]
        token = text("token in the body of a webhook")
        told: dict[str, Any] = {"event": "party/updated", "token": token, "payload": payload}
        body = json.dumps(told).encode()
        for url in (guessed, f"{target}?key={text('query of a webhook')}", target[:-3] + "000"):
            await self.sides.post(url, body, headers)
        await self.sides.post(target, body[:-9], headers)
        await self._forged_callback(headers)

    async def _forged_callback(self, headers: Mapping[str, str]) -> None:
        url = f"{self.sides.freshbooks_url}/_sandbox/records/callback"
        callbacks = (await self.sides.http.get(url)).raise_for_status().json()["records"]
        place = callbacks[0]["uri"]
        account = f"account_id={self.account_id}"
        forged = {**headers, "Content-Type": "application/x-www-form-urlencoded"}
        await self.sides.post(place, f"name=client.update&object_id=1&{account}".encode(), forged)
        verifier = f"name=callback.verify&object_id=9&verifier={text('verifier of a forged handshake')}&{account}"
        await self.sides.post(place, verifier.encode(), forged)

    async def _client_of(self, name: str, field: str = "lname") -> dict[str, Any]:
        found: Sequence[dict[str, Any]] = await until(
            f"the client whose {field} is planted", lambda: self.sides.clients_with(**{field: name}), PATIENCE
        )
        return found[0]

    async def _three_holds(self) -> bool:
        return len(await self.rig.store.holds.listed()) >= 3


async def _given(rule: Rule) -> bool:
    return rule.given == rule.times


def _redirected(body: bytes, token: str) -> Response:
    del body, token
    return Response(status_code=302, headers={"Location": f"https://x.example/{text('address of a redirection')}"})


def _unavailable(body: bytes, token: str) -> Response:
    return JSONResponse({"message": f"{token} {body.decode()}"}, 500)


def _quoting(body: bytes, token: str) -> Response:
    """Refuse as FreshBooks does, and quote in full what was sent, token and all."""
    client = json.loads(body)["client"]
    message = f"{client} sent with {token} and {text('token that a provider quotes in an error')} is not valid"
    error = {"errno": 1004, "field": "email", "message": message, "object": "client", "value": client["email"]}
    return JSONResponse({"response": {"errors": [error]}}, 422)
