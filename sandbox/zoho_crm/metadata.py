"""What the account says about itself: modules, fields, users, the organisation.

Source: https://www.zoho.com/crm/developer/docs/api/v8/modules-api.html, /field-meta.html, /get-users.html,
/get-org-data.html
"""

import re
from collections.abc import Callable
from typing import Any

from starlette.responses import Response

from sandbox.calls import Call, Refusal
from sandbox.ledger import Record
from sandbox.zoho_crm.account import ORGANISATION_ID, ZGID, Account, number_of
from sandbox.zoho_crm.bodies import many_of, object_in
from sandbox.zoho_crm.errors import bad_parameter, failure, invalid, missing_parameter, nothing, refused, said, success
from sandbox.zoho_crm.fields import HOME_CURRENCY, SYMBOLS, Field
from sandbox.zoho_crm.modules import ARRANGED, FIRST_FIELD, MODULES, STANDARD
from sandbox.zoho_crm.pages import plain_page
from sandbox.zoho_crm.pipelines import picks

UNIQUE_TYPES = {"text", "email", "phone", "integer", "bigint", "website"}
MADE_TYPES = {*UNIQUE_TYPES, "textarea", "picklist", "multiselectpicklist", "double", "currency", "boolean", "date"}
MADE_TYPES |= {"datetime"}
USERS: dict[str, Callable[[Record], bool]] = {
    "AllUsers": lambda _: True,
    "ActiveUsers": lambda user: user["status"] == "active",
    "DeactiveUsers": lambda user: user["status"] == "disabled",
    "DeletedUsers": lambda user: user["status"] == "deleted",
    "ConfirmedUsers": lambda user: user["confirm"],
    "NotConfirmedUsers": lambda user: not user["confirm"],
    "ActiveConfirmedUsers": lambda user: user["status"] == "active" and user["confirm"],
    "AdminUsers": lambda user: user["profile"]["name"] == "Administrator",
    "ActiveConfirmedAdmins": lambda user: user["status"] == "active" and user["profile"]["name"] == "Administrator",
}
NUMBERS = {
    (module, name): FIRST_FIELD + 100 * place + number
    for place, (module, fields) in enumerate(STANDARD.items())
    for number, name in enumerate(fields)
}
"""Ids of the standard fields."""


class Metadata:
    """Read by clients when they start, the vendor's own too."""

    def __init__(self, account: Account) -> None:
        self._account = account

    def modules(self, _call: Call) -> Response:
        """Every module of the stand-in."""
        return said({"modules": [_module_view(name) for name in MODULES]})

    def fields(self, call: Call) -> Response:
        """The fields of a module."""
        module = _module(call)
        views = {name: field_view(module, field) for name, field in self._account.schema.fields(module).items()}
        if module == "Deals":
            for kind, name in ARRANGED.items():
                views[name]["pick_list_values"] = picks(self._account, kind)
        return said({"fields": list(views.values())})

    def make_fields(self, call: Call) -> Response:
        """New fields: 201. What this call looks like is not known; where the settings say so there is none."""
        if not self._account.settings.fields_api:
            raise Refusal(404, failure(404))
        module, results = _module(call), []
        for number, draft in enumerate(many_of(object_in(call), "fields", 5)):
            try:
                made = make_field(self._account, module, draft, f"$.fields[{number}]")
                results.append(success("field created", id=made["id"], api_name=made["api_name"]))
            except Refusal as refusal:
                results.append(refusal.body)
        failed = sum(each["status"] == "error" for each in results)
        return said({"fields": results}, 201 if not failed else 400 if failed == len(results) else 207)

    def users(self, call: Call) -> Response:
        """A page of users of a type; 204 if there are none."""
        wanted = call.query.get("type", "AllUsers")
        if wanted != "CurrentUser" and wanted not in USERS:
            raise bad_parameter("type", supported_values=["CurrentUser", *USERS])
        users = self._account.records.all("user")
        if wanted == "CurrentUser":
            found = [each for each in users if each["id"] == str(call.token["user_id"])]
        else:
            found = [each for each in users if USERS[wanted](each)]
        return said(plain_page(call, found, lambda each: each, "users")) if found else nothing()

    def user(self, call: Call) -> Response:
        """One user; 204 if there is none."""
        user = self._account.records.get("user", number_of(call.params["id"]))
        return said({"users": [user]}) if user else nothing()

    def organisation(self, _call: Call) -> Response:
        """The organisation."""
        return said({"org": [organisation(self._account)]})


