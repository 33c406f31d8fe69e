"""An audit log of a few writes, and somebody who changes it behind our back."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from store.audit import AuditEntry
from store.audit_anchors import Anchor
from store.audit_chain import Head, head
from store.audit_check import Verdict, verify
from store.records import RecordKey
from store.store import Store
from tests.store.records import ACME, agreed

RULE = "from emailAddresses: choose, take, trim; owner crm"


def renamed(name: str) -> AuditEntry:
    """Return the entry of a client that got another name."""
    return AuditEntry(
        "update",
        "capsule webhook party/updated",
        "v1",
        before={"organization": "Acme"},
        after={"organization": name},
        workflow_id="client-upsert/acme/capsule-party-7",
        request="PUT client 90210",
        answer="200",
        rules={"organization": RULE},
    )


async def written(store: Store, count: int, key: RecordKey = ACME, books_id: str = "90210") -> None:
    """Write to one client so many times; it gets the names `Acme 1`, `Acme 2` …."""
    for number in range(1, count + 1):
        await store.links.confirm(key, agreed(books_id), audit=renamed(f"Acme {number}"))


async def problems(store: Store, *anchors: Anchor) -> list[str]:
    """Return what is wrong with the log."""
    return (await checked(store, *anchors)).problems


async def checked(store: Store, *anchors: Anchor) -> Verdict:
    """Return what is found in the log."""
    return await verify(store.database, store.keys, anchors)


async def anchored(store: Store) -> Anchor:
    """Return the head of the log as an owner keeps it in a letter."""
    async with store.database.reading() as session:
        newest = await head(session)
    assert newest is not None
    return Anchor(Head(newest.seq, newest.hash), "the letter")


@asynccontextmanager
async def intruder(store: Store) -> AsyncIterator[AsyncSession]:
    """Give somebody who may do anything in the database, but does not know the key."""
    async with store.database.writing() as session:
        if session.get_bind().dialect.name == "postgresql":
            await session.execute(text("ALTER TABLE audit DISABLE TRIGGER USER"))
        else:
            for trigger in ("audit_no_update", "audit_no_delete", "audit_at_end"):
                await session.execute(text(f"DROP TRIGGER IF EXISTS {trigger}"))
        yield session
