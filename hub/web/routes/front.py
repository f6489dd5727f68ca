"""The front page, language and health check.

Belongs here: what belongs to no other room. Does not belong here: the catalogue.
"""

from fastapi import Request
from fastapi.responses import Response

from hub.web.access import PUBLIC, PageCaller, Routes
from hub.web.language import LANGUAGE_COOKIE, LANGUAGES
from hub.web.pages import redirect, render, set_cookie

routes = Routes("front")


@routes.page("/", roles=PUBLIC)
def front(request: Request, caller: PageCaller) -> Response:
    """What the hub is and where to start."""
    return render(request, "front.html.j2")


@routes.form("/language/{language}", roles=PUBLIC)
def language(request: Request, caller: PageCaller, language: str) -> Response:
    """Choose the language of all pages."""
    answer = redirect(request, "/")
    if language in LANGUAGES:
        set_cookie(answer, caller.hub, LANGUAGE_COOKIE, language, seconds=365 * 86400)
    return answer


@routes.call("GET", "/health", roles=PUBLIC)
def health(caller: PageCaller) -> dict[str, str]:
    """Answers while the hub and its store work."""
    return {"status": "ok"}
