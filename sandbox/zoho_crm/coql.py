"""The query language: `select … from M where … [order by …] [limit …]`, read into a Query.

Source: https://www.zoho.com/crm/developer/docs/api/v8/COQL-Overview.html
"""

import re
from dataclasses import dataclass
from typing import Any

from sandbox.zoho_crm.conditions import Condition, Group, Test

DEFAULT_LIMIT = 200
TOKEN = re.compile(
    r"\s*(?:(?P<text>'(?:[^'\\]|\\.|'')*')|(?P<number>-?\d+(?:\.\d+)?)(?![\w.])|(?P<name>[\w$]+(?:\.[\w$]+)*)"
    r"|(?P<sign><=|>=|!=|[=<>(),]))",
    re.DOTALL,
)
QUOTED = re.compile(r"\\(.)|''", re.DOTALL)
SIGNS = {
    "=": "equal",
    "!=": "not_equal",
    "<": "less_than",
    ">": "greater_than",
    "<=": "less_equal",
    ">=": "greater_equal",
    "like": "like",
}


class WrongQuery(Exception):
    """The query cannot be read. `details` are what the answer says of it."""

    def __init__(self, **details: Any) -> None:
        super().__init__(str(details))
        self.details = details


@dataclass(frozen=True)
class Query:
    """What a query asks for. `orders` are paths, each with whether it runs downwards."""

    columns: tuple[str, ...]
    module: str
    condition: Condition
    orders: tuple[tuple[str, bool], ...]
    offset: int
    limit: int


class Parser:
    """Reads one query from left to right."""

    def __init__(self, text: str) -> None:
        self._tokens: list[tuple[str, str]] = []
        at, text = 0, text.strip()
        while at < len(text):
            found = TOKEN.match(text, at)
            if found is None or found.lastgroup is None:
                raise WrongQuery(near=text[at : at + 20])
            self._tokens.append((found.lastgroup, found[found.lastgroup]))
            at = found.end()
        self._at = 0

    def query(self) -> Query:
        """Return the whole query. Raises WrongQuery."""
        self._expect("select")
        columns = self._names()
        self._expect("from")
        module = self._take("name")
        self._expect("where", clause="where")
        condition = self._any()
        orders = self._orders() if self._is("order") else ()
        offset, limit = self._limit() if self._is("limit") else (0, DEFAULT_LIMIT)
        if self._at < len(self._tokens):
            raise WrongQuery(near=self._tokens[self._at][1])
        return Query(columns, module, condition, orders, offset, limit)

    def _names(self) -> tuple[str, ...]:
        names = [self._take("name")]
        while self._is(","):
            names.append(self._take("name"))
        return tuple(names)

    def _any(self) -> Condition:
        parts = [self._all()]
        while self._is("or"):
            parts.append(self._all())
        return parts[0] if len(parts) == 1 else Group("or", tuple(parts))

    def _all(self) -> Condition:
        parts = [self._one()]
        while self._is("and"):
            parts.append(self._one())
        return parts[0] if len(parts) == 1 else Group("and", tuple(parts))

    def _one(self) -> Condition:
        if self._is("("):
            inner = self._any()
            self._expect(")")
            return inner
        path = self._take("name")
        if self._is("is"):
            operator = "not_null" if self._is("not") else "null"
            self._expect("null")
            return Test(path, operator)
        denied = "not_" if self._is("not") else ""
        if self._is("in"):
            return Test(path, f"{denied}in", self._list())
        if self._is("between"):
            first = self._value()
            self._expect("and")
            return Test(path, f"{denied}between", (first, self._value()))
        if denied and self._is("like"):
            return Test(path, "not_like", (self._value(),))
        sign = self._next()[1].lower()
        if denied or sign not in SIGNS:
            raise WrongQuery(operator=sign)
        return Test(path, SIGNS[sign], (self._value(),))

    def _list(self) -> tuple[str, ...]:
        self._expect("(")
        values = [self._value()]
        while self._is(","):
            values.append(self._value())
        self._expect(")")
        return tuple(values)

    def _value(self) -> str:
        kind, text = self._next()
        if kind == "text":
            return QUOTED.sub(lambda found: found[1] or "'", text[1:-1])
        if kind == "number" or text.lower() in {"true", "false"}:
            return text
        raise WrongQuery(near=text)

    def _orders(self) -> tuple[tuple[str, bool], ...]:
        self._expect("by")
        orders = [self._order()]
        while self._is(","):
            orders.append(self._order())
        return tuple(orders)

    def _order(self) -> tuple[str, bool]:
        path = self._take("name")
        downwards = self._is("desc")
        if not downwards:
            self._is("asc")
        return path, downwards

    def _limit(self) -> tuple[int, int]:
        """Return offset and limit of `limit n`, `limit offset, n` or `limit n offset m`."""
        first = self._whole()
        if self._is(","):
            return first, self._whole()
        return (self._whole(), first) if self._is("offset") else (0, first)

    def _whole(self) -> int:
        text = self._take("number")
        if not text.isdigit() or len(text) > 9:
            raise WrongQuery(near=text)
        return int(text)

    def _is(self, word: str) -> bool:
        """Step over a word or sign if it comes next, and return whether it did."""
        kind, text = self._tokens[self._at] if self._at < len(self._tokens) else ("", "")
        found = kind in {"name", "sign"} and text.lower() == word
        self._at += found
        return found

    def _expect(self, word: str, **details: str) -> None:
        if not self._is(word):
            raise WrongQuery(**(details or {"near": self._near()}))

    def _take(self, kind: str) -> str:
        found, text = self._next()
        if found != kind:
            raise WrongQuery(near=text)
        return text

    def _next(self) -> tuple[str, str]:
        if self._at >= len(self._tokens):
            raise WrongQuery(near=self._near())
        self._at += 1
        return self._tokens[self._at - 1]

    def _near(self) -> str:
        left = self._tokens[self._at :] or self._tokens[-1:]
        return left[0][1] if left else ""
