"""How records end, come back and turn into others: what people do in the web interface, and the conversion of leads.

Source: https://www.zoho.com/crm/developer/docs/api/v8/convert-lead.html. Merging, restoring and emptying the recycle
bin are not in what is known of the API: how they show is decided here.
"""

from starlette.responses import Response

from sandbox.calls import Call, Refusal
from sandbox.ledger import Record
from sandbox.zoho_crm.account import PERSON, Account
from sandbox.zoho_crm.bodies import object_in, one_of
from sandbox.zoho_crm.errors import refused, said, success, unknown_id
from sandbox.zoho_crm.modules import MODULES
from sandbox.zoho_crm.notices import Notices
from sandbox.zoho_crm.values import Values
from sandbox.zoho_crm.writing import FIRST, create, delete, refer_to, store

KEPT = {"id", "Owner", "Created_By", "Created_Time", "Modified_By", "Modified_Time"}
"""What a winner never takes from the record that is merged into it."""

TAKEN_OVER = {
    **{name: name for name in ("First_Name", "Last_Name", "Salutation", "Email", "Secondary_Email", "Phone", "Mobile")},
    **{name: name for name in ("Fax", "Lead_Source", "Description", "Tag", "Email_Opt_Out")},
    "Designation": "Title",
    "Street": "Mailing_Street",
    "City": "Mailing_City",
    "State": "Mailing_State",
    "Zip_Code": "Mailing_Zip",
    "Country": "Mailing_Country",
}
"""Where the values of a lead stand in the contact that it becomes."""


def merge(account: Account, module: str, winner_id: int, body: Record) -> Record:
    """Merge the record in `loser` into another one of its module, and return that one. What referred to the loser then
    refers to the winner; the loser lies in the recycle bin, and nothing says who won.
    """
    winner, loser = account.get(module, winner_id), account.get(module, body.get("loser"))
    if winner is None or loser is None or winner["id"] == loser["id"]:
        raise Refusal(422, {"error": "two different records of one module can be merged"})
    empty = {name: value for name, value in loser.items() if name not in KEPT and winner.get(name) is None}
    referring = {name for other, name in account.schema.referring(module) if other == module}
    filled = {name: value for name, value in empty.items() if not (name in referring and value == winner["id"])}
    refer_to(account, module, loser["id"], winner["id"], PERSON)
    merged = store(account, module, account.get(module, winner_id) or winner, filled, PERSON)
    delete(account, module, loser, PERSON)
    return merged


def restore(account: Account, module: str, record_id: int, _body: Record) -> Record:
    """Bring a record back out of the recycle bin under its id, and return it. What referred to it does not again."""
    grave = account.records.graves[module].get(record_id)
    if grave is None or grave.get("$purged"):
        raise Refusal(404, {"error": "there is no such record in the recycle bin"})
    gone = {name for name, field in account.schema.fields(module).items() if field.lookup}
    lost = {name for name in gone if account.get(account.schema.fields(module)[name].lookup, grave.get(name)) is None}
    record = {name: value for name, value in grave.items() if name not in lost and not name.startswith("$deleted")}
    record |= {"Modified_By": str(PERSON), "Modified_Time": account.stamp()}
    account.records.commit("restore", module, record_id, record)
    return record


def purge(account: Account, module: str, record_id: int, _body: Record) -> Record:
    """Delete a record for good, out of the recycle bin."""
    grave = account.records.graves[module].get(record_id)
    if grave is None:
        raise Refusal(404, {"error": "there is no such record in the recycle bin"})
    gone = {**grave, "$purged": True, "$deleted_time": account.stamp()}
    account.records.commit("delete", module, record_id, gone)
    return gone


class Conversion:
    """Leads that become contacts."""

    def __init__(self, account: Account, notices: Notices) -> None:
        self._account, self._notices = account, notices

    def convert(self, call: Call) -> Response:
        """A contact, an account and, if one is asked for, a deal out of a lead: 200."""
        draft = one_of(object_in(call))[0]
        lead = self._account.get("Leads", call.params["id"])
        if lead is None:
            raise unknown_id(FIRST)
        if lead.get("$converted"):
            raise refused("ID_ALREADY_CONVERTED", "id already converted", id=lead["id"])
        with self._notices.together():
            found = convert(self._account, lead, draft if isinstance(draft, dict) else {}, call.token["user_id"])
        return said({"data": [success("The record has been converted successfully", **found)]})


def convert(account: Account, lead: Record, draft: Record, user_id: int) -> Record:
    """Turn a lead into other records and return their short forms. A deal that is refused leaves the rest made."""
    owner = (
        Values(account, FIRST).take(account.schema.fields("Leads")["Owner"], draft.get("assign_to")) or lead["Owner"]
    )
    given = {module: _given(account, module, draft) for module in ("Accounts", "Contacts")}
    deal = draft.get("Deals")
    if deal is not None and (not isinstance(deal, dict) or not deal.get("Deal_Name") or not deal.get("Stage")):
        raise refused("MANDATORY_NOT_FOUND", "required field not found", api_name="Deals", json_path=f"{FIRST}.Deals")
    firm = given["Accounts"] or _firm(account, lead, owner, user_id)
    contact = given["Contacts"] or _contact(account, lead, firm, owner, user_id)
    made = {"Contacts": contact, "Accounts": firm, "Deals": None}
    if isinstance(deal, dict):
        ties = {"Contact_Name": {"id": contact["id"]}, **({"Account_Name": {"id": firm["id"]}} if firm else {})}
        made["Deals"] = create(account, "Deals", {**deal, **ties, "Owner": {"id": owner}}, user_id)
    found = {name: account.record_short(name, each["id"]) if each else None for name, each in made.items()}
    detail = {MODULES[name].singular.lower(): each for name, each in found.items() if each}
    store(account, "Leads", lead, {"$converted": True, "$converted_detail": detail}, user_id)
    return found


def _given(account: Account, module: str, draft: Record) -> Record | None:
    """Return the record that a lead is to be joined to, or None. Raises INVALID_DATA."""
    named = draft.get(module)
    if not isinstance(named, dict) or "id" not in named:
        return None
    record = account.get(module, named["id"])
    if record is None:
        raise unknown_id(f"{FIRST}.{module}")
    return record


def _firm(account: Account, lead: Record, owner: str, user_id: int) -> Record | None:
    """Return the account of the lead's company: the oldest of that name, or a new one."""
    name = lead.get("Company")
    if not name:
        return None
    known = account.index.find("Accounts", "Account_Name", name)
    if known:
        return account.get("Accounts", known[0])
    draft = {"Account_Name": name, "Website": lead.get("Website"), "Owner": {"id": owner}}
    return create(account, "Accounts", draft, user_id)


def _contact(account: Account, lead: Record, firm: Record | None, owner: str, user_id: int) -> Record:
    draft = {there: lead.get(here) for here, there in TAKEN_OVER.items()}
    tie = {"Account_Name": {"id": firm["id"]}} if firm else {}
    return create(account, "Contacts", {**draft, **tie, "Owner": {"id": owner}}, user_id)
