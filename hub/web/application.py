"""The web application: routes of all rooms, security headers, errors.

Belongs here: ``build``. Does not belong here: routes.
"""

import asyncio
import logging
from pathlib import Path

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from fastapi.staticfiles import StaticFiles
from starlette.exceptions import HTTPException

from hub.deployment import Deployment
from hub.errors import HubError
from hub.web.headers import SecurityHeaders
from hub.web.pages import redirect, render
from hub.web.rooms import ROOMS
from records.errors import BudgetError, PhaseIVError

TURNS = 24  # requests in the store at once: two connections each must fit the pool of 60
STATIC = Path(__file__).parent / "static"
logger = logging.getLogger(__name__)


def build(hub: Deployment) -> FastAPI:
    """The application over a deployment."""
    application = FastAPI(
        title="PHASE IV AI health data hub", version="1", openapi_url="/api/openapi.json", docs_url=None, redoc_url=None
    )
    application.state.hub = hub
    application.state.turns = asyncio.Semaphore(TURNS)
    application.add_middleware(SecurityHeaders, secure=hub.settings.secure)
    application.mount("/static", StaticFiles(directory=STATIC), name="static")
    for room in ROOMS:
        application.include_router(room.pages)
        application.include_router(room.api)
    application.add_exception_handler(PhaseIVError, _told)
    application.add_exception_handler(RequestValidationError, _malformed)
    application.add_exception_handler(HTTPException, _http)
    return application


def status_of(error: PhaseIVError) -> int:
    """The HTTP status of an error a person can mend."""
    if isinstance(error, HubError):
        return error.status
    return 409 if isinstance(error, BudgetError) else 422


def _answer(request: Request, status: int, words: str) -> Response:
    if request.url.path.startswith("/api/"):
        body = {"type": "about:blank", "status": status, "detail": words}  # RFC 9457
        headers = {"WWW-Authenticate": "Bearer"} if status == 401 else None
        return JSONResponse(body, status, headers, media_type="application/problem+json")
    if status == 401 and request.method == "GET":
        return redirect(request, f"/sign-in?next={request.url.path}")
    return render(request, "error.html.j2", status=status, code=status, words=words)


def _told(request: Request, error: Exception) -> Response:
    assert isinstance(error, PhaseIVError)
    return _answer(request, status_of(error), str(error))


def _malformed(request: Request, error: Exception) -> Response:
    """Say which fields are wrong, and never repeat what was sent."""
    assert isinstance(error, RequestValidationError)
    found = "; ".join(f"{'.'.join(str(p) for p in e['loc'])}: {e['msg']}" for e in error.errors()[:5])
    return _answer(request, 422, f"the request must be well formed, got {found}; mend these fields")


def _http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    answer = _answer(request, error.status_code, str(error.detail))
    for name, value in (error.headers or {}).items():
        answer.headers[name] = value
    return answer
