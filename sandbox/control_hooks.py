"""The part of the control API that is about hooks: what was delivered, again, by an impostor, or no longer."""

from pydantic import ValidationError
from starlette.requests import Request
from starlette.responses import Response

from sandbox.calls import answer
from sandbox.courier import Courier, Forgery
from sandbox.replies import Endpoints, body_of, refused


class ControlHooks:
    """The hooks of one stand-in."""

    def __init__(self, courier: Courier) -> None:
        self._courier = courier

    def endpoints(self) -> Endpoints:
        """Return the paths under `/_sandbox/` and what answers them."""
        return {
            "hooks/redeliver": {"POST": self._redeliver},
            "hooks/deliveries": {"GET": self._deliveries},
            "hooks/forge": {"POST": self._forge},
            "hooks/{id:int}/disable": {"POST": self._disable},
        }

    async def _redeliver(self, request: Request) -> Response:
        body = await body_of(request)
        times = body.get("times", 1) if isinstance(body, dict) else 1
        if not isinstance(times, int):
            return refused("`times` is a number")
        return answer({"deliveries": await self._courier.redeliver(times)})

    async def _deliveries(self, _request: Request) -> Response:
        return answer({"deliveries": [delivery.told() for delivery in self._courier.deliveries]})

    async def _forge(self, request: Request) -> Response:
        try:
            forgery = Forgery.model_validate(await body_of(request))
        except ValidationError as error:
            return refused(str(error))
        return answer({"deliveries": await self._courier.forge(forgery)})

    async def _disable(self, request: Request) -> Response:
        hook_id, subscriptions = request.path_params["id"], self._courier.subscriptions
        if subscriptions is None or not subscriptions.is_live(hook_id):
            return refused(f"there is no hook {hook_id}", 404)
        subscriptions.disable(hook_id)
        return answer({"disabled": hook_id})
