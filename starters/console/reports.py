"""Reports of comparing both sides: their trend, what each found, its files; and the button that compares now."""

import asyncio
from typing import Annotated, Any, get_args

from fastapi import APIRouter, Form, Request, Response
from temporalio.service import RPCError

from runtime.errors import Stop
from starters.console.desk import Desk
from starters.reconciliation_files import FORMATS
from starters.reconciliation_report import gathered
from starters.reconciliations import FLOWS, begin
from store.reconciliation_models import MismatchKind
from workflows.reconciliation_models import ReconciliationRequest

LATEST = 50
PER_PAGE = 50
KINDS = get_args(MismatchKind)
MEDIA = {
    "html": "text/html; charset=utf-8",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "json": "application/json",
}
NO_TEMPORAL = "Temporal cannot be reached, so nothing was begun. `ledgerline doctor` says more."


def routes(desk: Desk) -> APIRouter:
    """Return the pages of reports."""
    router, reports = APIRouter(), desk.store.reconciliations

    @router.get("/reports")
    async def listed(request: Request, connection: str = "") -> Response:
        heads = await reports.heads(connection or None, None, LATEST)
        most = max((head.mismatches for head in heads), default=0)
        shown: dict[str, Any] = {"heads": heads, "most": max(1, most), "connection": connection, "flows": FLOWS}
        return desk.page(request, "reports.html.j2", connections=list(desk.settings.connections), **shown)

    @router.get("/report")
    async def report(request: Request, id: str, kind: str = "", page: int = 1) -> Response:  # noqa: A002
        head, page = await reports.head(id), max(1, page)
        if head is None:
            return desk.told(request, "No such report", "There is no report of that id.", 404)
        chosen = kind if kind in KINDS else ""
        found = await reports.mismatches(id, offset=(page - 1) * PER_PAGE, limit=PER_PAGE + 1, kind=chosen or None)
        shown: dict[str, Any] = {
            "mismatches": found[:PER_PAGE],
            "more": len(found) > PER_PAGE,
            "page": page,
            "kind": chosen,
        }
        return desk.page(request, "report.html.j2", head=head, formats=list(FORMATS), **shown)

    @router.get("/report/file")
    async def file(request: Request, id: str, format: str) -> Response:  # noqa: A002
        if format not in FORMATS:
            return desk.told(request, "No such format", f"Reports come as {', '.join(FORMATS)}.", 404)
        try:
            content = await asyncio.to_thread(FORMATS[format], await gathered(reports, id))
        except Stop as problem:
            return desk.told(request, "No such report", str(problem), 404)
        # Downloaded, not shown: the page of a report brings styles of its own.
        name = f"mismatches-{''.join(each if each.isalnum() or each in '-_' else '-' for each in id)}.{format}"
        return Response(
            content, media_type=MEDIA[format], headers={"Content-Disposition": f'attachment; filename="{name}"'}
        )

    @router.post("/reports/compare")
    async def compare(request: Request, connection: Annotated[str, Form()], flow: Annotated[str, Form()]) -> Response:
        known = desk.settings.connections.get(connection)
        if known is None or flow not in known.compared_flows:
            return desk.told(request, "Nothing was begun", "This connection does not sync that.", 400)
        try:
            asked = ReconciliationRequest(connection=connection, flow=flow, crm=desk.settings.crms[connection])
            begun = await begin(desk.temporal, asked)
        except (RPCError, RuntimeError):
            return desk.told(request, "Nothing was begun", NO_TEMPORAL, 503)
        said = "runs already" if begun.joined else "has begun"
        text = f"The comparison of {flow} of {connection} {said}. Its report appears under Reports."
        return desk.told(request, "Comparing", text, 200)

    return router
