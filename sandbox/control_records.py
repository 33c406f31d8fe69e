"""The part of the control API that shows and changes records as people do it in a system's web interface."""

import asyncio
from collections.abc import Callable
from functools import partial

from starlette.requests import Request
from starlette.responses import Response

from sandbox.calls import Refusal, answer, id_of
from sandbox.hands import Hands
from sandbox.ledger import Record, by_control
from sandbox.replies import Endpoints, body_of, refused
from sandbox.service import Service

BREATH = 100
"""Records of a long list that are written before other calls get a turn."""


class ControlRecords:
    """Every change goes to the ledger as `control`. With `hooks=false` in the query nobody is told of it."""

    def __init__(self, service: Service) -> None:
        self._service = service

    def endpoints(self) -> Endpoints:
        """Return the paths under `/_sandbox/` and what answers them."""
        return {
            "records/{kind}": {"GET": self._all, "POST": self._create, "PUT": self._edit},
            "records/{kind}/{id:int}": {"GET": self._one, "POST": self._overwrite, "DELETE": self._remove},
            "records/{kind}/{id:int}/{deed}": {"POST": self._do},
        }

    async def _all(self, request: Request) -> Response:
        kind = request.path_params["kind"]
        table = self._service.records.tables.get(kind, {})
        return answer({"records": [self._service.shown(kind, each) for each in table.values()]})

    async def _one(self, request: Request) -> Response:
        kind, record_id = _path(request)
        record = self._service.records.tables.get(kind, {}).get(record_id)
        return _unknown(kind, record_id) if record is None else answer(self._service.shown(kind, record))

    async def _overwrite(self, request: Request) -> Response:
        """Overwrite some fields of a record as they are stored: no rule of the API is asked, hooks are sent."""
        kind, record_id = _path(request)
        record = self._service.records.tables.get(kind, {}).get(record_id)
        if record is None:
            return _unknown(kind, record_id)
        fields = await body_of(request)
        if not isinstance(fields, dict):
            return refused("send the fields to overwrite as a JSON object")
        edited = {**record, **fields}
        with by_control(hooks=_hooks(request)):
            self._service.records.commit("update", kind, record_id, edited)
        return answer(self._service.shown(kind, edited))

    async def _create(self, request: Request) -> Response:
        """Create one record, or a list of them."""
        return await self._write(request, lambda hands, draft: hands.create(draft))

    async def _edit(self, request: Request) -> Response:
        """Change one record, or a list of them, each named by its `id`."""
        return await self._write(request, lambda hands, changes: hands.edit(_id_in(changes), changes))

    async def _remove(self, request: Request) -> Response:
        hands, record_id = self._hands(request), request.path_params["id"]
        if hands is None:
            return _untouchable(request)
        return await self._each(request, [lambda: hands.remove(record_id)])

    async def _do(self, request: Request) -> Response:
        """Do with a record what the system's API does not have."""
        hands, name = self._hands(request), request.path_params["deed"]
        if hands is None or name not in hands.deeds:
            return refused(f"nobody can {name} such a record", 404)
        deed, record_id, body = hands.deeds[name], request.path_params["id"], await body_of(request)
        return await self._each(request, [lambda: deed(record_id, body if isinstance(body, dict) else {})])

    async def _write(self, request: Request, write: Callable[[Hands, Record], Record]) -> Response:
        hands, body = self._hands(request), await body_of(request)
        drafts = body if isinstance(body, list) else [body]
        if hands is None:
            return _untouchable(request)
        if not all(isinstance(each, dict) for each in drafts):
            return refused("send a record as a JSON object, or a list of such objects")
        return await self._each(request, [partial(write, hands, each) for each in drafts], listed=body is drafts)

    async def _each(self, request: Request, acts: list[Callable[[], Record]], *, listed: bool = False) -> Response:
        """Do one thing, answered with the record, or each of a list, answered with the ids. The first that is refused
        ends the list; what was done before it stays done, and the answer says how much that is.
        """
        done: list[Record] = []
        with by_control(hooks=_hooks(request)):
            for act in acts:
                try:
                    done.append(act())
                except Refusal as refusal:
                    return answer({**refusal.body, "done": len(done)}, refusal.status)
                if len(done) % BREATH == 0:
                    await asyncio.sleep(0)
        if listed:
            return answer({"ids": [each["id"] for each in done]})
        return answer(self._service.shown(request.path_params["kind"], done[0]))

    def _hands(self, request: Request) -> Hands | None:
        return self._service.hands.get(request.path_params["kind"])


def _path(request: Request) -> tuple[str, int]:
    return request.path_params["kind"], request.path_params["id"]


def _untouchable(request: Request) -> Response:
    return refused(f"people write no records of the kind {request.path_params['kind']} here", 404)


def _hooks(request: Request) -> bool:
    return request.query_params.get("hooks", "true").casefold() not in {"false", "0"}


def _id_in(changes: Record) -> int:
    number = changes.get("id")
    if isinstance(number, str):
        return id_of(number)
    return number if type(number) is int else 0


def _unknown(kind: str, record_id: int) -> Response:
    return refused(f"there is no {kind} {record_id}", 404)
