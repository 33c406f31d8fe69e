"""The control API under `/_sandbox/`: what checks, tests and demonstrations see and change. It needs no token."""

from collections.abc import Awaitable, Callable

from pydantic import TypeAdapter, ValidationError
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from sandbox.calls import answer
from sandbox.control_hooks import ControlHooks
from sandbox.control_records import ControlRecords
from sandbox.faults import FaultRule
from sandbox.ledger import by_control
from sandbox.replies import Endpoints, body_of, refused
from sandbox.service import Service

RULES: TypeAdapter[FaultRule | list[FaultRule]] = TypeAdapter(FaultRule | list[FaultRule])


class Control:
    """The control API of one stand-in. `reset` returns the whole sandbox to its seed state."""

    def __init__(self, service: Service, reset: Callable[[], Awaitable[None]]) -> None:
        self._service, self._reset = service, reset

    def routes(self) -> list[BaseRoute]:
        """Return the routes of the control API."""
        table: Endpoints = {
            "info": {"GET": self._info},
            "ledger": {"GET": self._ledger},
            "faults": {"GET": self._faults, "POST": self._add_faults, "DELETE": self._clear_faults},
            "settings": {"GET": self._settings, "POST": self._change_settings},
            "reset": {"POST": self._start_again},
            "tokens/expire": {"POST": self._expire_tokens},
            "tokens/revoke": {"POST": self._revoke_tokens},
            **ControlRecords(self._service).endpoints(),
            **ControlHooks(self._service.courier).endpoints(),
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
                "refreshes": service.refreshes.told(),
                "requests": service.requests.total(),
                "requests_by_route": dict(service.requests),
            }
        )

    async def _ledger(self, request: Request) -> Response:
        try:
            after = int(request.query_params.get("after", "0"))
        except ValueError:
            return refused("`after` is a sequence number")
        records = self._service.records
        return answer({"entries": list(records.ledger.of(records.system, after, request.query_params.get("kind")))})

    async def _faults(self, _request: Request) -> Response:
        return answer({"rules": [rule.model_dump() for rule in self._service.faults.rules]})

    async def _add_faults(self, request: Request) -> Response:
        try:
            rules = RULES.validate_python(await body_of(request))
        except ValidationError as error:
            return refused(str(error))
        added = [self._service.faults.add(rule) for rule in (rules if isinstance(rules, list) else [rules])]
        return answer({"rules": [rule.model_dump() for rule in added]})

    async def _clear_faults(self, request: Request) -> Response:
        rule_id = request.query_params.get("id", "")
        if rule_id and not rule_id.isdigit():
            return refused("`id` is the number of a rule")
        self._service.faults.clear(int(rule_id) if rule_id else None)
        return await self._faults(request)

    async def _settings(self, _request: Request) -> Response:
        return answer(self._service.settings.model_dump())

    async def _change_settings(self, request: Request) -> Response:
        patch = await body_of(request)
        try:
            self._service.settings.change(patch if isinstance(patch, dict) else {})
        except (ValidationError, TypeError) as error:
            return refused(str(error))
        return await self._settings(request)

    async def _start_again(self, request: Request) -> Response:
        await self._reset()
        return await self._info(request)

    async def _expire_tokens(self, _request: Request) -> Response:
        with by_control():
            return answer({"expired": self._service.tokens.expire_all()})

    async def _revoke_tokens(self, request: Request) -> Response:
        """End every token of the grant that the token in the body came of; without one, of all grants."""
        body, tokens = await body_of(request), self._service.tokens
        text = body.get("token") if isinstance(body, dict) else None
        grant_id = tokens.grant_of(str(text)) if text is not None else None
        if grant_id == 0:
            return refused("no such token was ever issued", 404)
        with by_control():
            return answer({"revoked": tokens.revoke_all(grant_id)})
