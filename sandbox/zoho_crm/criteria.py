"""The criteria of searches: `((Last_Name:equals:Okafor)and(Email:starts_with:ada))`.

Source: https://www.zoho.com/crm/developer/docs/api/v8/search-records.html
"""

import re

from sandbox.zoho_crm.conditions import Condition, Group, Test, tests_in

MOST = 10
NAMES = {
    "equals": "equal",
    "not_equal": "not_equal",
    "starts_with": "starts_with",
    "in": "in",
    "greater_equal": "greater_equal",
    "greater_than": "greater_than",
    "less_equal": "less_equal",
    "less_than": "less_than",
    "between": "between",
}
ESCAPED = re.compile(r"\\(.)", re.DOTALL)
COMMA = re.compile(r"((?:[^,\\]|\\.)*)(?:,|$)", re.DOTALL)
LEAF = re.compile(r"((?:[^()\\]|\\.)*)\)", re.DOTALL)
WORD = re.compile(r"\s*(and|or)\s*", re.IGNORECASE)


class WrongCriteria(Exception):
    """The criteria cannot be read; the operator is named where it is at fault."""

    def __init__(self, reason: str, operator: str = "") -> None:
        super().__init__(reason)
        self.reason, self.operator = reason, operator


def condition_in(text: str) -> Condition:
    """Return the condition that a text spells out, with or without parentheses around it. Raises WrongCriteria."""
    text = text.strip()
    found, end = _group(text if text.startswith("(") else f"({text})", 0)
    if text.startswith("(") and text[end:].strip():
        found, end = _group(f"({text})", 0)
        if end != len(text) + 2:
            raise WrongCriteria("the parentheses do not match")
    if sum(1 for _ in tests_in(found)) > MOST:
        raise WrongCriteria("at most 10 conditions")
    return found


def _group(text: str, at: int) -> tuple[Condition, int]:
    """Return the condition in the parentheses that open at a place, and the place behind them."""
    if text[at : at + 1] != "(":
        raise WrongCriteria("an opening parenthesis is missing")
    if text[at + 1 : at + 2] != "(":
        found = LEAF.match(text, at + 1)
        if found is None:
            raise WrongCriteria("a closing parenthesis is missing")
        return _test(found[1]), found.end()
    condition, at = _group(text, at + 1)
    while text[at : at + 1] != ")":
        word = WORD.match(text, at)
        if word is None:
            raise WrongCriteria("`and` or `or` is missing between two conditions")
        other, at = _group(text, word.end())
        condition = Group(word[1].lower(), (condition, other))
    return condition, at + 1


def _test(text: str) -> Test:
    name, _, rest = text.partition(":")
    operator, colon, value = rest.partition(":")
    if operator not in NAMES or not colon:
        raise WrongCriteria("the operator is not supported", operator)
    if operator not in {"in", "between"}:
        return Test(name.strip(), NAMES[operator], (_plain(value),))
    values = tuple(_plain(each) for each in COMMA.findall(value) if each)
    if not values or (operator == "between" and len(values) != 2) or len(values) > 100:
        raise WrongCriteria("the number of values is not right", operator)
    return Test(name.strip(), NAMES[operator], values)


def _plain(value: str) -> str:
    return ESCAPED.sub(r"\1", value).strip()
