"""The deals of one Zoho CRM account."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from pydantic import ValidationError

from connectors.answers import Page
from connectors.dialect import lost
from connectors.errors import Refused
from connectors.zoho_crm import asking, reading
from connectors.zoho_crm.api import ZohoCrmApi
from connectors.zoho_crm.deal_models import Deal, Layout, Note, Pipeline, Stage
from connectors.zoho_crm.models import CrmRecord, Deletion, Failed, FieldDefinition, Saved, User
from connectors.zoho_crm.problems import DIALECT, failure
from connectors.zoho_crm.stages import stage_choices, stages_of

DEALS = "Deals"
FIELDS = (
    *("Deal_Name", "Stage", "Pipeline", "Amount", "Currency", "Exchange_Rate", "Expected_Revenue", "Probability"),
    *("Closing_Date", "Account_Name", "Contact_Name", "Owner", "Description", "Tag"),
    *("Created_Time", "Modified_Time", "Modified_By"),
)
"""What a `Deal` is made of. Only accounts with several currencies have the two fields about them."""
NOTE_FIELDS = ("Note_Title", "Note_Content", "Created_Time", "Modified_Time", "Created_By")


class ZohoDeals:
    """The deals of the account that an API serves. Never retries. Raises the errors of `connectors.errors`.

    One method is one request, unless it says otherwise. Needs the rights of `zoho_crm.DEALS`.
    """

    def __init__(self, api: ZohoCrmApi) -> None:
        self._api, self._calls = api, api.calls

    async def deal(self, deal_id: str) -> Deal:
        """Return a deal with all its fields. Raises NotFound.

        Source: https://www.zoho.com/crm/developer/docs/api/v8/get-records.html
        """
        return _deal(await self._api.get_record(DEALS, deal_id))

    async def deals(self, ids: Sequence[str], fields: Sequence[str]) -> list[Deal]:
        """Return those of 1 to 100 deals that exist, in any order, with the fields that `to_read` names.

        Source: https://www.zoho.com/crm/developer/docs/api/v8/get-records.html
        """
        return [_deal(each) for each in await self._api.records_by_ids(DEALS, ids, fields)]

    async def changed_deals(self, since: datetime | None, page: int, fields: Sequence[str]) -> Page[Deal]:
        """Return one page of up to 100 deals modified at or after an aware instant, or of all, in order of id.

        Two requests: a query, which sees what was just written, and then the deals by their ids. Deletions do not
        appear, and move what comes after them forward.
        Source: https://www.zoho.com/crm/developer/docs/api/v8/COQL-Overview.html
        """
        condition = f"Modified_Time >= '{asking.instant(since)}'" if since else "id is not null"
        rows = f"limit {(page - 1) * asking.MOST_RECORDS}, {asking.MOST_RECORDS}"
        found = await self._api.query(f"select id from {DEALS} where {condition} order by id asc {rows}")  # noqa: S608 - COQL
        ids = [asking.number(str(row["id"])) for row in found.items]
        return Page(await self.deals(ids, fields) if ids else [], found.has_more)

    async def deleted_deals(self, since: datetime, page: int = 1) -> Page[Deletion]:
        """Return one page of up to 200 deals deleted since an aware instant.

        Source: https://www.zoho.com/crm/developer/docs/api/v8/get-deleted-records.html
        """
        return await self._api.deleted(DEALS, since=since, page=page)

    async def update_deal(self, deal_id: str, changes: Mapping[str, Any]) -> Saved:
        """Change fields of a deal by API name; amounts are Decimal in the deal's own currency, None empties a field.

        A stage has to be one of the deal's pipeline, or both are written together: Refused otherwise. Raises NotFound,
        and ValueError for an amount of more digits than Zoho keeps.
        Source: https://www.zoho.com/crm/developer/docs/api/v8/update-records.html
        """
        row = {asking.name(field): asking.plain(value) for field, value in changes.items()}
        (outcome,) = await self._api.update(DEALS, [{**row, "id": asking.number(deal_id)}])
        if isinstance(outcome, Failed):
            raise failure(f"update {DEALS} {deal_id}", outcome, repeatable=True)
        return outcome

    async def layouts(self) -> list[Layout]:
        """Return the layouts of deals. Source: https://www.zoho.com/crm/developer/docs/api/v8/layouts-meta.html"""
        request = self._calls.request("list layouts of deals", "GET", "/settings/layouts", [("module", DEALS)])
        return (await self._calls.call(request, reading.page_of("layouts", Layout))).items

    async def pipelines(self, layout_id: str) -> list[Pipeline]:
        """Return the pipelines of one layout. Source: https://www.zoho.com/crm/developer/docs/api/v8/get-pipelines.html"""
        query = [("layout_id", asking.number(layout_id))]
        request = self._calls.request(f"list pipelines of layout {layout_id}", "GET", "/settings/pipeline", query)
        return (await self._calls.call(request, reading.page_of("pipeline", Pipeline))).items

    async def home_currency(self) -> str | None:
        """Return the account's own currency, in which all deals are where it has no others.

        Source: https://www.zoho.com/crm/developer/docs/api/v8/get-org-data.html
        """
        return (await self._api.org()).iso_code

    async def stages(self) -> list[Stage]:
        """Return the stages of all pipelines, each with whether it is open, won or lost.

        Two requests, and one for each layout: what they say seldom changes. Raises Refused for a stage of which Zoho
        does not say what it means.
        """
        choices = stage_choices(await self.deal_fields())
        pipelines = [each for layout in await self.layouts() for each in await self.pipelines(layout.id)]
        return stages_of(pipelines, choices)

    async def deal_fields(self) -> list[FieldDefinition]:
        """Return all fields of deals, custom ones too.

        Source: https://www.zoho.com/crm/developer/docs/api/v8/field-meta.html
        """
        return await self._api.fields(DEALS)

    async def create_deal_field(self, label: str, *, length: int, unique: bool = False) -> FieldDefinition:
        """Make a text field and return it: Zoho makes its API name of the label.

        Two requests. Look among `deal_fields` first, and after an UnknownOutcome. Raises Refused if it is not listed.
        Source: https://www.zoho.com/crm/developer/docs/api/v8/create-field.html
        """
        kept = {"unique": {"casesensitive": False}} if unique else {}
        draft = {"field_label": label, "data_type": "text", "length": length, **kept}
        await self._api.create_field(DEALS, {"fields": [draft]})
        made = [each for each in await self.deal_fields() if each.custom_field and each.field_label == label]
        if not made:
            text = f"Zoho CRM does not list the field “{label}” of deals that it said it made"
            raise Refused(DIALECT.system, f"{text}: look for it among the fields of deals, or make it there by hand")
        return made[0]

    async def add_note(self, deal_id: str, title: str, text: str) -> str:
        """Write a note on a deal and return its id. Raises NotFound, and UnknownOutcome: then look among `notes`.

        Source: https://www.zoho.com/crm/developer/docs/api/v8/create-notes.html
        """
        body = asking.records([{"Note_Title": title, "Note_Content": text}])
        path = f"/{DEALS}/{asking.number(deal_id)}/Notes"
        request = self._calls.request(f"add a note to {DEALS} {deal_id}", "POST", path, body=body, repeatable=False)
        return await self._calls.single(request, reading.single(lambda details: str(details["id"])))

    async def notes(self, deal_id: str, page: int = 1) -> Page[Note]:
        """Return one page of up to 200 notes of a deal, latest first. Raises NotFound.

        Source: https://www.zoho.com/crm/developer/docs/api/v8/get-notes.html
        """
        query = [*asking.fields(NOTE_FIELDS), *asking.paging(page)]
        path = f"/{DEALS}/{asking.number(deal_id)}/Notes"
        request = self._calls.request(f"list notes of {DEALS} {deal_id}, page {page}", "GET", path, query)
        return await self._calls.call(request, reading.page_of("data", Note))

    async def users(self) -> list[User]:
        """Return all users, those that cannot own anything any more too (`status`). A request for every 200 of them.

        Source: https://www.zoho.com/crm/developer/docs/api/v8/get-users.html
        """
        found: list[User] = []
        page, has_more = 1, True
        while has_more:
            listed = await self._api.users(page=page)
            found, page, has_more = [*found, *listed.items], page + 1, listed.has_more
        return found


def to_read(known: Iterable[FieldDefinition], custom: Iterable[str] = ()) -> list[str]:
    """Return the API names to ask for: what a `Deal` is made of and `custom` fields, as far as the account has them.

    Without the currency an amount in dollars would pass for one in euros: do not leave out what this returns.
    """
    there = {each.api_name for each in known}
    return [name for name in dict.fromkeys([*FIELDS, *custom]) if name in there]


def _deal(record: CrmRecord) -> Deal:
    try:
        return Deal.model_validate({**record.values, "module": DEALS, "values": record.values})
    except ValidationError:  # "from None": what it shows of its input may be a person's data
        raise lost(DIALECT, f"read {DEALS} {record.id}", "unreadable", repeatable=True) from None
