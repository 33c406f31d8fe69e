"""Notification channels: each ends by itself, after an hour unless told otherwise and after a week at the latest.

Source: https://www.zoho.com/crm/developer/docs/api/v8/notifications/enable.html, /get-details.html,
/update-details.html, /update-specific-info.html, /disable.html
"""

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

from starlette.responses import Response

from sandbox.calls import Call, Refusal
from sandbox.clock import from_zulu
from sandbox.ledger import Record
from sandbox.zoho_crm.account import API, Account, stamp_of
from sandbox.zoho_crm.bodies import many_of, object_in
from sandbox.zoho_crm.errors import error, invalid, missing_parameter, nothing, refused, said, success
from sandbox.zoho_crm.modules import MODULES
from sandbox.zoho_crm.notices import Notices
from sandbox.zoho_crm.pages import plain_page

DEFAULT_LIFE, LONGEST_LIFE = timedelta(hours=1), timedelta(days=7)
MOST, LONGEST_TOKEN = 50, 50
VERBS = {"create", "edit", "delete", "all"}
LOOPBACK = {"127.0.0.1", "localhost", "::1"}
SUBSCRIBED = "Successfully subscribed for actions-watch of the given module"
UNSUBSCRIBED = "Successfully un-subscribed from actions-watch"

Change = Callable[[Call, Record, str], Record]


