"""What the console's pages share: the store, Temporal, the settings, the templates."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

from fastapi import Request
from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from temporalio.client import Client

from runtime.settings import Settings
from runtime.temporal import target
from starters.console.guard import Guard
from starters.operators import ago
from starters.record_names import one, words
from store.store import Store

TEMPLATES = Path(__file__).parent / "templates"


@dataclass
class Desk:
    """One console. Its settings may be exchanged while it serves."""

    settings: Settings
    store: Store
    temporal: Client
    guard: Guard
    templates: Environment = field(init=False)

    def __post_init__(self) -> None:
        # What pages show comes from customers: everything is escaped.
        loader = FileSystemLoader(TEMPLATES)
        environment = Environment(
            loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
        )
        environment.globals |= {"ago": ago, "one": one, "words": words, "to": to, "temporal_ui": self.temporal_ui}
        self.templates = environment

    def page(self, request: Request, name: str, status: int = 200, **shown: Any) -> HTMLResponse:
        """Return a page made of a template."""
        shared = {
            "csrf": request.state.csrf,
            "path": request.url.path,
            "with_login": self.settings.console.passphrase is not None,
            "logged_in": self.guard.is_logged_in(request.state.session),
        }
        return HTMLResponse(self.templates.get_template(name).render(shared | shown), status)

    def told(self, request: Request, title: str, text: str, status: int) -> HTMLResponse:
        """Return a page that only says something."""
        return self.page(request, "told.html.j2", status, title=title, text=text)

    def temporal_ui(self, workflow_id: str) -> str | None:
        """Return where the embedded server shows a workflow; None for a cluster, whose UI we do not know."""
        if not workflow_id or target(self.settings)[1]:
            return None
        base = f"http://localhost:{self.settings.temporal.ui_port}/namespaces/default/workflows"
        return f"{base}/{quote(workflow_id, safe='')}"


def to(path: str, **query: object) -> str:
    """Return the address of a page of ours; what is None or empty is left out."""
    asked: Mapping[str, str] = {name: str(value) for name, value in query.items() if value not in {None, ""}}
    return f"{path}?{urlencode(asked)}" if asked else path
