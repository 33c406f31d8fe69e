"""What is special about deals: stages that belong to pipelines, probabilities, currencies.

Source: https://www.zoho.com/crm/developer/docs/api/v8/modules-api.html, /insert-records.html. What follows from a stage
and from a currency is not in what is known of the API: it is decided here.
"""

from collections.abc import Iterator

from sandbox.ledger import Record
from sandbox.zoho_crm.account import Account
from sandbox.zoho_crm.errors import error
from sandbox.zoho_crm.fields import HOME_CURRENCY, RATES
from sandbox.zoho_crm.pipelines import default_pipeline, pipeline_named, stage_named

MOST = 10**16 - 1
"""Amounts have sixteen digits."""


def settle(account: Account, before: Record, values: Record, place: str) -> list[Record]:
    """Add to the values of a deal what follows from them, and return what is wrong between them."""
    problems = [*_out_of_range(values, place), *_mapping(account, before, values, place)]
    if not problems:
        _add_probability(account, before, values)
        if account.settings.multi_currency:
            _add_rate(before, values)
    return problems


def _out_of_range(values: Record, place: str) -> Iterator[Record]:
    for name, least, most in (("Amount", -MOST, MOST), ("Probability", 0, 100)):
        value = values.get(name)
        if value is not None and not least <= value <= most:
            where = {"api_name": name, "json_path": f"{place}.{name}"}
            yield error("INVALID_DATA", "invalid data", **where, maximum_length=len(str(most)))


def _mapping(account: Account, before: Record, values: Record, place: str) -> Iterator[Record]:
    """Give what is wrong if a deal's stage is not one of its pipeline. A deal that names no pipeline is in the
    default one, unless the layout insists on a name.
    """
    now = {**before, **values}
    stage, pipeline = stage_named(account, now.get("Stage")), pipeline_named(account, now.get("Pipeline"))
    if stage is None:
        return
    if pipeline is not None:
        if stage["id"] not in pipeline["stages"]:
            yield _mismatch(account, place)
        return
    default = default_pipeline(account)
    if default is None or account.settings.layout_rules:
        return
    if stage["id"] in default["stages"]:
        values["Pipeline"] = default["actual_value"]
    else:
        where = {"api_name": "Pipeline", "json_path": f"{place}.Pipeline"}
        yield error("DEPENDENT_FIELD_MISSING", "the dependent field is missing", **where)


def _mismatch(account: Account, place: str) -> Record:
    where = {"api_name": "Stage", "json_path": f"{place}.Stage"}
    details = {**where, "mapped_field": {"api_name": "Pipeline", "json_path": f"{place}.Pipeline"}}
    return error(account.settings.stage_mismatch, "the given value is not mapped to the other field", **details)


def _add_probability(account: Account, before: Record, values: Record) -> None:
    now = {**before, **values}
    stage = stage_named(account, now.get("Stage"))
    if stage and "Probability" not in values and before.get("Stage") != stage["actual_value"]:
        values["Probability"] = stage["probability"]
    amount, chance = now.get("Amount"), values.get("Probability", before.get("Probability"))
    values["Expected_Revenue"] = None if amount is None or chance is None else round(amount * chance / 100, 2)


def _add_rate(before: Record, values: Record) -> None:
    currency = values.get("Currency") or before.get("Currency") or HOME_CURRENCY
    moved = currency != before.get("Currency", HOME_CURRENCY) or "Exchange_Rate" not in before
    values["Currency"] = currency
    if moved and values.get("Exchange_Rate") is None:
        values["Exchange_Rate"] = RATES[currency]
