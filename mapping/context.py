"""What a connection knows that a record does not say: its defaults and its own names for countries."""

from collections.abc import Mapping

from pydantic import BaseModel, ConfigDict, Field, field_validator

from mapping.countries import country_code_of, country_listed, is_country_code
from mapping.currencies import is_currency
from mapping.values import CannotTransform, folded


class Context(BaseModel):
    """The settings of one connection that transforms may use."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    default_currency: str | None = Field(None, description="ISO 4217 code for clients whose record names no currency")
    default_language: str | None = Field(None, pattern="^[a-z]{2}$", description="two letters, such as en")
    phone_region: str | None = Field(None, description="ISO 3166 code of numbers typed without a country code")
    country_aliases: Mapping[str, str] = Field({}, description="a country as people type it: its two-letter code")
    country_names: Mapping[str, str] = Field({}, description="two-letter code: the name that FreshBooks shows")
    crm_countries: Mapping[str, str] = Field({}, description="two-letter code: the name in the CRM's list of countries")

    @field_validator("default_currency")
    @classmethod
    def _known_currency(cls, code: str | None) -> str | None:
        if code is not None and not is_currency(code):
            raise ValueError("not a currency: use an ISO 4217 code in capitals, such as EUR")
        return code

    @field_validator("phone_region")
    @classmethod
    def _known_region(cls, code: str | None) -> str | None:
        if code is not None and not is_country_code(code):
            raise ValueError("not a country: use an ISO 3166 code in capitals, such as GB")
        return code

    @field_validator("country_aliases")
    @classmethod
    def _aliases_lead_to_countries(cls, aliases: Mapping[str, str]) -> Mapping[str, str]:
        if not all(is_country_code(code) for code in aliases.values()):
            raise ValueError("every alias needs the two-letter ISO 3166 code of a country, such as GB")
        return {folded(alias): code for alias, code in aliases.items()}

    @field_validator("country_names", "crm_countries")
    @classmethod
    def _names_belong_to_countries(cls, names: Mapping[str, str]) -> Mapping[str, str]:
        if not all(is_country_code(code) for code in names):
            raise ValueError("every name needs the two-letter ISO 3166 code of a country, such as GB")
        return names

    def country_code(self, text: str) -> str | None:
        """Return the ISO 3166 two-letter code of a country named in any usual way, or None. Never guesses.

        A name that this connection gave to a country is known too, so that reading back what was written works.
        """
        own_names = {folded(name): code for code, name in self.country_names.items()}
        name = folded(text)
        return self.country_aliases.get(name) or own_names.get(name) or country_code_of(text)


def known_country(text: str, context: Context) -> str:
    """Return the two-letter code of a country in any usual spelling. Raises CannotTransform: nothing is guessed."""
    code = context.country_code(text)
    if code is None:
        raise CannotTransform("is no country we know: correct it, or add it to the connection's country_aliases")
    return code


def crm_country(text: str, context: Context) -> str:
    """Return a country as Capsule's own list has it: addresses are refused with any other name.

    Without that list (`GET /countries`) the usual name is given. Raises CannotTransform.
    Source: https://developer.capsulecrm.com/v2/operations/Internationalization
    """
    code = known_country(text, context)
    if context.crm_countries and code not in context.crm_countries:
        raise CannotTransform("is a country that the CRM's list does not have")
    return context.crm_countries.get(code) or country_listed(code)
