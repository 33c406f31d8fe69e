"""Search and count: by criteria, email address, phone number or word, in an index that lags behind.

Source: https://www.zoho.com/crm/developer/docs/api/v8/search-records.html, /get-record-count.html
"""

from dataclasses import replace
from typing import Any

from starlette.responses import Response

from sandbox.calls import Call, Refusal
from sandbox.ledger import Record
from sandbox.zoho_crm.account import Account
from sandbox.zoho_crm.candidates import candidates
from sandbox.zoho_crm.conditions import Condition, Group, Test, check, holds
from sandbox.zoho_crm.criteria import WrongCriteria, condition_in
from sandbox.zoho_crm.errors import error, nothing, refused, said
from sandbox.zoho_crm.fields import TEXTS
from sandbox.zoho_crm.pages import DISCRETE, Order, page_of, plain_page, size_of
from sandbox.zoho_crm.reads import fields_in, is_listed
from sandbox.zoho_crm.render import full_view, view

WAYS = ("criteria", "email", "phone", "word")


class Search:
    """Of several ways that are asked for, the first in the order of `WAYS` is taken."""

    def __init__(self, account: Account) -> None:
        self._account = account

    def search(self, call: Call) -> Response:
        """A page of what is found, in full unless fields are named; 204 if nothing is."""
        module, way = self._account.module_in(call), _way(call)
        if way is None:
            raise refused("EXPECTED_PARAM_MISSING", "one of the expected params is missing", param_names=list(WAYS))
        size = size_of(call)
        try:
            page_of(call, size)
        except Refusal as refusal:
            limited = refusal.body["code"] == "DISCRETE_PAGINATION_LIMIT_EXCEEDED"
            body = error("LIMIT_REACHED", "the limit is reached", limit=DISCRETE) if limited else refusal.body
            raise Refusal(400, body) from refusal
        order, names = Order.read(call), fields_in(call) if "fields" in call.query else None
        found = sorted(self._found(call, module, way), key=order.key, reverse=order.descending)
        if not found:
            return nothing()
        account = self._account
        return said(
            plain_page(
                call,
                found[:DISCRETE],
                lambda each: full_view(account, module, each) if names is None else view(account, module, each, names),
            )
        )

    def count(self, call: Call) -> Response:
        """How many records there are, or how many a search finds."""
        module, way = self._account.module_in(call), _way(call)
        if way is not None:
            return said({"count": len(self._found(call, module, way))})
        converted = call.query.get("converted", "false")
        return said({"count": sum(is_listed(each, converted) for each in self._account.records.all(module))})

    def _found(self, call: Call, module: str, way: str) -> list[Record]:
        account, condition = self._account, self._condition(module, way, call.query[way])
        converted, among = call.query.get("converted", "false"), candidates(account, module, condition)
        rows = [each for each in account.listed(module, "search", among) if is_listed(each, converted)]
        return [each for each in rows if holds(account, module, each, condition)]

    def _condition(self, module: str, way: str, text: str) -> Condition:
        if way == "criteria":
            return self._criteria(module, text)
        kinds: tuple[Any, ...] = TEXTS if way == "word" else (way,)
        operator = "like" if way == "word" else "equal"
        wanted = f"%{text}%" if way == "word" else text
        names = [name for name, field in self._account.schema.fields(module).items() if field.data_type in kinds]
        return Group("or", tuple(Test(name, operator, (wanted,)) for name in names))

    def _criteria(self, module: str, text: str) -> Condition:
        try:
            condition = condition_in(text)
        except WrongCriteria as wrong:
            raise refused(
                "INVALID_QUERY", "Invalid query formed", operator=wrong.operator, reason=wrong.reason
            ) from wrong
        problem = check(self._account, module, condition)
        if problem:
            raise refused("INVALID_QUERY", "Invalid query formed", column_name=problem[0], reason=problem[1])
        return self._loose(module, condition) if self._account.settings.equals_contains else condition

    def _loose(self, module: str, condition: Condition) -> Condition:
        """Return the condition with `equals` on texts as `contains a word`, which has been seen on some types."""
        if isinstance(condition, Group):
            return Group(condition.word, tuple(self._loose(module, part) for part in condition.parts))
        field = self._account.schema.path(module, condition.path)
        text = field is not None and field.data_type in {"text", "textarea"} and not field.unique
        return replace(condition, operator="contains_word") if text and condition.operator == "equal" else condition


def _way(call: Call) -> str | None:
    return next((way for way in WAYS if call.query.get(way)), None)
