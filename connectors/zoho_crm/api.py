"""The records, metadata and notification channels of one Zoho CRM account."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import httpx

from connectors.answers import Page
from connectors.errors import NotFound, Refused
from connectors.http import TIME_LIMIT, TokenSource
from connectors.service_state import ServiceState, service_state
from connectors.zoho_crm import asking, reading
from connectors.zoho_crm.calling import Calls
from connectors.zoho_crm.models import (
    Channel,
    Conversion,
    CrmRecord,
    Deletion,
    FieldDefinition,
    Module,
    Organisation,
    Outcome,
    RecordPage,
    User,
)
from connectors.zoho_crm.problems import DIALECT


class ZohoCrmApi:
    """One Zoho CRM account. One method is one request; never retries. Raises the errors of `connectors.errors`.

    `base_url` is the API's address in the account's data centre; sandboxes and developer editions have their own.
    Modules and fields go by their API names. No write of ours starts workflow rules, approvals or mails in Zoho.
    """

    def __init__(
        self,
        http: httpx.AsyncClient,
        token: TokenSource,
        base_url: str = "https://www.zohoapis.com",
        time_limit: timedelta = TIME_LIMIT,
    ) -> None:
        self.calls = Calls(http, token, base_url, time_limit)
        """What else knows this account sends its requests through these too."""

    async def get_record(self, module: str, record_id: str) -> CrmRecord:
        """Return a record with all its fields. Raises NotFound.

        Source: https://www.zoho.com/crm/developer/docs/api/v8/get-records.html
        """
        path = f"/{asking.name(module)}/{asking.number(record_id)}"
        request = self.calls.request(f"read {module} {record_id}", "GET", path)
        page = await self.calls.call(request, reading.records_of(module))
        if not page.items:
            text = f"Zoho CRM has no {module} {record_id}: it is deleted, merged, or not visible to this connection"
            raise NotFound(DIALECT.system, text)
        return page.items[0]

    async def list_records(
        self,
        module: str,
        fields: Sequence[str],
        *,
        since: datetime | None = None,
        page_token: str | None = None,
        per_page: int = asking.LARGEST_PAGE,
    ) -> RecordPage:
        """Return one page of all records, or of those modified after an aware instant, in order of id.

        Give a page's `next_token` with the same other parameters for the next one; Refused (`EXPIRED_VALUE`) says that
        it is older than a day. Whether the instant itself counts is not documented: let cursors overlap. Deletions do
        not appear here. Source: https://www.zoho.com/crm/developer/docs/api/v8/get-records.html
        """
        place = [("page_token", page_token)] if page_token else []
        query = [*asking.fields(fields), *asking.size(per_page), *place]
        order = [("sort_by", "id"), ("sort_order", "asc")]  # which no edit changes
        headers = asking.since_header(since)
        request = self.calls.request(f"list {module}", "GET", f"/{asking.name(module)}", [*query, *order], headers)
        return await self.calls.call(request, reading.listed(module))

    async def records_by_ids(self, module: str, ids: Sequence[str], fields: Sequence[str]) -> list[CrmRecord]:
        """Return those of 1 to 100 records that exist, in any order.

        Source: https://www.zoho.com/crm/developer/docs/api/v8/get-records.html
        """
        query = [("ids", asking.numbers(ids)), *asking.fields(fields), *asking.size()]
        request = self.calls.request(f"read {len(ids)} {module}", "GET", f"/{asking.name(module)}", query)
        page = await self.calls.call(request, reading.records_of(module))
        return [each for each in page.items if each.id in ids]

    async def search_by_email(self, module: str, email: str, fields: Sequence[str]) -> list[CrmRecord]:
        """Return the records with this email address in one of `fields`, whatever its case.

        A record that has only just been written may be missing for minutes: `query` finds it. Raises Refused if Zoho
        seems to ignore the filter. Source: https://www.zoho.com/crm/developer/docs/api/v8/search-records.html
        """
        wanted = email.strip().casefold()
        if not wanted:
            raise ValueError("a search by email address needs one")
        query = [("email", email.strip()), *asking.fields(fields), *asking.paging(1)]
        request = self.calls.request(f"search {module} by email", "GET", f"/{asking.name(module)}/search", query)
        found = await self.calls.call(request, reading.records_of(module))
        if found.has_more:
            text = f"Zoho CRM returned more than {asking.LARGEST_PAGE} {module} for a search by email address"
            raise Refused(DIALECT.system, f"{text}: it seems to ignore the filter, so a person has to look")
        return [each for each in found.items if wanted in reading.texts(each, fields)]

    async def query(self, select_query: str) -> Page[dict[str, Any]]:
        """Return one page of up to 2,000 rows of a COQL query, which needs a `where`. It sees what was just written.

        Put every value into it with `asking.coql_text`, every id with `asking.number`, every name with `asking.name`.
        Source: https://www.zoho.com/crm/developer/docs/api/v8/COQL-Overview.html
        """
        request = self.calls.request("run a query", "POST", "/coql", body={"select_query": select_query})
        return await self.calls.call(request, reading.rows)

    async def insert(
        self, module: str, records: Sequence[Mapping[str, Any]], *, unique_field: str | None = None
    ) -> list[Outcome]:
        """Create 1 to 100 records and return what became of each, in order.

        Raises UnknownOutcome if that may or may not have happened; not so with a `unique_field` in which each record
        has a value: trying again then fails with `DUPLICATE_DATA` and the id of the record that is there.
        Source: https://www.zoho.com/crm/developer/docs/api/v8/insert-records.html
        """
        repeatable = unique_field is not None and asking.named_by(records, [unique_field])
        body = asking.records(records)
        request = self.calls.request(
            f"insert {len(records)} {module}", "POST", f"/{asking.name(module)}", body=body, repeatable=repeatable
        )
        return await self.calls.call(request, reading.outcomes(len(records)))

    async def update(self, module: str, records: Sequence[Mapping[str, Any]]) -> list[Outcome]:
        """Change 1 to 100 records, each with its `id` and the keys to change, and return what became of each, in order.

        None empties a field. Source: https://www.zoho.com/crm/developer/docs/api/v8/update-records.html
        """
        ids = [asking.number(str(each.get("id") or "")) for each in records]
        which = ids[0] if len(ids) == 1 else f"({len(ids)} records)"
        body = asking.records(records)
        request = self.calls.request(f"update {module} {which}", "PUT", f"/{asking.name(module)}", body=body)
        return await self.calls.call(request, reading.outcomes(len(records)))

    async def upsert(
        self, module: str, records: Sequence[Mapping[str, Any]], duplicate_check_fields: Sequence[str]
    ) -> list[Outcome]:
        """Create or change 1 to 100 records, recognised by the first of these fields that fits; outcomes in order.

        Raises ValueError if a record has no value in any of them: each attempt would create it anew.
        Source: https://www.zoho.com/crm/developer/docs/api/v8/upsert-records.html
        """
        keys = [asking.name(each) for each in duplicate_check_fields]
        body = {**asking.records(records), "duplicate_check_fields": keys}
        if not asking.named_by(records, keys):
            raise ValueError("a record without a value to recognise it by would be created anew with each attempt")
        request = self.calls.request(
            f"upsert {len(records)} {module}", "POST", f"/{asking.name(module)}/upsert", body=body
        )
        return await self.calls.call(request, reading.outcomes(len(records)))

    async def delete(self, module: str, ids: Sequence[str]) -> list[Outcome]:
        """Put 1 to 100 records into the recycle bin and return what became of each, in order.

        Needs a right that `zoho_crm.SCOPES` does not ask for.
        Source: https://www.zoho.com/crm/developer/docs/api/v8/delete-records.html
        """
        query = [("ids", asking.numbers(ids)), ("wf_trigger", "false")]
        request = self.calls.request(f"delete {len(ids)} {module}", "DELETE", f"/{asking.name(module)}", query)
        return await self.calls.call(request, reading.outcomes(len(ids)))

    async def deleted(self, module: str, *, since: datetime | None = None, page: int = 1) -> Page[Deletion]:
        """Return one page of up to 200 records deleted since an aware instant, those in the recycle bin included.

        For how long Zoho remembers is not documented for certain; 60 days are likely.
        Source: https://www.zoho.com/crm/developer/docs/api/v8/get-deleted-records.html
        """
        doing, path = f"list deleted {module}, page {page}", f"/{asking.name(module)}/deleted"
        query = [("type", "all"), *asking.paging(page)]
        request = self.calls.request(doing, "GET", path, query, asking.since_header(since))
        return await self.calls.call(request, reading.page_of("data", Deletion))

    async def count(self, module: str) -> int:
        """Return the number of records. Source: https://www.zoho.com/crm/developer/docs/api/v8/get-record-count.html"""
        request = self.calls.request(f"count {module}", "GET", f"/{asking.name(module)}/actions/count")
        return await self.calls.call(request, reading.count)

    async def convert_lead(self, lead_id: str, options: Mapping[str, Any]) -> Conversion:
        """Make a contact of a lead, and an account and a deal as far as `options` and the lead say so.

        Overwrites nothing and sends no mails unless `options` say so. A second time raises Refused
        (`ID_ALREADY_CONVERTED`): the lead's `$converted_detail` says what it became. Needs rights on leads.
        Source: https://www.zoho.com/crm/developer/docs/api/v8/convert-lead.html
        """
        body = {"data": [{"overwrite": False, "notify_lead_owner": False, **options}]}
        path = f"/Leads/{asking.number(lead_id)}/actions/convert"
        request = self.calls.request(f"convert lead {lead_id}", "POST", path, body=body)
        return await self.calls.single(request, reading.single(reading.conversion))

    async def modules(self) -> list[Module]:
        """Return all modules. Source: https://www.zoho.com/crm/developer/docs/api/v8/modules-api.html"""
        request = self.calls.request("list modules", "GET", "/settings/modules")
        return (await self.calls.call(request, reading.page_of("modules", Module))).items

    async def fields(self, module: str) -> list[FieldDefinition]:
        """Return all fields of a module. Source: https://www.zoho.com/crm/developer/docs/api/v8/field-meta.html"""
        query = [("module", asking.name(module)), ("type", "all")]
        request = self.calls.request(f"list fields of {module}", "GET", "/settings/fields", query)
        return (await self.calls.call(request, reading.page_of("fields", FieldDefinition))).items

    async def create_field(self, module: str, body: Mapping[str, Any]) -> None:
        """Create a custom field from a body in Zoho's own words, which are not certain enough to be ours.

        Look among `fields` first and afterwards, also after an UnknownOutcome.
        Source: https://www.zoho.com/crm/developer/docs/api/v8/create-field.html
        """
        query = [("module", asking.name(module))]
        doing = f"create a field of {module}"
        request = self.calls.request(doing, "POST", "/settings/fields", query, body=body, repeatable=False)
        await self.calls.single(request, reading.refused_or_done)

    async def users(self, *, page: int = 1) -> Page[User]:
        """Return one page of up to 200 users, disabled ones too.

        Source: https://www.zoho.com/crm/developer/docs/api/v8/get-users.html
        """
        query = [("type", "AllUsers"), *asking.paging(page)]
        request = self.calls.request(f"list users, page {page}", "GET", "/users", query)
        return await self.calls.call(request, reading.page_of("users", User))

    async def current_user(self) -> User:
        """Return the user behind the token: writes of ours carry it as `modified_by`.

        Source: https://www.zoho.com/crm/developer/docs/api/v8/get-users.html
        """
        request = self.calls.request("read the current user", "GET", "/users", [("type", "CurrentUser")])
        return await self.calls.call(request, reading.first_of("users", User))

    async def org(self) -> Organisation:
        """Return the account itself. Source: https://www.zoho.com/crm/developer/docs/api/v8/get-org-data.html"""
        request = self.calls.request("read the organisation", "GET", "/org")
        return await self.calls.call(request, reading.first_of("org", Organisation))

    async def service_state(self) -> ServiceState:
        """Return Zoho's clock and the credits that are left, None while less than half of them are used.

        Source: https://www.zoho.com/crm/developer/docs/api/v8/api-limits.html
        """
        return await self.calls.call(self.calls.request("read the organisation", "GET", "/org"), service_state)

    async def enable_channel(
        self, channel_id: str, *, events: Sequence[str], notify_url: str, token: str, until: datetime
    ) -> list[Channel]:
        """Subscribe to events such as `Contacts.all` until an aware instant, at most a week away.

        Returns a row for each module. The id is ours to choose: text of digits. Whether enabling it twice is refused is
        not documented, but there are never two of one id: look among `channels`, and renew what is there. `token` comes
        back with each delivery.
        Source: https://www.zoho.com/crm/developer/docs/api/v8/notifications/enable.html
        """
        body = asking.channel(channel_id, events=events, notify_url=notify_url, token=token, until=until)
        request = self.calls.request(f"enable channel {channel_id}", "POST", "/actions/watch", body=body)
        return await self.calls.single(request, reading.single(reading.subscribed))

    async def renew_channel(
        self, channel_id: str, *, events: Sequence[str], notify_url: str, token: str, until: datetime
    ) -> list[Channel]:
        """Replace all that a channel says, its end included. An expired one may have to be enabled anew.

        Source: https://www.zoho.com/crm/developer/docs/api/v8/notifications/update-details.html
        """
        body = asking.channel(channel_id, events=events, notify_url=notify_url, token=token, until=until)
        request = self.calls.request(f"renew channel {channel_id}", "PUT", "/actions/watch", body=body)
        return await self.calls.single(request, reading.single(reading.subscribed))

    async def channels(self, *, channel_id: str | None = None, page: int = 1) -> Page[Channel]:
        """Return one page of our user's channels, a row for each module, or of one channel.

        Source: https://www.zoho.com/crm/developer/docs/api/v8/notifications/get-details.html
        """
        which = [("channel_id", asking.number(channel_id))] if channel_id else []
        request = self.calls.request("list channels", "GET", "/actions/watch", [*which, *asking.paging(page)])
        return await self.calls.call(request, reading.page_of("watch", Channel))

    async def disable_channel(self, channel_id: str) -> None:
        """Unsubscribe. Raises NotFound. Source: https://www.zoho.com/crm/developer/docs/api/v8/notifications/disable.html"""
        query = [("channel_ids", asking.number(channel_id))]
        request = self.calls.request(f"disable channel {channel_id}", "DELETE", "/actions/watch", query)
        await self.calls.single(request, reading.refused_or_done)
