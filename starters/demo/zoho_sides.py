"""Zoho CRM's side of the story: contacts and accounts as people enter them, by Zoho's own API."""

from typing import Any

from starters.demo.sides import BothSides

CONTACTS, ACCOUNTS = "Contacts", "Accounts"


class ZohoSides(BothSides):
    """The sandbox's Zoho CRM and its FreshBooks."""

    scheme = "Zoho-oauthtoken"

    async def enter(self, module: str, **values: Any) -> int:
        """Enter a record as a person would; return its id."""
        answer = await self._send("POST", self._url(module), {"data": [values]})
        return int(answer["data"][0]["details"]["id"])

    async def record(self, module: str, record_id: int) -> dict[str, Any]:
        """Return a record as Zoho shows it."""
        return dict((await self._send("GET", self._url(module, record_id)))["data"][0])

    async def change(self, module: str, record_id: int, **values: Any) -> None:
        """Change a record as a person would."""
        await self._send("PUT", self._url(module, record_id), {"data": [values]})

    async def delete(self, module: str, record_id: int) -> None:
        """Put a record into the recycle bin as a person would."""
        await self._send("DELETE", self._url(module, record_id))

    async def contacts_with(self, **fields: str) -> list[dict[str, Any]]:
        """Return the contacts with these values."""
        contacts = await self.records(self.crm_url, CONTACTS)
        return [contact for contact in contacts if all(contact.get(name) == fields[name] for name in fields)]

    async def created(self, module: str) -> list[dict[str, Any]]:
        """Return every record of a module that was ever created, as it was then."""
        entries = (await self._get(f"{self.crm_url}/_sandbox/ledger?kind={module}"))["entries"]
        return [entry["record"] for entry in entries if entry["operation"] == "create"]

    async def lose_answer(self, path: str) -> None:
        """Let the next answer to a POST to such a path be lost, after Zoho has done what was asked."""
        rule = {"method": "POST", "path": path, "fault": "commit_then_cut", "times": 1}
        await self._send("POST", f"{self.crm_url}/_sandbox/faults", rule)

    async def answers_lost(self) -> int:
        """Return how many answers were lost."""
        rules = (await self._get(f"{self.crm_url}/_sandbox/faults"))["rules"]
        return sum(int(rule["fired"]) for rule in rules)

    async def forge(self, event: str, record_id: int) -> list[int | None]:
        """Let an impostor tell the address of our channels of an event, with a token that was not agreed on.

        Return the statuses of the answers.
        """
        lie = {"event": event, "id": record_id}
        deliveries = (await self._send("POST", f"{self.crm_url}/_sandbox/hooks/forge", lie))["deliveries"]
        return [delivery["status"] for delivery in deliveries]

    async def looks(self) -> int:
        """Return how often one record, and not a list, was asked for. Sweeps do not do that."""
        routes = (await self._get(f"{self.crm_url}/_sandbox/info"))["requests_by_route"]
        return int(routes.get("GET /crm/v8/{module}/{id}", 0))

    async def hooks_ready(self) -> bool:
        """Return whether all our channels are enabled and FreshBooks' handshake is answered."""
        return await self.are_hooks_ready("channel", 3)

    def _url(self, module: str, record_id: int | None = None) -> str:
        return f"{self.crm_url}/crm/v8/{module}" + (f"/{record_id}" if record_id is not None else "")
