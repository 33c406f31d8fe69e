"""Answers queries from the records as they are now: nothing lags here.

Source: https://www.zoho.com/crm/developer/docs/api/v8/COQL-Overview.html
"""

import functools
from typing import Any

from starlette.responses import Response

from sandbox.calls import Call
from sandbox.ledger import Record
from sandbox.past import Lag
from sandbox.zoho_crm.account import Account
from sandbox.zoho_crm.bodies import object_in
from sandbox.zoho_crm.candidates import candidates
from sandbox.zoho_crm.conditions import check, holds, value_at
from sandbox.zoho_crm.coql import Parser, Query, WrongQuery
from sandbox.zoho_crm.errors import nothing, refused, said
from sandbox.zoho_crm.modules import MODULES
from sandbox.zoho_crm.render import shown

MOST, FARTHEST = 2_000, 100_000


class Queries:
    """The one call that takes queries."""

    def __init__(self, account: Account) -> None:
        self._account = account

    def run(self, call: Call) -> Response:
        """The rows that a query finds; 204 if it finds none. Without an order they come by id."""
        body = object_in(call)
        query = self._checked(body.get("select_query"))
        account, module = self._account, query.module
        found = account.records.listed(module, Lag(), candidates(account, module, query.condition))
        rows = [each for each in found if holds(account, module, each, query.condition)]
        for path, downwards in reversed(query.orders):
            rows.sort(key=functools.partial(self._sortable, module, path), reverse=downwards)
        page = rows[query.offset : query.offset + query.limit]
        if not page:
            return nothing()
        info = {"count": len(page), "more_records": query.offset + query.limit < len(rows)}
        answered: Record = {"data": [self._row(module, each, query.columns) for each in page], "info": info}
        if isinstance(body.get("include_meta"), list) and "fields" in body["include_meta"]:
            answered["fields"] = {name: {"data_type": self._type(module, name)} for name in query.columns}
        return said(answered)

    def _checked(self, text: Any) -> Query:
        if not isinstance(text, str) or not text.strip():
            where: Record = {"api_name": "select_query", "json_path": "$.select_query"}
            raise refused("MANDATORY_NOT_FOUND", "mandatory key not found", **where)
        try:
            query = Parser(text).query()
        except WrongQuery as wrong:
            raise refused("SYNTAX_ERROR", "error occurred while parsing the query", **wrong.details) from wrong
        if query.module not in MODULES:
            raise refused("INVALID_MODULE", "the given module is not supported in api", module=query.module)
        if query.limit < 1:
            raise refused("INVALID_DATA", "limit should be greater than 0", clause="limit")
        if query.limit > MOST or query.offset + query.limit > FARTHEST:
            raise refused("LIMIT_EXCEEDED", "the limit is exceeded", limit=MOST)
        for column in (*query.columns, *(path for path, _ in query.orders)):
            if self._account.schema.path(query.module, column) is None:
                raise refused("INVALID_QUERY", "invalid query formed", column_name=column)
        problem = check(self._account, query.module, query.condition)
        if problem:
            raise refused("INVALID_QUERY", "invalid query formed", column_name=problem[0], reason=problem[1])
        return query

    def _row(self, module: str, record: Record, columns: tuple[str, ...]) -> Record:
        found = {column: self._column(module, record, column) for column in columns}
        return {**found, "id": record["id"]}

    def _column(self, module: str, record: Record, path: str) -> Any:
        account, field = self._account, self._account.schema.path(module, path)
        if field is None or field.api_name == "id":
            return value_at(account, module, record, path)
        return shown(account, field, {**record, field.api_name: value_at(account, module, record, path)})

    def _sortable(self, module: str, path: str, record: Record) -> tuple[bool, Any]:
        value = value_at(self._account, module, record, path)
        plain = value if isinstance(value, int | float) else str(value).casefold()
        return value is not None, "" if value is None else plain

    def _type(self, module: str, name: str) -> str:
        field = self._account.schema.path(module, name)
        return field.data_type if field else "text"
