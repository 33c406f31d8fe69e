"""Zoho CRM's envelopes, pages and results. Source: https://www.zoho.com/crm/developer/docs/api/v8/get-records.html"""

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from connectors.answers import Answer, Page
from connectors.models import Record
from connectors.zoho_crm.models import Channel, Conversion, CrmRecord, Failed, Outcome, RecordPage, Saved, Written
from connectors.zoho_crm.problems import meaning, problems_of, results_of

R = TypeVar("R", bound=Record)
T = TypeVar("T")

EMPTY = (204, 304)


def records_of(module: str) -> Callable[[Answer], RecordPage]:
    """Return a reader of one page of records. Empty answers (204, 304) are empty pages."""

    def read(answer: Answer) -> RecordPage:
        if answer.status in EMPTY:
            return RecordPage([], has_more=False, next_token=None)
        said = answer.json()
        info = said.get("info") or {}
        found = [_record(module, each) for each in said["data"]]
        return RecordPage(found, bool(info.get("more_records")), info.get("next_page_token") or None)

    return read


def listed(module: str) -> Callable[[Answer], RecordPage]:
    """Return a reader of one page of a list, every page of which leads to the next."""

    def read(answer: Answer) -> RecordPage:
        page = records_of(module)(answer)
        if page.has_more and not isinstance(page.next_token, str):
            raise ValueError("there are more records and no way to them")
        return page

    return read


def _record(module: str, said: dict[str, Any]) -> CrmRecord:
    values = ids_as_text(said)
    return CrmRecord.model_validate({**values, "module": module, "values": values})


def ids_as_text(value: Any) -> Any:
    """Return the same value with every `id` in it as text."""
    if isinstance(value, list):
        return [ids_as_text(each) for each in value]
    if not isinstance(value, dict):
        return value
    return {key: str(each) if key == "id" and type(each) is int else ids_as_text(each) for key, each in value.items()}


def page_of(key: str, model: type[R]) -> Callable[[Answer], Page[R]]:
    """Return a reader of one page of the list under `key`."""

    def read(answer: Answer) -> Page[R]:
        if answer.status in EMPTY:
            return Page([], has_more=False)
        said = answer.json()
        more = bool((said.get("info") or {}).get("more_records"))
        return Page([model.model_validate(each) for each in said[key]], more)

    return read


def rows(answer: Answer) -> Page[dict[str, Any]]:
    """Read the rows of a query."""
    if answer.status in EMPTY:
        return Page([], has_more=False)
    said = answer.json()
    found = [dict(ids_as_text(each)) for each in said["data"]]
    return Page(found, bool((said.get("info") or {}).get("more_records")))


def count(answer: Answer) -> int:
    """Read a number of records."""
    return 0 if answer.status in EMPTY else int(answer.json()["count"])


def first_of(key: str, model: type[R]) -> Callable[[Answer], R]:
    """Return a reader of the only object of the list under `key`."""
    return lambda answer: model.model_validate(answer.json()[key][0])


def texts(record: CrmRecord, fields: Sequence[str]) -> set[str]:
    """Return what stands in these fields of a record as text, in one case."""
    said = [record.values.get(each) for each in fields]
    return {each.strip().casefold() for each in said if isinstance(each, str)}


def refused_or_done(answer: Answer) -> Failed | None:
    """Read an answer whose status says it all, unless its first result is a refusal."""
    result = next(iter(results_of(answer.json_or_none())), None)
    return _failed(result, answer.status) if result and result["status"] == "error" else None


def outcomes(expected: int) -> Callable[[Answer], list[Outcome]]:
    """Return a reader of the results of a write, one for each record, in the order of the records."""

    def read(answer: Answer) -> list[Outcome]:
        found = [_outcome(each, answer.status) for each in results_of(answer.json())]
        if len(found) == expected:
            return found
        # One complaint for all of them: the request was turned down as it stood.
        if len(found) == 1 and isinstance(found[0], Failed):
            return found * expected
        raise ValueError("there are not as many results as records")

    return read


def single(read: Callable[[dict[str, Any]], T]) -> Callable[[Answer], T | Failed]:
    """Return a reader of the one result of a request; `read` is given its details."""

    def read_result(answer: Answer) -> T | Failed:
        result = results_of(answer.json())[0]
        return _failed(result, answer.status) if result["status"] == "error" else read(_details(result))

    return read_result


def _outcome(said: dict[str, Any], status: int) -> Outcome:
    if said["status"] == "error":
        return _failed(said, status)
    written = Written.model_validate(_details(said))
    return Saved(written.id, said.get("action"), said.get("duplicate_field"), written.modified_at)


def _failed(said: dict[str, Any], status: int) -> Failed:
    duplicate = _duplicate(_details(said)) if said["code"] == "DUPLICATE_DATA" else None
    return Failed(problems_of(said), duplicate, status, meaning(said, status))


def _details(said: dict[str, Any]) -> dict[str, Any]:
    found = said.get("details")
    return found if isinstance(found, dict) else {}


def _duplicate(details: dict[str, Any]) -> str | None:
    record = details.get("duplicate_record")
    return _id(details) or (_id(record) if isinstance(record, dict) else None)


def _id(said: dict[str, Any]) -> str | None:
    found = said.get("id")
    return str(found) if found else None


def conversion(details: dict[str, Any]) -> Conversion:
    """Read what became of a lead."""
    contact, account, deal = (_id(details.get(key) or {}) for key in ("Contacts", "Accounts", "Deals"))
    job = details.get("job_id")
    return Conversion(contact, account, deal, str(job) if job else None)


def subscribed(details: dict[str, Any]) -> list[Channel]:
    """Read what a channel listens to: a row for each module."""
    return [Channel.model_validate(each) for each in details["events"]]
