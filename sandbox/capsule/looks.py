"""The ways of looking at the records of an entity: by id, page by page, since an instant, by a text, the deleted.

Source: https://developer.capsulecrm.com/v2/overview/reading-from-the-api
"""

from collections.abc import Callable

from starlette.responses import Response

from sandbox.calls import Call, answer, id_of
from sandbox.capsule.account import Account, enveloped
from sandbox.capsule.entities import Entity
from sandbox.capsule.errors import invalid
from sandbox.capsule.filters import Fields, matching
from sandbox.capsule.lifecycle import deleted_since
from sandbox.capsule.paging import page_of
from sandbox.capsule.render import embeds_in
from sandbox.clock import from_zulu, zulu
from sandbox.ledger import Record
from sandbox.remembered import Remembered

MOST_IDS = 10

View = Callable[[Account, Record, set[str]], Record]
"""Shows a record with the embeds that are asked for."""


class Looks:
    """The operations that show records of one entity."""

    def __init__(self, account: Account, entity: Entity, view: View) -> None:
        self._account, self._entity, self._view = account, entity, view
        self._remembered = Remembered(account.records, entity.kind)

    def index(self, call: Call) -> Response:
        """Records by id, with `since` those changed after that instant. An unknown `q` is ignored."""
        since = self._instant(call) if "since" in call.query else ""
        return self.page(call, self._looked("list", since, lambda: self._since(since)))

    def get(self, call: Call) -> Response:
        """One record, or up to ten by comma-separated ids: then 404 if any one is missing."""
        texts = call.params["ids"].split(",")
        if len(texts) > MOST_IDS:
            raise invalid("too many ids", self._entity.kind, "id")
        found = [self._account.readable(self._entity, id_of(each)) for each in texts]
        views = [self._view(self._account, each, embeds_in(call)) for each in found]
        return answer({self._entity.kind: views[0]} if len(views) == 1 else {self._entity.many: views})

    def search(self, call: Call) -> Response:
        """Records in whose searchable texts the text of `q` occurs."""
        wanted = call.query.get("q", "").casefold()
        return self.page(call, self._looked("search", wanted, lambda: self._containing(wanted)))

    def filtered(self, call: Call, fields: Fields) -> Response:
        """Records that fulfil every condition of an ad-hoc filter."""
        return self.page(call, matching(self._account, fields, enveloped(call, "filter")))

    def deleted(self, call: Call) -> Response:
        """What was deleted after the instant in `since`, which is required."""
        if "since" not in call.query:
            raise invalid("since is required", self._entity.kind, "since")
        return deleted_since(self._account, self._entity, call, self._instant(call))

    def page(self, call: Call, records: list[Record]) -> Response:
        """One page of these records."""
        embeds = embeds_in(call)
        return page_of(call, self._entity.many, records, lambda each: self._view(self._account, each, embeds))

    def _looked(self, way: str, wanted: str, look: Callable[[], list[Record]]) -> list[Record]:
        """Return what a look finds: once for all pages, unless it lags, for then it changes with time."""
        return look() if self._account.lag_of(way).longest else self._remembered.get((way, wanted), look)

    def _since(self, instant: str) -> list[Record]:
        records = self._account.listed(self._entity, "list")
        return [each for each in records if each["updatedAt"] > instant] if instant else records

    def _containing(self, wanted: str) -> list[Record]:
        index = self._account.index_of(self._entity)
        found = self._account.listed(self._entity, "search", index.containing(wanted))
        return [each for each in found if wanted in index.searchable(each)]

    def _instant(self, call: Call) -> str:
        """Return the instant in `since`, as Capsule writes instants: such texts sort by time. Raises the 422."""
        try:
            return zulu(from_zulu(call.query["since"]))
        except ValueError as error:
            raise invalid("since must be an ISO 8601 date and time", self._entity.kind, "since") from error
