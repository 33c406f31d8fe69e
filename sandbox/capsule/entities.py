"""The kinds of records that have custom fields and tags, are listed, searched, filtered and deleted alike."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Entity:
    """One such kind: how a record of it is called, where it is found, and the kinds of its definitions and tags.

    Each entity counts the ids of its definitions and tags by itself: the same number means different things.
    """

    kind: str
    many: str
    definition: str
    tag: str


PARTY = Entity("party", "parties", "definition", "tag")
OPPORTUNITY = Entity("opportunity", "opportunities", "opportunity_definition", "opportunity_tag")
