"""Zoho CRM's answers to what a sync of parties asks: contacts are people, accounts are organisations.

Records are looked for by query, which sees what has only just been written; Zoho's search does not.
Source: https://www.zoho.com/crm/developer/docs/api/v8/
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from activities.crm import CrmParty, FieldIds, Gone, GonePage, one_named
from activities.queues import ZOHO_CRM
from activities.zoho_leads import LeadRules, ZohoLeads
from connectors.answers import Page
from connectors.errors import NotFound, Refused
from connectors.zoho_crm import asking
from connectors.zoho_crm.api import ZohoCrmApi
from connectors.zoho_crm.models import CrmRecord, Failed, Outcome
from connectors.zoho_crm.problems import failure
from mapping.engine import Template
from mapping.zoho_records import ACCOUNTS, CONTACTS, ZohoPath

MODULES = (CONTACTS, ACCOUNTS)
NO_LEADS = LeadRules()
ROWS = 500  # of a query: so many cost two credits and save two requests; a page of a sweep has to end within its time
MOST_ROWS = 2000
MOST_ALTERNATIVES = 50  # in a query; how many Zoho takes is not documented
# People who enter a contact with its account enter the account first.
ALONE_AFTER = timedelta(minutes=10)


class ZohoCrm:
    """The contacts and accounts of one Zoho CRM account. `reference_field` is the API name of our own field."""

    system = ZOHO_CRM

    def __init__(self, zoho: ZohoCrmApi, template: Template, reference_field: str, leads: LeadRules = NO_LEADS) -> None:
        self._zoho, self._reference_field = zoho, reference_field
        self._lead_rules, self._leads = leads, ZohoLeads(zoho, leads)
        self._wanted = {module: _wanted(template, module, reference_field) for module in MODULES}
        self._modules: dict[int, str] = {}
        self._last_pages: dict[tuple[str, str], int] = {}
        self._field_ids = FieldIds(self._read_field_ids)

    async def read(self, party_id: int) -> CrmParty:
        """Return a contact, or else an account, of this id: no two records of Zoho share one. Raises NotFound."""
        known = self._modules.get(party_id, CONTACTS)
        other = ACCOUNTS if known == CONTACTS else CONTACTS
        try:
            record = await self._zoho.get_record(known, str(party_id))
        except NotFound:
            record = await self._zoho.get_record(other, str(party_id))
        (party,) = await self._parties([record])
        return party

    async def read_many(self, party_ids: Sequence[int]) -> Sequence[CrmParty]:
        """Return those of the records that exist: contacts first, what is none of them among the accounts."""
        found: dict[int, CrmParty] = {}
        for module in MODULES:
            left = [str(each) for each in party_ids if each not in found]
            found |= {each.id: each for each in await self._by_ids(module, left)}
        return list(found.values())

    async def with_email(self, email: str) -> Sequence[CrmParty]:
        """Return the contacts with this address. After a merge it may be the second one of who is left."""
        try:
            wanted = asking.coql_text(email.strip())
            condition = f"(Email = {wanted} or Secondary_Email = {wanted})"
        except ValueError:  # a quote in an address: no query can hold it
            found = await self._zoho.search_by_email(CONTACTS, email, await self._fields_of(CONTACTS))
            return await self._parties(found)
        return [party for party in await self._where(CONTACTS, condition) if party.has_email(email)]

    async def with_reference(self, reference: str) -> Sequence[CrmParty]:
        """Return the records that carry a reference of ours."""
        condition = f"{self._reference_field} = {asking.coql_text(reference)}"
        found = [party for module in await self._carriers() for party in await self._where(module, condition)]
        return [party for party in found if party.reference == reference]

    async def marks(self, page: int) -> tuple[Sequence[tuple[str, str]], bool]:
        """Return one page of the records of each module that carry a reference, (reference, id)."""
        field = self._reference_field
        found: list[tuple[str, str]] = []
        has_more = False
        for module in await self._carriers():
            listed = await self._zoho.query(_select(field, module, f"{field} is not null", page))
            found += [(str(row[field]), str(row["id"])) for row in listed.items if row.get(field)]
            has_more = has_more or listed.has_more
        return found, has_more

    async def employer(self, name: str) -> int | None:
        """Return the account of this name, made if there is none: Zoho recognises accounts by their names.

        A name that no query can hold is left to Zoho to recognise.
        """
        try:
            found = await self._where(ACCOUNTS, f"Account_Name = {asking.coql_text(name)}")
        except ValueError:
            found = []
        if found:
            return one_named(name, found)
        (outcome,) = await self._zoho.upsert(ACCOUNTS, [{"Account_Name": name}], ["Account_Name"])
        return int(_saved("make the account of a new contact", outcome))

    async def create(self, body: Mapping[str, Any], reference: str, client_id: int) -> CrmParty:
        """Create a contact or an account by its reference: a repeat finds what the first attempt has made.

        Somebody who is an open lead becomes a contact by conversion, if the settings want that. Raises Refused, with
        what to do, where the account has no field for it, and with Zoho's own words otherwise; UnknownOutcome if
        nobody knows what became of a lead.
        """
        module = str(body["module"])
        await self._require_field(module, client_id)
        row = {key: value for key, value in body.items() if key != "module"} | {self._reference_field: reference}
        converted = None
        if module == CONTACTS:
            row |= self._lead_rules.source(row)
            converted = await self._leads.converted(row.get("Email"))
        if converted is not None:
            (outcome,) = await self._zoho.update(module, [{**row, "id": converted}])
        else:
            (outcome,) = await self._zoho.upsert(module, [row], [self._reference_field])
        record_id = _saved(f"create the record of client {client_id}", outcome)
        return self._party(await self._zoho.get_record(module, record_id))

    async def update(self, party_id: int, changes: Mapping[str, Any]) -> CrmParty:
        """Write these fields and return the record as it is then."""
        if party_id not in self._modules:
            await self.read(party_id)
        module = self._modules[party_id]
        (outcome,) = await self._zoho.update(module, [{"id": str(party_id), **changes}])
        _saved(f"update {module} {party_id}", outcome)
        return self._party(await self._zoho.get_record(module, str(party_id)))

    def adds(self, changes: Mapping[str, Any]) -> bool:
        """Never: a repeat writes the same fields again."""
        del changes
        return False

    async def field_ids(self) -> Mapping[str, int]:
        """Return a number for each field by module and API name; read again every minute."""
        return await self._field_ids.now()

    async def listed(self, since: datetime | None, page: int) -> Page[CrmParty]:
        """Return one page of both modules: what changed since an instant, or everything."""
        condition = f"Modified_Time >= '{asking.instant(since)}'" if since else "id is not null"
        return await self._page(MODULES, condition, page)

    async def people_of(self, organisation_id: int, page: int) -> Page[CrmParty]:
        """Return one page of the contacts of an account."""
        return await self._page((CONTACTS,), f"Account_Name = '{asking.number(str(organisation_id))}'", page)

    async def gone(self, since: datetime, page: int) -> GonePage:
        """Return one page of each module's deleted records. Zoho does not tell of those that are only hidden."""
        pages = [await self._zoho.deleted(module, since=since, page=page) for module in MODULES]
        deleted = [Gone(int(each.id), each.deleted_time) for listed in pages for each in listed.items]
        return GonePage(deleted, [], any(listed.has_more for listed in pages))

    async def _read_field_ids(self) -> Mapping[str, int]:
        names = [f"{module}.{each.api_name}" for module in MODULES for each in await self._zoho.fields(module)]
        return {name: number for number, name in enumerate(names, start=1)}

    async def _require_field(self, module: str, client_id: int) -> None:
        if module not in await self._carriers():
            self._field_ids.forget()
        if module not in await self._carriers():
            text = f"make a unique text field with the API name {self._reference_field} in {module} of Zoho, then retry"
            raise Refused(self.system, f"a record for client {client_id} cannot carry our reference: {text}")

    async def _carriers(self) -> list[str]:
        """Return the modules that have our field."""
        known = await self.field_ids()
        return [module for module in MODULES if f"{module}.{self._reference_field}" in known]

    async def _where(self, module: str, condition: str) -> list[CrmParty]:
        found: list[CrmParty] = []
        page, has_more = 1, True
        while has_more:
            listed = await self._page((module,), condition, page)
            found, page, has_more = [*found, *listed.items], page + 1, listed.has_more
        return found

    async def _page(self, modules: Sequence[str], condition: str, page: int) -> Page[CrmParty]:
        """Return one page of what a query finds: the query gives the ids, the records are read by them."""
        parties: list[CrmParty] = []
        has_more = False
        if page == 1:
            self._last_pages.clear()
        for module in modules:
            if page > self._last_pages.get((module, condition), page):
                continue
            listed = await self._zoho.query(_select("id", module, condition, page))
            if not listed.has_more:
                self._last_pages[module, condition] = page
            parties += await self._by_ids(module, [str(row["id"]) for row in listed.items])
            has_more = has_more or listed.has_more
        return Page(parties, has_more)

    async def _by_ids(self, module: str, ids: Sequence[str]) -> list[CrmParty]:
        parties: list[CrmParty] = []
        for start in range(0, len(ids), asking.MOST_RECORDS):
            some = ids[start : start + asking.MOST_RECORDS]
            parties += await self._parties(await self._zoho.records_by_ids(module, some, await self._fields_of(module)))
        return parties

    async def _parties(self, records: Sequence[CrmRecord]) -> list[CrmParty]:
        """Return records as parties. An account that has contacts does not stand alone: they are its clients."""
        accounts = [each.id for each in records if each.module == ACCOUNTS]
        peopled = await self._with_people(accounts) if accounts else set()
        return [self._party(each, has_people=each.id in peopled) for each in records]

    async def _with_people(self, accounts: Sequence[str]) -> set[str]:
        """Return those of the accounts that have contacts."""
        found: set[str] = set()
        for start in range(0, len(accounts), MOST_ALTERNATIVES):
            some = accounts[start : start + MOST_ALTERNATIVES]
            ids = ", ".join(f"'{asking.number(each)}'" for each in some)
            listed = await self._zoho.query(_select("Account_Name", CONTACTS, f"Account_Name in ({ids})", 1, MOST_ROWS))
            found |= {str(row["Account_Name"]["id"]) for row in listed.items if row.get("Account_Name")}
            if listed.has_more:  # some of them have so many that the others may be missing
                found |= {each for each in some if each not in found and await self._has_people(each)}
        return found

    async def _has_people(self, account: str) -> bool:
        condition = f"Account_Name = '{asking.number(account)}'"
        return bool((await self._zoho.query(_select("id", CONTACTS, condition, 1, 1))).items)

    async def _fields_of(self, module: str) -> list[str]:
        """Return the fields to ask for: those that the mapping reads, as far as the account has them."""
        known = await self.field_ids()
        return [field for field in self._wanted[module] if f"{module}.{field}" in known]

    def _party(self, record: CrmRecord, *, has_people: bool = False) -> CrmParty:
        self._modules[int(record.id)] = record.module
        values = record.values
        is_new = record.created_at is not None and datetime.now(UTC) - record.created_at < ALONE_AFTER
        return CrmParty(
            id=int(record.id),
            is_organisation=record.module == ACCOUNTS,
            document=record.document(),
            name=str(values.get("Account_Name") if record.module == ACCOUNTS else _person(values)),
            emails=[str(values[key]) for key in ("Email", "Secondary_Email") if values.get(key)],
            reference=str(values[self._reference_field]) if values.get(self._reference_field) else None,
            changed_at=record.modified_at,
            created_at=record.created_at,
            stands_alone=record.module == CONTACTS or (False if has_people else None if is_new else True),
        )


def _wanted(template: Template, module: str, reference_field: str) -> list[str]:
    mapped = [path.field for path in template.reads if isinstance(path, ZohoPath) and path.module == module]
    named = ["Account_Name"] if module == ACCOUNTS else ["First_Name", "Last_Name", "Email", "Secondary_Email"]
    return list(dict.fromkeys([*mapped, *named, "Created_Time", "Modified_Time", reference_field]))


def _select(field: str, module: str, condition: str, page: int, rows: int = ROWS) -> str:
    """Return a query for one page. Values in the condition are in quotes already, by `asking.coql_text`."""
    names = f"select {asking.name(field)} from {asking.name(module)}"  # noqa: S608 - COQL, and every part is checked
    return f"{names} where {condition} order by id asc limit {(page - 1) * rows}, {rows}"


def _person(values: Mapping[str, Any]) -> str:
    return " ".join(str(values[key]) for key in ("First_Name", "Last_Name") if values.get(key))


def _saved(doing: str, outcome: Outcome) -> str:
    if isinstance(outcome, Failed):
        raise failure(doing, outcome, repeatable=True)
    return outcome.id
