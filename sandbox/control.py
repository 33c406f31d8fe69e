"""The control API under `/_sandbox/`: what checks, tests and demonstrations see and change. It needs no token."""

from collections.abc import Awaitable, Callable
from typing import Any

from pydantic import TypeAdapter, ValidationError
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from sandbox.calls import answer
from sandbox.faults import FaultRule
from sandbox.ledger import VIA, Record
from sandbox.service import Service

Endpoint = Callable[[Request], Awaitable[Response]]

RULES: TypeAdapter[FaultRule | list[FaultRule]] = TypeAdapter(FaultRule | list[FaultRule])


class Control:
    """The control API of one stand-in. `reset` returns the whole sandbox to its seed state."""

    def __init__(self, service: Service, reset: Callable[[], Awaitable[None]]) -> None:
        self._service, self._reset = service, reset

    def routes(self) -> list[BaseRoute]:
        """Return the routes of the control API."""
        table: dict[str, dict[str, Endpoint]] = {
            "info": {"GET": self._info},
            "ledger": {"GET": self._ledger},
            "records/{kind}": {"GET": self._records},
            "records/{kind}/{id:int}": {"POST": self._edit},
            "faults": {"GET": self._faults, "POST": self._add_faults, "DELETE": self._clear_faults},
            "settings": {"GET": self._settings, "POST": self._change_settings},
            "reset": {"POST": self._start_again},
            "hooks/redeliver": {"POST": self._redeliver},
            "hooks/deliveries": {"GET": self._deliveries},
        }
        return [
            Route(f"/_sandbox/{path}", endpoint, methods=[method])
            for path, endpoints in table.items()
            for method, endpoint in endpoints.items()
        ]

    async def _info(self, request: Request) -> Response:
        service = self._service
        counts = {kind: len(table) for kind, table in service.records.tables.items() if kind != "token"}
        return answer(
            {
                "system": service.system,
                "base_url": f"{request.url.scheme}://{request.url.netloc}",
                **service.about(),
                "counts": counts,
                "requests": service.requests.total(),
                "requests_by_route": dict(service.requests),
            }
        )

    async def _ledger(self, request: Request) -> Response:
        try:
            after = int(request.query_params.get("after", "0"))
        except ValueError:
            return _refused("`after` is a sequence number")
        records = self._service.records
        return answer({"entries": list(records.ledger.of(records.system, after, request.query_params.get("kind")))})

    async def _records(self, request: Request) -> Response:
        kind = request.path_params["kind"]
        return answer({"records": [self._service.shown(kind, each) for each in self._service.records.all(kind)]})

    async def _edit(self, request: Request) -> Response:
        """Overwrite some fields of a record as they are stored: no rule of the API is asked, hooks are sent."""
        kind, record_id = request.path_params["kind"], request.path_params["id"]
        record = self._service.records.get(kind, record_id)
        if record is None:
            return _refused(f"there is no {kind} {record_id}", 404)
        fields = await _body(request)
        if not isinstance(fields, dict):
            return _refused("send the fields to overwrite as a JSON object")
        edited = {**record, **fields}
        token = VIA.set("control")
        try:
            self._service.records.commit("update", kind, record_id, edited)
        finally:
            VIA.reset(token)
        return answer(self._service.shown(kind, edited))

    async def _faults(self, _request: Request) -> Response:
        return answer({"rules": [rule.model_dump() for rule in self._service.faults.rules]})

    async def _add_faults(self, request: Request) -> Response:
        try:
            rules = RULES.validate_python(await _body(request))
        except ValidationError as error:
            return _refused(str(error))
        added = [self._service.faults.add(rule) for rule in (rules if isinstance(rules, list) else [rules])]
        return answer({"rules": [rule.model_dump() for rule in added]})

    async def _clear_faults(self, request: Request) -> Response:
        rule_id = request.query_params.get("id", "")
        if rule_id and not rule_id.isdigit():
            return _refused("`id` is the number of a rule")
        self._service.faults.clear(int(rule_id) if rule_id else None)
        return await self._faults(request)

    async def _settings(self, _request: Request) -> Response:
        return answer(self._service.settings.model_dump())

    async def _change_settings(self, request: Request) -> Response:
        patch = await _body(request)
        try:
            self._service.settings.change(patch if isinstance(patch, dict) else {})
        except (ValidationError, TypeError) as error:
            return _refused(str(error))
        return await self._settings(request)

    async def _start_again(self, request: Request) -> Response:
        await self._reset()
        return await self._info(request)

    async def _redeliver(self, request: Request) -> Response:
        body = await _body(request)
        times = body.get("times", 1) if isinstance(body, dict) else 1
        if not isinstance(times, int):
            return _refused("`times` is a number")
        return answer({"deliveries": await self._service.courier.redeliver(times)})

    async def _deliveries(self, _request: Request) -> Response:
        return answer({"deliveries": [delivery.told() for delivery in self._service.courier.deliveries]})


async def _body(request: Request) -> Any:
    try:
        return await request.json()
    except ValueError:
        return None


def _refused(reason: str, status: int = 422) -> Response:
    error: Record = {"error": reason}
    return answer(error, status)
