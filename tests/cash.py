"""A bookkeeper who enters payments in FreshBooks, and what Ledgerline makes of them."""

import asyncio
from typing import Any

from temporalio.client import WorkflowHandle

from starters.announce import payment_id
from store.holds import OpenHold
from tests.pipelines import Pipeline
from tests.sandboxes import FRESHBOOKS
from tests.workflows.office import PATIENCE, until
from workflows.models import Resolution
from workflows.payment_models import PaymentResult
from workflows.payments import PaymentReconciliation

EUR = "EUR"


class Cash:
    """The payments of one firm."""

    def __init__(self, pipeline: Pipeline) -> None:
        self.pipeline, self.firm = pipeline, pipeline.firm

    async def invoiced(self, amount: str = "1000.00") -> tuple[int, int]:
        """Win an opportunity, and return its id and that of its invoice."""
        record_id = await self.pipeline.enter("won", amount)
        await self.pipeline.sync(record_id)
        return record_id, int(self.pipeline.documents("invoice")[-1]["id"])

    async def enter(self, invoice_id: int, amount: str, currency: str = EUR, **more: Any) -> int:
        """Enter a payment through the API, and return its id."""
        draft = {"invoiceid": invoice_id, "amount": {"amount": amount, "code": currency}, "date": "2026-03-10", **more}
        body = {"payment": {"type": "Bank Transfer", **draft}}
        answer = await self.firm.http.post(self._url("payments/payments"), json=body, headers=self._token())
        return int(answer.raise_for_status().json()["response"]["result"]["payment"]["id"])

    async def plant(self, record: dict[str, Any]) -> int:
        """Put a payment into FreshBooks that its API would not take, and return its id."""
        answer = await self.firm.http.post(f"{FRESHBOOKS}/_sandbox/records/payment", json=record)
        return int(answer.raise_for_status().json()["id"])

    async def delete(self, kind: str, record_id: int) -> None:
        """Delete a payment or an invoice in FreshBooks."""
        url = self._url(f"{kind}s/{kind}s/{record_id}")
        (await self.firm.http.put(url, json={kind: {"vis_state": 1}}, headers=self._token())).raise_for_status()

    async def judge(self, number: int) -> str:
        """Tell of a payment, wait until nothing is pending, and return how it ended."""
        await self.announce(number)
        return await self.outcome(number)

    async def announce(self, number: int) -> None:
        """Tell the payment's workflow that it may have changed."""
        self.pipeline._begun.add(payment_id(self.firm.name, number))
        await self.pipeline.office.announcer.payment_changed(self.firm.name, number, "freshbooks webhook", 2)

    async def outcome(self, number: int) -> str:
        """Wait until nothing is pending, and return how it ended."""
        return (await asyncio.wait_for(self.workflow(number).result(), PATIENCE)).outcome

    def workflow(self, number: int) -> "WorkflowHandle[PaymentReconciliation, PaymentResult]":
        """Return the latest run of a payment's workflow."""
        workflow_id = payment_id(self.firm.name, number)
        return self.pipeline.office.temporal.get_workflow_handle(workflow_id, result_type=PaymentResult)

    async def hold(self, number: int) -> OpenHold:
        """Return the payment's hold, once it waits for a person."""

        async def listed() -> OpenHold | None:
            found = await self.firm.store.holds.listed()
            return next((each for each in found if (each.flow, each.record_id) == ("payments", str(number))), None)

        found: OpenHold = await until(listed)
        return found

    async def resolve(self, number: int, resolution: Resolution) -> None:
        """Decide a hold, as a person does."""
        await self.workflow(number).execute_update("resolve", resolution, result_type=str)

    def _url(self, path: str) -> str:
        return f"{FRESHBOOKS}/accounting/account/{self.firm.connection.freshbooks.account_id}/{path}"

    def _token(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.firm.connection.freshbooks.token.get_secret_value()}"}
