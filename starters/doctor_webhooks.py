"""The doctor looks at the way in: does the receiver answer at its public address, and do webhooks tell what changes?"""

from datetime import UTC, datetime, timedelta

import httpx

from runtime.settings import Settings
from starters.findings import Finding, fine, note, warning, wrong
from store.store import Store

PATIENCE = 5.0
WEEK = timedelta(days=7)
# Fewer changes say nothing; a larger share than this means that webhooks do not arrive.
ENOUGH_CHANGES, MOST_MISSED = 20, 0.2
SHOWN = 5


async def examine_reach(settings: Settings, transport: httpx.AsyncBaseTransport | None = None) -> Finding:
    """Knock at the public address of the receiver, from here: providers come from elsewhere, which may differ."""
    url = settings.public_url
    if url is None:
        return note("receiver: no receiver.public_url, so no webhooks; sweeps find every change")
    try:
        async with httpx.AsyncClient(transport=transport, timeout=PATIENCE, follow_redirects=False) as http:
            healthy = _is_health(await http.get(f"{url}/health"))
            # A proxy that is as narrow as it should be lets nothing but webhooks through.
            answers = healthy or _is_refusal(await http.post(f"{url}/hooks/doctor/doctor/doctor"))
    except httpx.HTTPError as error:
        reason = type(error).__name__
        return wrong(f"receiver: nothing answers at {url} ({reason}); check the name, the proxy, the certificate")
    if not answers:
        return wrong(f"receiver: something else answers at {url}; lead POST {url}/hooks/… to the receiver")
    return fine(f"receiver: answers at {url}")


def _is_health(answer: httpx.Response) -> bool:
    return answer.status_code == 200 and _said(answer).get("status") == "up"


def _is_refusal(answer: httpx.Response) -> bool:
    """Our receiver's own way of saying that it does not know an address."""
    return answer.status_code == 404 and _said(answer).get("outcome") == "not-found"


def _said(answer: httpx.Response) -> dict[str, object]:
    try:
        said = answer.json()
    except ValueError:
        return {}
    return said if isinstance(said, dict) else {}


async def examine_inbox(store: Store) -> list[Finding]:
    """Say what waits for Temporal, and what could not be handed over at all."""
    waiting, aside = await store.inbox.size(), await store.inbox.set_aside()
    findings = [fine("inbox: empty") if not waiting else note(f"inbox: {waiting} changes wait for Temporal")]
    if aside:
        named = ", ".join(f"{each.system} {each.record_id} ({each.problem})" for each in aside[:SHOWN])
        text = f"inbox: {len(aside)} changes could not be handed to Temporal and were set aside: {named}"
        findings.append(wrong(f"{text}; mend the cause, then restart the receiver: it tries them again"))
    return findings


async def examine_ways(store: Store, settings: Settings) -> list[Finding]:
    """Say where webhooks tell too little of what changes."""
    if settings.public_url is None:
        return []
    counts = await store.news.counts((datetime.now(UTC) - WEEK).date())
    return [
        warning(
            f"{each.connection}: webhooks of {each.system} miss changes: {each.by_sweep} in the last week were found by"
            " sweeps alone; see what is said of webhooks below"
        )
        for each in counts
        if each.by_webhook + each.by_sweep >= ENOUGH_CHANGES and each.missed > MOST_MISSED
    ]
