"""What an installation is told about projects. Left out, a connection opens none and shows none."""

from datetime import timedelta
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from runtime.fields import Duration, Section

ProjectFact = Literal["hours", "budget", "billed"]
"""What of a project can be shown on its opportunity."""


class ProjectsFlow(Section):
    """How won opportunities become FreshBooks projects, and what of them sales see."""

    # Off: no project is opened any more; those that are linked are still shown.
    open_when_won: bool = True
    # Words in braces: {name} of the opportunity, and its {id}.
    title: Annotated[str, Field(min_length=1, max_length=200)] = "{name}"
    project_type: Literal["fixed_price", "hourly_rate"] = "hourly_rate"
    # The custom fields of opportunities that show the project, by name; `connect` makes them.
    fields: dict[ProjectFact, Annotated[str, Field(min_length=1)]] = Field(default_factory=dict)
    # Where the value billed comes from: from our own invoices of hours, or from what FreshBooks says of the project.
    billed_from: Literal["bills", "freshbooks"] = "bills"
    sweep_every: Duration = timedelta(minutes=15)

    @model_validator(mode="after")
    def _has_fields_of_their_own(self) -> Self:
        if len(set(self.fields.values())) < len(self.fields):
            raise ValueError("give each of `fields` a custom field of its own: they would write over each other")
        return self
