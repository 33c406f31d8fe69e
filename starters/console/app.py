"""The console's app: its pages, its buttons, and the guard in front of both."""

from pathlib import Path

from fastapi import FastAPI
from fastapi.staticfiles import StaticFiles
from temporalio.client import Client

from runtime.settings import Settings
from starters.console import entrance, holds, overview, records, reports
from starters.console.desk import Desk
from starters.console.guard import Guard
from store.store import Store

STATIC = Path(__file__).parent / "static"


def create_console(settings: Settings, store: Store, temporal: Client) -> FastAPI:
    """Return the app. Temporal need not be reachable: pages show the store, and buttons say what they lack."""
    guard = Guard(settings.console)
    desk = Desk(settings, store, temporal, guard)
    app = FastAPI(openapi_url=None)
    app.middleware("http")(guard)
    for pages in (entrance, overview, records, holds, reports):
        app.include_router(pages.routes(desk))
    app.mount("/static", StaticFiles(directory=STATIC), name="static")
    return app
