"""Rendering: templates, translation, cookies and small notes after a step.

Belongs here: from data to an HTML answer. Does not belong here: what a page shows.
"""

from collections.abc import Callable, Mapping
from functools import cache, lru_cache
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote

import jinja2
from fastapi import Request
from fastapi.responses import HTMLResponse, RedirectResponse
from markupsafe import escape

from hub.caller import Caller
from hub.deployment import Deployment
from hub.web.access import VISIT_COOKIE
from hub.web.filters import FILTERS
from hub.web.language import LANGUAGES, chosen_language, finnish, translator
from hub.web.mistakes import told

NOTE_COOKIE = "phaseiv_note"
TEMPLATES = Path(__file__).parent / "templates"


@cache
def environment(language: str) -> jinja2.Environment:
    """The templates in one language; everything is escaped, and an unknown name is an error."""
    made = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES), autoescape=True, undefined=jinja2.StrictUndefined,
        extensions=["jinja2.ext.i18n"], trim_blocks=True, lstrip_blocks=True,
    )  # fmt: skip
    translate = _spoken(language)
    made.install_gettext_callables(  # type: ignore[attr-defined]
        translate, lambda one, many, n: translate(one if n == 1 else many), newstyle=True
    )
    made.filters |= {name: make(language) for name, make in FILTERS.items()} | {"told": told(language)}
    made.globals["languages"] = LANGUAGES
    return made


def _spoken(language: str) -> Callable[[str], str]:
    """Translation for templates, which believe its answer to be HTML and a pattern for ``%``.

    Our own texts are patterns; any other text, which may be a visitor's, is shown as it is.
    """
    translate, known = translator(language), finnish()

    @lru_cache(maxsize=4096)
    def spoken(text: str) -> str:
        return str(escape(translate(text))) if text in known else str(escape(text)).replace("%", "%%")

    return spoken


def render(request: Request, template: str, *, status: int = 200, **values: Any) -> HTMLResponse:
    """A page from ``templates/<template>``; ``caller``, ``person``, ``csrf``, ``note`` and ``language`` are always known."""
    language = chosen_language(request)
    note = unquote(request.cookies.get(NOTE_COOKIE, ""))
    found: Caller | None = getattr(request.state, "caller", None)
    known = {
        "caller": found, "person": found.person if found else None, "csrf": getattr(request.state, "csrf", ""),
        "note": note, "language": language, "path": request.url.path, "hub": request.app.state.hub.settings,
    }  # fmt: skip
    page = HTMLResponse(environment(language).get_template(template).render(known | values), status)
    return _with_cookies(request, page, shown=bool(note))


def redirect(request: Request, path: str, note: str = "") -> RedirectResponse:
    """See another page after a form (303), with a note to show there once."""
    answer = RedirectResponse(path, 303)
    if note:
        spoken = translator(chosen_language(request))(note)
        set_cookie(answer, request.app.state.hub, NOTE_COOKIE, quote(spoken), seconds=60)
    return answer


def set_cookie(answer: Any, hub: Deployment, name: str, value: str, *, seconds: int | None = None) -> None:
    """A cookie that scripts cannot read and foreign pages' forms do not send."""
    answer.set_cookie(
        name, value, max_age=seconds, httponly=True, samesite="lax", secure=hub.settings.secure, path="/"
    )  # fmt: skip


def hx(request: Request) -> bool:
    """Whether htmx asks, for a part of a page."""
    return request.headers.get("hx-request") == "true"


def _with_cookies(request: Request, page: HTMLResponse, *, shown: bool) -> HTMLResponse:
    hub: Deployment = request.app.state.hub
    if shown:
        page.delete_cookie(NOTE_COOKIE)
    visit = getattr(request.state, "visit", None)
    if visit and VISIT_COOKIE not in request.cookies:
        set_cookie(page, hub, VISIT_COOKIE, visit)
    return page


def plain_form(form: Mapping[str, Any]) -> dict[str, str]:
    """Text fields of a form, stripped; files are left out."""
    return {key: value.strip() for key, value in form.items() if isinstance(value, str)}
