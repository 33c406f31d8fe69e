"""The console's app: its pages, its buttons, and the guard in front of both."""

from pathlib import Path

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.staticfiles import StaticFiles
from starlette.exceptions import HTTPException as StarletteHTTPException
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

    @app.exception_handler(StarletteHTTPException)
    @app.exception_handler(RequestValidationError)
    async def mistaken(request: Request, problem: Exception) -> Response:
        """Say in a page what the address lacks: somebody typed it, or followed an old link."""
        status = problem.status_code if isinstance(problem, StarletteHTTPException) else 400
        return desk.told(request, "No such page", "There is no page at this address.", status)

    for pages in (entrance, overview, records, holds, reports):
        app.include_router(pages.routes(desk))
    app.state.desk = desk
    app.mount("/static", StaticFiles(directory=STATIC), name="static")
    return app
