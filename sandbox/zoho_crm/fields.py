"""The fields that Zoho CRM's modules have by themselves.

Source: https://www.zoho.com/crm/developer/docs/api/v8/field-meta.html, /modules-api.html
"""

from dataclasses import dataclass

JSON_TYPES = {
    "integer": "integer",
    "double": "double",
    "currency": "double",
    "boolean": "boolean",
    "lookup": "jsonobject",
    "ownerlookup": "jsonobject",
    "multiselectpicklist": "jsonarray",
    "tags": "jsonarray",
}
"""How values of a data type stand in JSON; of all others as text."""

TEXTS = ("text", "textarea", "email", "phone", "website", "picklist")


@dataclass(frozen=True)
class Field:
    """What is known of a field. `layout` marks one that is mandatory only where the layout's rules are asked. `unique`
    is `sensitive`, `insensitive` (to case) or empty.
    """

    api_name: str
    data_type: str = "text"
    length: int = 255
    mandatory: bool = False
    layout: bool = False
    read_only: bool = False
    lookup: str = ""
    values: tuple[str, ...] = ()
    unique: str = ""
    custom: bool = False
    label: str = ""
    number: int = 0

    @property
    def json_type(self) -> str:
        """The type of its values in JSON."""
        return JSON_TYPES.get(self.data_type, "string")


INDUSTRIES = ("Communications", "Consulting", "Education", "Manufacturing", "Retail", "Technology", "Other")
SOURCES = (
    "Advertisement",
    "Cold Call",
    "Employee Referral",
    "External Referral",
    "Partner",
    "Trade Show",
    "Web Research",
)
STATUSES = (
    *("Attempted to Contact", "Contact in Future", "Contacted", "Junk Lead"),
    *("Lost Lead", "Not Contacted", "Pre-Qualified", "Not Qualified"),
)
STAGES = (
    *("Qualification", "Needs Analysis", "Value Proposition", "Identify Decision Makers", "Proposal/Price Quote"),
    *("Negotiation/Review", "Closed Won", "Closed Lost", "Closed Lost to Competition"),
)
HOME_CURRENCY = "EUR"
RATES = {HOME_CURRENCY: 1.0, "USD": 1.08, "GBP": 0.85, "CHF": 0.95, "SEK": 11.2, "JPY": 162.0}
"""The currencies of an account that has several: how much of each one euro is worth."""
SYMBOLS = {"EUR": "€", "USD": "$", "GBP": "£", "CHF": "CHF", "SEK": "kr", "JPY": "¥"}
SYSTEM = (
    Field("Owner", "ownerlookup"),
    Field("Created_By", "ownerlookup", read_only=True),
    Field("Modified_By", "ownerlookup", read_only=True),
    Field("Created_Time", "datetime", read_only=True),
    Field("Modified_Time", "datetime", read_only=True),
    Field("Last_Activity_Time", "datetime", read_only=True),
    Field("Tag", "tags"),
    Field("Description", "textarea", 32_000),
)


def _texts(names: str, length: int = 255, kind: str = "text") -> tuple[Field, ...]:
    return tuple(Field(name, kind, length) for name in names.split())


def _picklist(name: str, values: tuple[str, ...], *, mandatory: bool = False) -> Field:
    return Field(name, "picklist", 120, values=values, mandatory=mandatory)


PERSON = (
    Field("Last_Name", length=80, mandatory=True),
    Field("First_Name", length=40),
    Field("Full_Name", length=80, read_only=True),
    _picklist("Salutation", ("Mr.", "Mrs.", "Ms.", "Dr.", "Prof.")),
    *_texts("Email Secondary_Email", 100, "email"),
    *_texts("Phone Mobile Fax", 30, "phone"),
    _picklist("Lead_Source", SOURCES),
    Field("Email_Opt_Out", "boolean"),
)
LEADS = (
    *PERSON,
    Field("Company", length=200, layout=True),
    *_texts("Designation", 100),
    *_texts("Street", 250),
    *_texts("City State Country", 100),
    *_texts("Zip_Code", 30),
    *_texts("Website", 255, "website"),
    _picklist("Lead_Status", STATUSES),
    _picklist("Industry", INDUSTRIES),
    _picklist("Rating", ("Acquired", "Active", "Market Failed", "Project Cancelled", "Shut Down")),
    Field("Annual_Revenue", "currency", 16),
    Field("No_of_Employees", "integer", 9),
)
CONTACTS = (
    *PERSON,
    Field("Account_Name", "lookup", lookup="Accounts"),
    Field("Reporting_To", "lookup", lookup="Contacts"),
    *_texts("Title Department", 100),
    Field("Date_of_Birth", "date"),
    *_texts("Home_Phone Other_Phone", 30, "phone"),
    *_texts("Mailing_Street Other_Street", 250),
    *_texts("Mailing_City Mailing_State Mailing_Country Other_City Other_State Other_Country", 100),
    *_texts("Mailing_Zip Other_Zip", 30),
)
ACCOUNTS = (
    Field("Account_Name", length=200, mandatory=True),
    Field("Parent_Account", "lookup", lookup="Accounts"),
    *_texts("Phone Fax", 30, "phone"),
    *_texts("Website", 255, "website"),
    Field("Account_Number", "bigint", 18),
    _picklist("Account_Type", ("Analyst", "Competitor", "Customer", "Distributor", "Partner", "Prospect", "Supplier")),
    _picklist("Industry", INDUSTRIES),
    Field("Annual_Revenue", "currency", 16),
    Field("Employees", "integer", 9),
    *_texts("Billing_Street Shipping_Street", 250),
    *_texts("Billing_City Billing_State Billing_Country Shipping_City Shipping_State Shipping_Country", 100),
    *_texts("Billing_Code Shipping_Code", 30),
)
DEALS = (
    Field("Deal_Name", length=120, mandatory=True),
    _picklist("Stage", (), mandatory=True),  # an administrator says which stages and pipelines there are
    Field("Pipeline", "picklist", 120, layout=True),
    Field("Closing_Date", "date", layout=True),
    Field("Amount", "currency", 16),
    Field("Account_Name", "lookup", lookup="Accounts"),
    Field("Contact_Name", "lookup", lookup="Contacts"),
    _picklist("Type", ("Existing Business", "New Business")),
    Field("Probability", "integer", 3),
    Field("Expected_Revenue", "currency", 16, read_only=True),
    *_texts("Next_Step", 100),
    _picklist("Lead_Source", SOURCES),
    _picklist("Currency", tuple(RATES)),
    Field("Exchange_Rate", "double", 16),
)
MULTI_CURRENCY = ("Currency", "Exchange_Rate")
"""Fields that only accounts with several currencies have."""
