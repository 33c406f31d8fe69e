"""REST hooks.

Source: https://developer.capsulecrm.com/v2/operations/REST_Hook, /v2/overview/avoid-polling-with-rest-hooks
"""

import json

from starlette.responses import Response

from sandbox.calls import Call, answer
from sandbox.capsule.account import Account, enveloped, id_in
from sandbox.capsule.errors import forbidden, invalid, missing
from sandbox.capsule.milestones import milestone_of
from sandbox.capsule.render import embeds_of, opportunity_view, party_view
from sandbox.courier import Courier, Forgery, Parcel
from sandbox.ledger import Record, by_control

MOST_HOOKS = 20
HEADERS = {"Content-Type": "application/json"}
PAUSES = (5.0, 60.0, 300.0, 900.0, 900.0)
"""Seconds between the attempts of a delivery; after the last the hook is dropped."""

VERBS = {
    "party": ("created", "updated", "deleted"),
    "opportunity": ("created", "updated", "deleted", "closed", "moved"),
    "kase": ("created", "updated", "deleted", "closed", "moved"),
    "task": ("created", "updated", "completed"),
    "user": ("created", "updated", "deleted"),
}
EVENTS = {f"{noun}/{verb}" for noun, verbs in VERBS.items() for verb in verbs}
PAST = {"create": "created", "update": "updated", "delete": "deleted", "restore": "updated"}


class RestHooks:
    """The hooks of the account: managed by an application with an administrator's token, delivered unsigned."""

    def __init__(self, account: Account, courier: Courier) -> None:
        self._account, self._records, self._courier = account, account.records, courier
        courier.subscriptions = self
        account.records.listeners.append(self._announce)

    def index(self, call: Call) -> Response:
        """The hooks of the calling application."""
        return answer({"restHooks": [_view(each) for each in self._own(call)]})

    def get(self, call: Call) -> Response:
        """One hook of the calling application."""
        return answer({"restHook": _view(self._found(call))})

    def create(self, call: Call) -> Response:
        """A new hook: 201. An account can have twenty."""
        own, draft = self._own(call), enveloped(call, "restHook")
        if str(draft.get("event")) not in EVENTS:
            raise invalid("unknown event", "restHook", "event")
        if not str(draft.get("targetUrl") or "").startswith(("http://", "https://")):
            raise invalid("target url is required", "restHook", "targetUrl")
        if len(own) >= MOST_HOOKS:
            raise invalid("maximum number of rest hooks reached", "restHook", "id")
        hook = {key: draft.get(key) for key in ("event", "targetUrl", "description", "embed")}
        hook_id = self._records.next_id("resthook")
        record = {"id": hook_id, **hook, "batched": True, "clientId": call.token["client_id"]}
        self._records.commit("create", "resthook", hook_id, record)
        return answer({"restHook": _view(record)}, 201, {"Location": f"{call.base_url}/api/v2/resthooks/{hook_id}"})

    def delete(self, call: Call) -> Response:
        """204."""
        self._remove(self._found(call))
        return Response(status_code=204)

    def is_live(self, hook_id: int) -> bool:
        """Return whether the hook still exists."""
        return self._records.get("resthook", hook_id) is not None

    def delivered(self, hook_id: int) -> None:
        """Nothing changes: Capsule keeps no score."""

    def refused(self, hook_id: int, status: int) -> None:
        """Unsubscribe at once on 410 Gone."""
        if status == 410:
            self.disable(hook_id)

    def gave_up(self, hook_id: int) -> None:
        """Unsubscribe after the last attempt."""
        self.disable(hook_id)

    def disable(self, hook_id: int) -> None:
        """Unsubscribe, without a caller of the API who asked for it."""
        hook = self._records.get("resthook", hook_id)
        if hook:
            with by_control():
                self._remove(hook)

    def forged(self, forgery: Forgery) -> list[Parcel]:
        """Return a lie for each subscription to its event: there is no signature that could give it away."""
        event = forgery.event
        hooks = [each for each in self._records.all("resthook") if each["event"] == event]
        targets = {each["id"]: each["targetUrl"] for each in hooks} if forgery.target is None else {0: forgery.target}
        body = _body(event, {"id": forgery.id, **forgery.fields})
        return [Parcel(hook_id, target, event, body, HEADERS) for hook_id, target in targets.items()]

    def _announce(self, operation: str, kind: str, before: Record | None, record: Record) -> None:
        if record.get("restrictedAt"):
            return
        events = [f"{kind}/{verb}" for verb in self._verbs(operation, kind, before, record)]
        hooks = self._records.all("resthook")
        for hook in [each for event in events if event in EVENTS for each in hooks if each["event"] == event]:
            body = _body(hook["event"], self._payload(operation, kind, record, hook))
            self._courier.dispatch(Parcel(hook["id"], hook["targetUrl"], hook["event"], body, HEADERS))

    def _verbs(self, operation: str, kind: str, before: Record | None, record: Record) -> list[str]:
        """Return what a write is called. An opportunity that gets another milestone is updated and moved; one that
        gets to a closing one, from the start or by a move, is closed too.
        """
        verbs = [PAST[operation]]
        if kind != "opportunity" or operation not in ("create", "update"):
            return verbs
        moved = before is None or before["milestone"]["id"] != record["milestone"]["id"]
        verbs += ["moved"] if moved and before else []
        return [*verbs, *(["closed"] if moved and milestone_of(self._account, record)["complete"] else [])]

    def _payload(self, operation: str, kind: str, record: Record, hook: Record) -> Record:
        if operation == "delete":
            return {"id": record["id"]}
        view = party_view if kind == "party" else opportunity_view
        return view(self._account, record, embeds_of(hook["embed"]))

    def _remove(self, hook: Record) -> None:
        self._records.commit("delete", "resthook", hook["id"], hook)

    def _own(self, call: Call) -> list[Record]:
        """Return the caller's hooks. Raises the 403 for a personal access token and for anybody but administrators."""
        client_id = call.token["client_id"]
        if client_id is None or call.token["role"] != "admin":
            raise forbidden("REST hooks require an OAuth application and an administrator")
        return [each for each in self._records.all("resthook") if each["clientId"] == client_id]

    def _found(self, call: Call) -> Record:
        found = next((each for each in self._own(call) if each["id"] == id_in(call)), None)
        if found is None:
            raise missing("restHook")
        return found


def _body(event: str, record: Record) -> bytes:
    content = {"event": event, "payload": [record]}
    return json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode()


def _view(hook: Record) -> Record:
    keys = ("id", "event", "targetUrl", "description", "embed", "batched")
    return {key: hook[key] for key in keys if hook[key] is not None}