class Watch:
    """The channels of the calling user, named by the numbers that the caller chose."""

    def __init__(self, account: Account, notices: Notices) -> None:
        self._account, self._records, self._notices = account, account.records, notices

    def index(self, call: Call) -> Response:
        """A page of what is watched, a row for each channel and module; 204 if nothing is."""
        channels = [each for each in self._own(call) if call.query.get("channel_id") in {None, each["channel_id"]}]
        wanted = call.query.get("module")
        rows = [(each, name) for each in channels for name in _modules(each) if wanted in {None, name}]
        if not rows:
            return nothing()
        return said(plain_page(call, rows, lambda each: self._view(*each), "watch"))

    def enable(self, call: Call) -> Response:
        """New channels: 201."""
        return self._each(call, self._enable, 201)

    def replace(self, call: Call) -> Response:
        """Channels as a whole anew, which is also how they are renewed: 200."""
        return self._each(call, self._replace, 200)

    def change(self, call: Call) -> Response:
        """What was sent of channels: 200. With `_delete_events` the events that are named are heard no more."""
        return self._each(call, self._change, 200)

    def disable(self, call: Call) -> Response:
        """Channels gone: 200."""
        ids = [each for each in call.query.get("channel_ids", "").split(",") if each]
        if not ids:
            raise missing_parameter("channel_ids")
        return self._results(call, [{"channel_id": each} for each in ids], self._disable, 200)

    def _each(self, call: Call, change: Change, good: int) -> Response:
        return self._results(call, many_of(object_in(call), "watch", MOST), change, good)

    def _results(self, call: Call, drafts: list[Any], change: Change, good: int) -> Response:
        results = []
        for number, draft in enumerate(drafts):
            place = f"$.watch[{number}]"
            try:
                if not isinstance(draft, dict):
                    raise invalid("watch", place, expected_data_type="jsonobject")
                results.append(change(call, draft, place))
            except Refusal as refusal:
                results.append(refusal.body)
        failed = sum(each["status"] == "error" for each in results)
        return said({"watch": results}, good if not failed else 400 if failed == len(results) else 207)

    def _enable(self, call: Call, draft: Record, place: str) -> Record:
        values = self._checked(draft, place)
        known = self._find(call, values["channel_id"])
        if known and self._notices.lasts(known) and self._account.settings.watch_again == "refused":
            raise refused("DUPLICATE_DATA", "duplicate data", api_name="channel_id", json_path=f"{place}.channel_id")
        number = int(known["id"]) if known else self._records.next_id("channel")
        return self._save(call, values, number, "update" if known else "create")

    def _replace(self, call: Call, draft: Record, place: str) -> Record:
        known = self._known(call, draft)
        return self._save(call, self._checked(draft, place), int(known["id"]), "update")

    def _change(self, call: Call, draft: Record, place: str) -> Record:
        known = self._known(call, draft)
        drop, sent = draft.get("_delete_events") is True, draft.get("events")
        changes = {name: value for name, value in draft.items() if name in known}
        if isinstance(sent, list):
            kept = [each for each in known["events"] if each not in sent]
            changes["events"] = kept if drop else [*kept, *sent]
        base = {name: value for name, value in known.items() if name not in {"id", "user_id", "base_url"}}
        return self._save(call, self._checked({**base, **changes}, place), int(known["id"]), "update")

    def _disable(self, call: Call, draft: Record, _place: str) -> Record:
        channel = self._known(call, draft)
        self._records.commit("delete", "channel", int(channel["id"]), channel)
        resource = self._resource(channel, _modules(channel)[0])
        return success(UNSUBSCRIBED, **{key: resource[key] for key in ("resource_uri", "resource_id", "channel_id")})

    def _save(self, call: Call, values: Record, number: int, operation: str) -> Record:
        channel = {"id": str(number), "user_id": call.token["user_id"], "base_url": call.base_url, **values}
        self._records.commit(operation, "channel", number, channel)
        return success(SUBSCRIBED, events=[self._resource(channel, name) for name in _modules(channel)])

    def _checked(self, draft: Record, place: str) -> Record:
        """Return what a channel consists of. Raises INVALID_DATA or MANDATORY_NOT_FOUND."""
        for name in ("channel_id", "notify_url", "events"):
            if name not in draft:
                details = {"api_name": name, "json_path": f"{place}.{name}"}
                raise Refusal(400, error("MANDATORY_NOT_FOUND", "required field not found", **details))
        number, token = draft["channel_id"], draft.get("token")
        if not isinstance(number, str) or not number.isdigit():
            raise invalid("channel_id", place, expected_data_type="bigint")
        if token is not None and (not isinstance(token, str) or len(token) > LONGEST_TOKEN):
            raise invalid("token", place, maximum_length=LONGEST_TOKEN)
        if not _may_be_called(draft["notify_url"]):
            raise invalid("notify_url", place, expected_data_type="url")
        events = draft["events"]
        if not isinstance(events, list) or not events or not all(_is_event(each) for each in events):
            raise invalid("events", place, expected_data_type="event")
        return {
            "channel_id": number,
            "notify_url": draft["notify_url"],
            "token": token,
            "events": events,
            "channel_expiry": self._expiry(draft, place),
            "notify_on_related_action": draft.get("notify_on_related_action", True) is True,
            "return_affected_field_values": draft.get("return_affected_field_values", False) is True,
            "notification_condition": draft.get("notification_condition"),
        }

    def _expiry(self, draft: Record, place: str) -> str:
        now, text = self._account.now(), draft.get("channel_expiry")
        if text is None:
            return stamp_of(now + DEFAULT_LIFE)
        try:
            expiry = from_zulu(text) if isinstance(text, str) else now
        except ValueError as problem:
            raise invalid("channel_expiry", place, expected_data_type="datetime") from problem
        if not now < expiry <= now + LONGEST_LIFE:
            raise invalid("channel_expiry", place, message="the expiry lies in the past or more than a week ahead")
        return stamp_of(expiry)

    def _own(self, call: Call) -> list[Record]:
        user_id, channels = call.token["user_id"], self._records.all("channel")
        return [each for each in channels if each["user_id"] == user_id and self._notices.lasts(each)]

    def _find(self, call: Call, channel_id: Any) -> Record | None:
        mine = (each for each in self._records.all("channel") if each["user_id"] == call.token["user_id"])
        return next((each for each in mine if each["channel_id"] == channel_id), None)

    def _known(self, call: Call, draft: Record) -> Record:
        """Return the channel that a caller names. Raises NOT_SUBSCRIBED, for one that expired too unless the settings
        revive it.
        """
        channel = self._find(call, draft.get("channel_id"))
        if channel is None or not (self._notices.lasts(channel) or self._account.settings.renew_expired):
            raise refused("NOT_SUBSCRIBED", "Not Subscribed", channel_id=draft.get("channel_id"))
        return channel

    def _resource(self, channel: Record, module: str) -> Record:
        return {
            "channel_id": channel["channel_id"],
            "channel_expiry": self._account.shown(channel["channel_expiry"]),
            "resource_uri": f"{channel['base_url']}{API}/{module}",
            "resource_id": str(MODULES[module].number),
            "resource_name": module,
        }

    def _view(self, channel: Record, module: str) -> Record:
        names = ("notify_url", "token", "notify_on_related_action", "return_affected_field_values")
        events = [each for each in channel["events"] if each.partition(".")[0] == module]
        more = {"events": events, "fields": [], "notification_condition": channel["notification_condition"]}
        return {**self._resource(channel, module), **{name: channel[name] for name in names}, **more}


def _modules(channel: Record) -> list[str]:
    return list(dict.fromkeys(each.partition(".")[0] for each in channel["events"]))


def _is_event(value: Any) -> bool:
    module, _, verb = value.partition(".") if isinstance(value, str) else ("", "", "")
    return module in MODULES and verb in VERBS


def _may_be_called(target: Any) -> bool:
    """HTTPS; for this machine plain HTTP will do, or nothing could be tried out here."""
    try:
        parts = urlsplit(target) if isinstance(target, str) else urlsplit("")
    except ValueError:
        return False
    return bool(parts.hostname) and (parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in LOOPBACK))
