"""What starters tell the workflow of a reconciliation, and what it answers. Fields are only added, with defaults."""

from datetime import datetime
from typing import Literal

from pydantic import BaseModel, Field


class ReconciliationRequest(BaseModel):
    """One connection's flow to be compared. With `repair`, what a sync mends is handed to the records' workflows.

    The rest is how far a long run has come when it continues as a new one: `pass_began` is when this pass over the
    lists began, `known_deleted` and `known_gone` the clients and parties that were deleted while earlier ones read.
    """

    connection: str
    flow: str = "clients"
    crm: str = "capsule"
    repair: bool = False
    report_id: str = ""
    passes: int = 1
    pass_began: datetime | None = None
    deleted: list[int] = Field(default_factory=list)
    known_deleted: list[int] = Field(default_factory=list)
    known_gone: list[int] = Field(default_factory=list)
    crm_pages: int = 0
    books_pages: int = 0


class ReconciliationResult(BaseModel):
    """How it ended, and how many mismatches were found, are new, and were handed to those who mend them."""

    outcome: Literal["done", "given-up"]
    report_id: str
    mismatches: int = 0
    new_mismatches: int = 0
    repaired: int = 0


class RoundRequest(BaseModel):
    """One connection, and the flows to be compared one after the other."""

    connection: str
    flows: list[str] = Field(default_factory=lambda: ["clients"])
    crm: str = "capsule"
    repair: bool = False


class RoundResult(BaseModel):
    """The reports that were made, and the flows that were being compared already."""

    report_ids: list[str] = Field(default_factory=list)
    under_way: list[str] = Field(default_factory=list)
