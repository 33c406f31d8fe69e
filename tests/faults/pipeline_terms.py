"""On what terms each firm of the pipeline campaign bills: what its settings say, and what the judge reckons by."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

PLACES: Mapping[str, int] = {"EUR": 2, "USD": 2, "JPY": 0, "KWD": 3}
"""The currencies of the campaign, and the decimals of each."""
INVOICE_FIELDS: Mapping[str, str] = {"number": "Invoice_No", "amount": "Invoiced"}


@dataclass(frozen=True)
class Terms:
    """Taxes by name with their percentage; lines by name with their share in percent, None for the rest."""

    taxes: Mapping[str, str]
    lines: Mapping[str, str | None]
    rounding: Literal["half_up", "half_even"]
    tax_rounding: Literal["line", "document"]
    invoice: Literal["draft", "final"]

    @property
    def flow(self) -> dict[str, Any]:
        """What the settings of a connection say of it."""
        rounding = {"mode": self.rounding.replace("_", "-"), "taxes": self.tax_rounding, "decimals": "minor-units"}
        shares = [{"name": name, **({"percent": share} if share else {})} for name, share in self.lines.items()]
        return {
            "taxes": [{"name": name, "percent": percent} for name, percent in self.taxes.items()],
            "lines": shares,
            "rounding": rounding,
            "invoice": self.invoice,
            "invoice_fields": dict(INVOICE_FIELDS),
        }

    @property
    def knobs(self) -> dict[str, Any]:
        """How FreshBooks' stand-in reckons."""
        return {"rounding": self.rounding, "tax_rounding": self.tax_rounding, "decimals": "minor_units"}

    @property
    def shares(self) -> Sequence[str | None]:
        """The share of each line in percent; one line of all if there is no template."""
        return list(self.lines.values()) or [None]


IN_LINES = Terms(
    taxes={"VAT": "19", "Levy": "0.875"},
    lines={"Design": "33.333", "Build": "41.5", "Support": None},
    rounding="half_up",
    tax_rounding="line",
    invoice="draft",
)
IN_ONE_SUM = Terms(
    taxes={"GST": "5", "QST": "9.975"}, lines={}, rounding="half_even", tax_rounding="document", invoice="final"
)
