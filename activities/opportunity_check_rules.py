"""What the pipelines, fields and people of two accounts mean for a sync of opportunities: pure judgements."""

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from pydantic import BaseModel

from activities.document_sides import Staff
from activities.opportunity_crm import Milestone
from activities.watch_models import Finding
from connectors.oauth import Provider

MOST_NAMED = 10  # people or milestones in one line


class Owner(BaseModel):
    """A user of a CRM, who may own opportunities: the id there, and the email address if there is one."""

    id: str
    email: str = ""


@dataclass(frozen=True)
class OpportunityNames:
    """What the settings of opportunities name in the CRM: milestones, and custom fields by what they show."""

    estimate_from: Sequence[str] = ()
    milestones: Sequence[str] = ()
    invoice_fields: Mapping[str, str] = field(default_factory=dict)


def judge_milestones(names: OpportunityNames, known: Sequence[Milestone]) -> list[Finding]:
    """Look for the milestones that the settings name: one that does not exist would never be reached."""
    findings = [
        _unknown_milestone(setting, name, known)
        for setting, given in (("estimate_from", names.estimate_from), ("milestones", names.milestones))
        for name in given
        if not any(each.is_named(name) for each in known)
    ]
    if not findings:
        findings.append(Finding(level="ok", text="opportunities: every milestone that the settings name exists"))
    pipelines = dict.fromkeys(each.pipeline for each in known if each.pipeline)
    without = [each for each in pipelines if not _has_estimates(each, names.estimate_from, known)]
    if names.estimate_from and without and len(without) < len(pipelines):
        text = f"opportunities: {_quoted(without)} has no milestone of estimate_from, so nothing in it gets an estimate"
        findings.append(Finding(level="note", text=text))
    return findings


def judge_invoice_fields(provider: Provider, names: OpportunityNames, known: Sequence[str]) -> list[Finding]:
    """Look for the custom fields of opportunities that are to show the invoice."""
    there = set(known)
    missing = {shown: name for shown, name in names.invoice_fields.items() if name not in there}
    findings = [
        Finding(
            level="wrong",
            text=f"opportunities.invoice_fields.{shown}: opportunities have no custom field “{name}”; make a text field"
            f" of that name in {provider.title}, or run `ledgerline connect {provider.system}`",
        )
        for shown, name in missing.items()
    ]
    if names.invoice_fields and not missing:
        shown = _quoted(list(names.invoice_fields.values()))
        findings.append(Finding(level="ok", text=f"opportunities.invoice_fields: {shown} exist"))
    return findings


def judge_owners(crm: str, owners: Sequence[Owner], staff: Staff, default_owner: str) -> Finding:
    """Say which users of the CRM FreshBooks does not know by their email address, and who stands in for them.

    The text names people: it is for the doctor's terminal alone.
    """
    strangers = [each for each in owners if staff.id_of(each.email) is None]
    fallback = staff.id_of(default_owner)
    if default_owner and fallback is None:
        text = f"opportunities.default_owner is no member of FreshBooks' staff: {default_owner}; correct the address"
        return Finding(level="wrong", text=f"owners: {text}, or estimates of strangers get no owner")
    if not strangers:
        text = f"owners: all {len(owners)} users of {crm} are staff of FreshBooks, by email address"
        return Finding(level="ok", text=text)
    named = ", ".join(f"user {each.id} ({each.email or 'no email address'})" for each in strangers[:MOST_NAMED])
    more = f" and {len(strangers) - MOST_NAMED} more" if len(strangers) > MOST_NAMED else ""
    text = f"owners: {len(strangers)} of {len(owners)} users of {crm} are not staff of FreshBooks: {named}{more}"
    if fallback is not None:
        stands_in = f"their estimates belong to opportunities.default_owner, staff {fallback} ({default_owner})"
        return Finding(level="note", text=f"{text}; {stands_in}")
    advice = "invite them in FreshBooks under the same address, or set opportunities.default_owner"
    return Finding(level="warning", text=f"{text}; their estimates name no owner: {advice}")


def _unknown_milestone(setting: str, name: str, known: Sequence[Milestone]) -> Finding:
    there = [f"{each.pipeline} / {each.name}" if each.pipeline else each.name for each in known]
    near = sorted(there, key=lambda each: -difflib.SequenceMatcher(None, name, each.rpartition(" / ")[2]).ratio())
    text = f"opportunities.{setting} names “{name}”, and no pipeline has such a milestone, so it is never reached"
    return Finding(level="wrong", text=f"{text}. There are: {_quoted(near[:MOST_NAMED]) or 'none at all'}")


def _has_estimates(pipeline: str, estimate_from: Sequence[str], known: Sequence[Milestone]) -> bool:
    return any(each.pipeline == pipeline and each.is_named(name) for each in known for name in estimate_from)


def _quoted(names: Sequence[str]) -> str:
    return ", ".join(f"“{each}”" for each in dict.fromkeys(names))
