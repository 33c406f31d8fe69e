"""Records by how they stand, the search for one, and its whole story."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import RedirectResponse

from starters.asked_records import OF_OPPORTUNITIES, asked_for
from starters.console.desk import Desk, to
from starters.record_names import one
from store.audit import AuditLine, AuditValues
from store.records import RecordKey
from store.status import STATES, RecordLine, Wanted
from store.store import Store

PER_PAGE = 50
LISTED = tuple(each for each in STATES if each != "excluded")  # a rule's record leaves no row: reports show it


@dataclass(frozen=True)
class Told:
    """One row of a record's story, with what it wrote if somebody asked to see it."""

    line: AuditLine
    values: AuditValues | None = None


async def story(store: Store, key: RecordKey, *, values: bool) -> list[Told]:
    """Return everything that was written to a record and its partner, newest first."""
    flows = OF_OPPORTUNITIES if key.flow in OF_OPPORTUNITIES and key.side == "crm" else (key.flow,)
    keys = [RecordKey(key.connection, flow, key.record_id, key.side) for flow in flows]
    lines = sorted([line for each in keys for line in await store.audit.history(each)], key=lambda line: -line.seq)
    return [Told(line, await store.audit.values(line) if values else None) for line in lines]


def routes(desk: Desk) -> APIRouter:
    """Return the pages of records."""
    router = APIRouter()

    @router.get("/records")
    async def listed(
        request: Request, connection: str = "", flow: str = "", state: str = "", page: int = 1
    ) -> Response:
        page = max(1, page)
        wanted = Wanted(connection or None, flow or None, state or None)
        found = await desk.store.statuses.records(wanted, offset=(page - 1) * PER_PAGE, limit=PER_PAGE + 1)
        asked = {"connection": connection, "flow": flow, "state": state}
        flows = sorted({each.flow for each in await desk.store.statuses.standings()})
        choices = {"connection": list(desk.settings.connections), "flow": flows, "state": LISTED}
        shown: dict[str, Any] = {"records": found[:PER_PAGE], "more": len(found) > PER_PAGE, "page": page}
        return desk.page(request, "records.html.j2", asked=asked, choices=choices, **shown)

    @router.get("/search")
    async def search(request: Request, q: str = "") -> Response:
        asked = asked_for(q)
        lines = await desk.store.statuses.records(Wanted(record_id=asked.record_id), limit=500) if q.strip() else []
        found = [line for line in lines if asked.fits(line)]
        places = {(line.connection, line.flow, line.side, line.record_id) for line in found}
        if len(places) == 1:
            return RedirectResponse(record_page(found[0]), 303)
        return desk.page(request, "search.html.j2", q=q, records=found)

    @router.get("/record")
    async def record(request: Request, key: Annotated[RecordKey, Depends(_key)], values: str = "") -> Response:
        found = await desk.store.statuses.records(Wanted(key.connection, record_id=key.record_id), limit=500)
        told = await story(desk.store, key, values=bool(values))
        lines = _of(key, found)
        if not lines and not told:
            return desk.told(
                request,
                "Not known",
                f"Nothing is known of {one(key.flow, key.side, key.record_id)} of {key.connection}.",
                404,
            )
        return desk.page(request, "record.html.j2", key=key, lines=lines, story=told, values=bool(values))

    return router


def _key(connection: str, flow: str, id: str, side: str = "crm") -> RecordKey:  # noqa: A002
    return RecordKey(connection, flow, id, "books" if side == "books" else "crm")


def record_page(line: RecordLine) -> str:
    """Return the address of a record's page."""
    return to("/record", connection=line.connection, flow=line.flow, id=line.record_id, side=line.side)


def _of(key: RecordKey, lines: Sequence[RecordLine]) -> list[RecordLine]:
    """Return the rows of this record: a party and an opportunity may have the same number."""
    flows = OF_OPPORTUNITIES if key.flow in OF_OPPORTUNITIES else (key.flow,)
    return [
        line for line in lines if line.flow in flows and (line.side == key.side or line.partner_id == key.record_id)
    ]
