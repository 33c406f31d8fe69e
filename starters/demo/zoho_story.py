"""The story beside the story: the same system keeps a firm with Zoho CRM in step, with a FreshBooks of its own."""

import asyncio
from collections.abc import Sequence
from functools import partial

from starters.demo.sides import expect, until
from starters.demo.story import ARCHIVED, QUIET_SECONDS, Step, Story, every_client_once, has_visibility
from starters.demo.zoho_sides import ACCOUNTS, CONTACTS
from starters.sandbox import ZOHO_CRM

FIRM = "Okafor Textiles Ltd"


async def _contact(story: Story) -> None:
    story.okafor = await story.zoho.enter(ACCOUNTS, Account_Name=FIRM, Billing_City="Leeds")
    story.ada = await story.zoho.enter(
        CONTACTS,
        First_Name="Ada",
        Last_Name="Okafor",
        Email="ada@okafor.example",
        Mobile="+44 7700 900123",
        Mailing_Street="Mill Lane 1\nFloor 2",
        Mailing_City="Leeds",
        Mailing_Country="United Kingdom",
        Account_Name={"id": str(story.okafor)},
    )
    client = await story.zoho.client("ada@okafor.example")
    wanted = {
        "fname": "Ada",
        "lname": "Okafor",
        "organization": FIRM,
        "mob_phone": "+44 7700 900123",
        "p_street": "Mill Lane 1",
        "p_street2": "Floor 2",
        "p_city": "Leeds",
        "p_country": "United Kingdom",
    }
    expect({name: client[name] for name in wanted}, wanted, "values of the client")
    await asyncio.sleep(QUIET_SECONDS)
    expect(len(await story.zoho.clients_with(organization=FIRM)), 1, "clients that name the account")


async def _edited_in_the_books(story: Story) -> None:
    client = await story.zoho.client("ada@okafor.example")
    before = len(await story.zoho.writes(client["id"]))
    await story.zoho.edit_client(client["id"], mob_phone="+44 7700 900999")

    async def arrived() -> bool:
        return bool((await story.zoho.record(CONTACTS, story.ada))["Mobile"] == "+44 7700 900999")

    await until("the new number in Zoho CRM", arrived)
    await asyncio.sleep(QUIET_SECONDS)  # our own write comes back as news, and must not be written on
    expect(len(await story.zoho.writes(client["id"])) - before, 1, "writes of the client, the bookkeeper's own")


async def _made_in_the_books(story: Story) -> None:
    client = await story.zoho.add_client(fname="Tunde", lname="Bello", email="tunde@okafor.example", organization=FIRM)
    await until("the link", partial(_in_step, story, client))
    contacts = await story.zoho.contacts_with(Email="tunde@okafor.example")
    named = [(each["First_Name"], each["Last_Name"], each["Account_Name"]) for each in contacts]
    account = {"name": FIRM, "id": str(story.okafor)}
    expect(named, [("Tunde", "Bello", account)], "contacts with this address, and their accounts")
    expect(len(await story.zoho.created(ACCOUNTS)), 1, "accounts")


async def _answer_lost(story: Story) -> None:
    lost = await story.zoho.answers_lost()
    await story.zoho.lose_answer("/Contacts/upsert$")
    client = await story.zoho.add_client(fname="Ngozi", lname="Eze", email="ngozi@eze.example")
    await until("the link", partial(_in_step, story, client), within=60)
    expect(await story.zoho.answers_lost() - lost, 1, "answers lost on the way")
    expect(len(await story.zoho.contacts_with(Email="ngozi@eze.example")), 1, "contacts with this address")
    await story.zoho.client("ngozi@eze.example")


async def _deleted(story: Story) -> None:
    contact = await story.zoho.enter(CONTACTS, First_Name="Per", Last_Name="Away", Email="per@away.example")
    await story.zoho.client("per@away.example")
    await story.zoho.delete(CONTACTS, contact)
    await until("its archived client", partial(has_visibility, story.zoho, "per@away.example", ARCHIVED))


async def _forged_hook(story: Story) -> None:
    await until("the end of what came before", partial(_is_quiet, story))
    before = await story.zoho.looks()
    expect(await story.zoho.forge("Contacts.edit", story.ada), [401], "answers to a wrong token")
    await asyncio.sleep(QUIET_SECONDS)
    expect(await story.zoho.looks() - before, 0, "looks at a record that a forged delivery caused")


async def _is_quiet(story: Story) -> bool:
    before = await story.zoho.looks()
    await asyncio.sleep(QUIET_SECONDS)
    return await story.zoho.looks() == before


async def _all_once(story: Story) -> None:
    await every_client_once(story.zoho)
    emails = sorted(str(contact.get("Email")) for contact in await story.zoho.created(CONTACTS))
    expect(emails, sorted(set(emails)), "contacts that were ever created, each with an address of its own")


async def _in_step(story: Story, client_id: int) -> bool:
    return await story.system.is_linked(ZOHO_CRM, str(client_id))


ZOHO_STORY: Sequence[Step] = (
    Step("a contact of an account is entered in Zoho CRM: one client, which names the account", _contact),
    Step("a bookkeeper changes a number in that FreshBooks: it reaches the contact", _edited_in_the_books),
    Step("a client of the same firm is entered there: one contact in Zoho CRM, in its account", _made_in_the_books),
    Step("Zoho stores the contact of a client, and its answer is lost: still one contact", _answer_lost),
    Step("a contact is deleted in Zoho CRM: its client is archived, not deleted", _deleted),
    Step("a forged delivery, right address, wrong token: refused, and nobody looks at the record", _forged_hook),
    Step("in the end: on Zoho's side, too, every client and every contact was created once", _all_once),
)
