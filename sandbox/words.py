"""Words that the generators make records of. Invented; any likeness to a living firm is chance."""

import unicodedata
from dataclasses import dataclass


@dataclass(frozen=True)
class Culture:
    """How people and firms of one place are called, and where they live."""

    language: str
    currency: str
    country: str
    dialling: str
    first_names: tuple[str, ...]
    last_names: tuple[str, ...]
    trades: tuple[str, ...]
    forms: tuple[str, ...]
    streets: tuple[str, ...]
    cities: tuple[tuple[str, str, str | None], ...]
    """City, postcode, state."""
    vat: str


CULTURES = (
    Culture(
        "de", "EUR", "Germany", "+49",
        ("Jürgen", "Käthe", "Sören", "Anneliese", "Björn", "Heike", "Matthäus", "Lieselotte"),
        ("Müller", "Groß", "Schäfer", "von der Heide", "Weiß", "Köhler-Böhm", "Yıldız", "Öztürk"),  # noqa: RUF001 - that is how the name is spelled
        ("Tischlerei", "Werkstatt für Möbel", "Bäckerei", "Spedition", "Druckhaus"),
        ("GmbH", "GmbH & Co. KG", "e.K.", "AG"),
        ("Königstraße", "Am Mühlgraben", "Gänseweg", "Hauptstr."),
        (("München", "80331", "Bayern"), ("Köln", "50667", None), ("Görlitz", "02826", "Sachsen")),
        "DE",
    ),
    Culture(
        "fr", "EUR", "France", "+33",
        ("Hélène", "François", "Zoé", "Jérôme", "Maëlle", "Benoît", "Anaïs"),
        ("Lefèvre", "d'Aubigné", "Garçon", "Le Goff", "Nuñez", "Bézier"),
        ("Ateliers", "Menuiserie", "Librairie", "Imprimerie", "Pâtisserie"),
        ("SARL", "SAS", "et Fils"),
        ("rue de l'Église", "boulevard Gambetta", "impasse des Chênes"),
        (("Orléans", "45000", None), ("Besançon", "25000", None), ("Saint-Étienne", "42000", "Loire")),
        "FR",
    ),
    Culture(
        "en", "GBP", "United Kingdom", "+44",
        ("Siân", "Owen", "Niamh", "George", "Priya", "Oluwaseun", "Beatrice"),
        ("O'Neill", "Llewellyn", "Smith", "Okafor", "Patel", "Featherstone-Hugh"),
        ("Joinery", "Brewing", "Letterpress", "Haulage", "Gardens"),
        ("Ltd", "LLP", "& Daughters"),
        ("High Street", "Mill Lane", "St. Mary's Close"),
        (("Leeds", "LS1 4DY", "West Yorkshire"), ("Caernarfon", "LL55 1SE", None), ("London", "EC1A 1BB", None)),
        "GB",
    ),
    Culture(
        "en", "USD", "United States", "+1",
        ("Dakota", "José", "Mary-Ann", "Tyrone", "Renée", "Wei"),
        ("Johnson", "Muñoz", "Nguyễn", "Van Buren", "McAllister", "Chen"),
        ("Outfitters", "Freight", "Design", "Plumbing", "Analytics"),
        ("Inc.", "LLC", "Co."),
        ("Main St", "5th Avenue", "County Road 12"),
        (("Portland", "97201", "OR"), ("San José", "95113", "CA"), ("Winston-Salem", "27101", "NC")),
        "US",
    ),
    Culture(
        "pl", "PLN", "Poland", "+48",
        ("Łukasz", "Małgorzata", "Zbigniew", "Żaneta", "Jędrzej"),
        ("Wójcik", "Szczęsny", "Dąbrowska", "Gałązka", "Kowalczyk-Nowak"),
        ("Stolarnia", "Piekarnia", "Drukarnia", "Usługi Księgowe"),
        ("Sp. z o.o.", "S.A.", "s.c."),
        ("ul. Świętego Jana", "al. Niepodległości", "ul. Żółkiewskiego"),
        (("Łódź", "90-001", "łódzkie"), ("Kraków", "30-001", None), ("Gdańsk", "80-001", "pomorskie")),
        "PL",
    ),
    Culture(
        "sv", "SEK", "Sweden", "+46",
        ("Åsa", "Björn", "Märta", "Göran", "Saga"),
        ("Ångström", "Sjöberg", "Lindqvist", "Östlund", "Haddad"),
        ("Snickeri", "Tryckeri", "Åkeri", "Bokhandel"),
        ("AB", "HB", "& Söner"),
        ("Storgatan", "Ängsvägen", "Östra Hamngatan"),
        (("Malmö", "211 22", None), ("Göteborg", "411 03", None), ("Umeå", "903 26", "Västerbotten")),
        "SE",
    ),
    Culture(
        "es", "EUR", "Spain", "+34",
        ("Íñigo", "Begoña", "Ángel", "Lucía", "Núria"),
        ("Muñoz de la Peña", "Ibáñez", "Güell", "Etxeberria", "Peña"),
        ("Carpintería", "Imprenta", "Panadería", "Logística"),
        ("S.L.", "S.A.", "Hermanos"),
        ("Calle Mayor", "Avenida de la Constitución", "Plaza de España"),
        (("A Coruña", "15001", "Galicia"), ("Logroño", "26001", "La Rioja"), ("Málaga", "29001", None)),
        "ES",
    ),
    Culture(
        "ja", "JPY", "Japan", "+81",
        ("花子", "Kenji", "Yūki", "太郎", "Akemi"),
        ("田中", "Ōtsuka", "Satō", "鈴木", "Kobayashi"),
        ("印刷", "Woodworks", "物流", "Tea House"),
        ("株式会社", "K.K.", "G.K."),
        ("1-2-3 Ginza", "4-5 Kawaramachi", "本町2丁目"),
        (("Tōkyō", "104-0061", None), ("京都市", "600-8001", "京都府")),
        "JP",
    ),
    Culture(
        "en", "KWD", "Kuwait", "+965",
        ("Fāṭima", "Yūsuf", "Maryam", "عبدالله"),
        ("al-Ṣabāḥ", "Al Rashid", "Haddad", "العلي"),
        ("Trading", "Contracting", "Pearls", "Logistics"),
        ("W.L.L.", "K.S.C.", "Est."),
        ("Salem Al Mubarak Street", "Block 4, Street 12", "Fahad Al-Salem St"),
        (("Kuwait City", "13001", None), ("Ḥawallī", "32001", "Hawalli")),
        "KW",
    ),
)  # fmt: skip
JOB_TITLES = ("Managing Director", "Einkauf", "Accounts payable", "Gérante", "Księgowa", "Owner", "Projektledare")
NOTES = (
    "Pays late, but pays.",
    "Prefers to be called in the morning.\nNever before nine.",
    "Wants one invoice per month \N{EN DASH} by post.",
    "Erstkontakt über die Messe in Köln; spricht kein Englisch.",
    "“Net 30” agreed by phone; 5 % off above 1 000 €",
)
LANDMARKS = ("2nd floor", "Hinterhaus, 3. OG", "c/o Reception", "Bâtiment C", "P.O. Box 118", "lok. 14")
SHARED_MAILBOXES = ("office@coworking-loft.example", "buchhaltung@verbund.example", "info@markthalle.example")
UNDECOMPOSED = str.maketrans({"\N{LATIN SMALL LETTER L WITH STROKE}": "l", "\N{LATIN SMALL LETTER DOTLESS I}": "i"})


def plain(text: str) -> str:
    """Return a text as it may stand in an email address: letters without marks, words joined by hyphens."""
    letters = unicodedata.normalize("NFKD", text.casefold().translate(UNDECOMPOSED))
    letters = "".join(letter for letter in letters if not unicodedata.combining(letter))
    spaced = "".join(letter if letter.isascii() and letter.isalnum() else " " for letter in letters)
    return "-".join(spaced.split()) or "office"
