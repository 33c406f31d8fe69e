"""What a person means who names a record: `7`, `capsule:7`, `client:90001`, or the id of a workflow."""

import re
from dataclasses import dataclass

from starters.record_names import DOCUMENTS, KINDS, OPPORTUNITIES_FLOW, Named
from store.status import RecordLine

OF_OPPORTUNITIES = (OPPORTUNITIES_FLOW, *DOCUMENTS, "projects")
"""An opportunity has a link and a log for each of its documents."""
SYSTEMS = {"capsule": "crm", "zoho_crm": "crm", "freshbooks": "books"}
# An id of a workflow ends with the kind and the number of its record: client-upsert/acme/capsule-party-7.
OF_WORKFLOW = re.compile(r"[^/]+/[^/]+/(?:.*-)?([a-z]+)-(\d+)")


@dataclass(frozen=True)
class Asked:
    """What somebody looks for: an id, of one kind or on one side if they said so."""

    record_id: str
    named: Named | None = None
    side: str | None = None

    def fits(self, line: RecordLine) -> bool:
        """Return whether a record is what was asked for: ids of two systems may be the same."""
        side = self.named.side if self.named else self.side
        flows = (*self.named.flows, *(OF_OPPORTUNITIES if self.named.flows == DOCUMENTS else ())) if self.named else ()
        if flows and line.flow not in flows:
            return False
        ids = {line.side: line.record_id, "crm" if line.side == "books" else "books": line.partner_id}
        # The one it was merged into has another id, and is what was meant.
        return side is None or ids[side] == self.record_id or self.record_id not in ids.values()


def asked_for(text: str) -> Asked:
    """Return what a person means by `7`, `capsule:7`, `client:90001` or the id of a workflow."""
    text = text.strip()
    workflow = OF_WORKFLOW.fullmatch(text)
    kind, _, record_id = ":".join(workflow.groups()).rpartition(":") if workflow else text.rpartition(":")
    return Asked(record_id.strip(), KINDS.get(kind.strip().lower()), SYSTEMS.get(kind.strip().lower()))
