"""Logging in and out."""

from typing import Annotated

from fastapi import APIRouter, Form, Request, Response
from fastapi.responses import RedirectResponse

from starters.console.desk import Desk
from starters.console.guard import WITHIN_SECONDS, TooManyAttempts


def routes(desk: Desk) -> APIRouter:
    """Return the pages that are shown to whoever asks."""
    router = APIRouter()

    @router.get("/health")
    async def health() -> dict[str, str]:
        return {"status": "up"}

    @router.get("/login")
    async def ask(request: Request) -> Response:
        if desk.guard.is_logged_in(request.state.session):
            return RedirectResponse("/", 303)
        return desk.page(request, "login.html.j2", problem="")

    @router.post("/login")
    async def log_in(request: Request, passphrase: Annotated[str, Form()] = "") -> Response:
        try:
            session = desk.guard.log_in(passphrase)
        except TooManyAttempts:
            wait = f"Too many wrong passphrases. Wait {WITHIN_SECONDS:.0f} seconds and try again."
            return desk.page(request, "login.html.j2", 429, problem=wait)
        if session is None:
            return desk.page(request, "login.html.j2", 403, problem="That is not the passphrase.")
        response = RedirectResponse("/", 303)
        desk.guard.remember(response, session)
        return response

    @router.post("/logout")
    async def log_out(request: Request) -> Response:
        desk.guard.log_out(request.state.session)
        return RedirectResponse("/login", 303)

    return router