def organisation(account: Account) -> Record:
    """Return the organisation."""
    return {
        "id": str(ORGANISATION_ID),
        "zgid": ZGID,
        "company_name": "Sandbox GmbH",
        "primary_email": "admin@sandbox.example",
        "time_zone": account.settings.time_zone,
        "currency": "Euro - EUR",
        "iso_code": HOME_CURRENCY,
        "currency_symbol": SYMBOLS[HOME_CURRENCY],
        "country_code": "DE",
        "type": "production",
        "license_details": {"paid": True, "paid_type": "enterprise"},
    }


def make_field(account: Account, module: str, draft: Any, place: str) -> Record:
    """Make a custom field and return it as stored. Raises what Zoho says of it."""
    if not isinstance(draft, dict):
        raise invalid("fields", place, expected_data_type="jsonobject")
    label, kind = draft.get("field_label"), draft.get("data_type")
    if not isinstance(label, str) or not label.strip():
        raise refused("MANDATORY_NOT_FOUND", "required field not found", api_name="field_label", json_path=place)
    if not isinstance(kind, str) or kind not in MADE_TYPES:
        raise invalid("data_type", place, supported_values=sorted(MADE_TYPES))
    unique, length = draft.get("unique"), draft.get("length", 255)
    if isinstance(unique, dict) and unique and kind not in UNIQUE_TYPES:
        raise invalid("unique", place, supported_values=sorted(UNIQUE_TYPES))
    name = re.sub(r"[^0-9A-Za-z]+", "_", label).strip("_") or "Field"
    if account.schema.get(module, name):
        raise refused("DUPLICATE_DATA", "duplicate data", api_name="field_label", json_path=f"{place}.field_label")
    number = account.records.next_id("field")
    texts = [each for each in _list(draft.get("pick_list_values")) if isinstance(each, dict)]
    record = {
        "module": module,
        "number": number,
        "api_name": name,
        "label": label,
        "data_type": kind,
        "length": length if type(length) is int else 255,
        "unique": _uniqueness(unique),
        "values": [str(each.get("actual_value", each.get("display_value"))) for each in texts],
    }
    account.records.commit("create", "field", number, record)
    return {**record, "id": str(number)}


def field_view(module: str, field: Field) -> Record:
    """Return a field as the API shows it."""
    label, writable = field.label or field.api_name.replace("_", " "), not field.read_only
    picks = [
        {"id": str(number), "display_value": text, "actual_value": text, "reference_value": text, "type": "used"}
        | {"sequence_number": number, "colour_code": None}
        for number, text in enumerate(field.values, 1)
    ]
    return {
        "id": str(field.number or NUMBERS[module, field.api_name]),
        "api_name": field.api_name,
        "field_label": label,
        "display_label": label,
        "data_type": "text" if field.data_type == "tags" else field.data_type,
        "json_type": field.json_type,
        "length": field.length,
        "system_mandatory": field.mandatory,
        "custom_field": field.custom,
        "read_only": field.read_only,
        "field_read_only": field.read_only,
        "visible": True,
        "searchable": True,
        "filterable": True,
        "decimal_place": 2 if field.data_type in {"double", "currency"} else None,
        "unique": {"casesensitive": field.unique == "sensitive"} if field.unique else {},
        "external": None,
        "lookup": {"module": {"api_name": field.lookup, "id": str(MODULES[field.lookup].number)}}
        if field.lookup
        else {},
        "multi_module_lookup": {},
        "pick_list_values": picks,
        "operation_type": dict.fromkeys(("web_create", "web_update", "api_create", "api_update"), writable),
        "associated_module": None,
        "subform": None,
        "formula": {},
        "auto_number": {},
        "currency": {},
    }


def _module_view(name: str) -> Record:
    module = MODULES[name]
    return {
        "id": str(module.number),
        "api_name": name,
        "module_name": name,
        "singular_label": module.singular,
        "plural_label": name,
        "generated_type": "default",
        **dict.fromkeys(("api_supported", "creatable", "editable", "deletable", "viewable"), True),
        "profiles": [{"name": "Administrator", "id": "4876876000000000026"}],
    }


def _module(call: Call) -> str:
    name = call.query.get("module")
    if name is None:
        raise missing_parameter("module")
    if name not in MODULES:
        raise refused("INVALID_MODULE", "the module name given seems to be invalid", param_name="module")
    return name


def _uniqueness(unique: Any) -> str:
    if not isinstance(unique, dict) or not unique:
        return ""
    return "sensitive" if unique.get("casesensitive") is True else "insensitive"


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
