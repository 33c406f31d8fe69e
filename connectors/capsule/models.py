"""Capsule's objects as far as we read them. Source: https://developer.capsulecrm.com/v2/models/party"""

from dataclasses import dataclass
from typing import Any

from pydantic import ConfigDict, Field
from pydantic.alias_generators import to_camel

from connectors.models import Instant, Record, Rows


class CapsuleRecord(Record):
    """An object of Capsule: camelCase on the wire."""

    model_config = ConfigDict(alias_generator=to_camel)


class Address(CapsuleRecord):
    """One address row of a party. `country` is a name out of Capsule's own list, `street` may have several lines."""

    id: int
    type: str | None = None
    street: str | None = None
    city: str | None = None
    state: str | None = None
    zip: str | None = None
    country: str | None = None


class PhoneNumber(CapsuleRecord):
    """One phone row of a party; `number` is free text."""

    id: int
    type: str | None = None
    number: str | None = None


class EmailAddress(CapsuleRecord):
    """One email row of a party. Most have no type."""

    id: int
    type: str | None = None
    address: str | None = None


class Website(CapsuleRecord):
    """One website row of a party: `address` is a URL or a handle, `url` the link that Capsule makes of it."""

    id: int
    type: str | None = None
    service: str | None = None
    address: str | None = None
    url: str | None = None


class Tag(CapsuleRecord):
    """A tag on a record; its id is the definition's."""

    id: int
    name: str | None = None
    data_tag: bool | None = None


class Named(CapsuleRecord):
    """The short form of an object that a record refers to."""

    id: int
    name: str | None = None


class FieldValue(CapsuleRecord):
    """One custom field's value. Numbers come as text; a boolean field that is false has no row at all."""

    id: int
    definition: Named
    value: Any = None
    tag_id: int | None = None


class User(CapsuleRecord):
    """A user of the account, also in the short form in which records name their owner.

    Users have no email address of their own: follow `party.id`.
    """

    id: int
    username: str | None = None
    name: str | None = None
    status: str | None = None
    currency: str | None = None
    locale: str | None = None
    timezone: str | None = None
    deleted: bool | None = None
    party: "Party | None" = None


class Party(CapsuleRecord):
    """A person or an organisation, in full or in the short form that other records embed.

    `tags` and `fields` are None unless they were asked for: that says nothing about whether there are any.
    """

    id: int
    type: str | None = None
    owner: User | None = None
    team: Named | None = None
    about: str | None = None
    title: str | None = None
    first_name: str | None = None
    last_name: str | None = None
    job_title: str | None = None
    organisation: "Party | None" = None
    name: str | None = None
    addresses: Rows[Address] = ()
    phone_numbers: Rows[PhoneNumber] = ()
    email_addresses: Rows[EmailAddress] = ()
    websites: Rows[Website] = ()
    tags: list[Tag] | None = None
    fields: list[FieldValue] | None = None
    created_at: Instant | None = None
    updated_at: Instant | None = None
    last_contacted_at: Instant | None = None
    picture_url: str | None = Field(default=None, alias="pictureURL")


class Deletion(CapsuleRecord):
    """A record that is gone, and since when."""

    id: int
    deleted_at: Instant | None = None


@dataclass(frozen=True)
class DeletionPage:
    """One page of what became invisible.

    `restricted` are ids of records that exist but that our user may no longer see: access lost, not deletions.
    """

    deleted: list[Deletion]
    restricted: list[int]
    has_more: bool


class FieldDefinition(CapsuleRecord):
    """A custom field. Parties and opportunities each count its ids by themselves: 45 of the one is not 45 of the other.

    `type` is lower case, such as `text`.
    """

    id: int
    name: str | None = None
    type: str | None = None
    description: str | None = None
    important: bool | None = None
    tag: Named | None = None
    capture_rule: str | None = None
    options: Rows[str] = ()


class Country(CapsuleRecord):
    """A country that addresses may name, by exactly this `name`."""

    name: str
    alpha2_code: str | None = None
    alpha3_code: str | None = None


class Currency(CapsuleRecord):
    """A currency that the account may use, by its ISO 4217 code."""

    code: str
    symbol: str | None = None
    name: str | None = None


class Site(CapsuleRecord):
    """The account itself."""

    subdomain: str | None = None
    name: str | None = None
    url: str | None = None


class RestHook(CapsuleRecord):
    """A webhook subscription. `target_url` holds our secret path: do not log it."""

    id: int
    event: str | None = None
    target_url: str | None = None
    description: str | None = None
    embed: str | None = None
    batched: bool | None = None
