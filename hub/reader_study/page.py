"""The local page of one reader study: sign in by code, one question after the other, results for the organiser.

Belongs here: HTTP. Does not belong here: drawing, storing, counting. It works without JavaScript, and shares the look and
the security headers of the hub.
"""

import csv
import io
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

from fastapi import FastAPI, Form, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import FileResponse, HTMLResponse, JSONResponse, RedirectResponse, Response
from fastapi.staticfiles import StaticFiles
from starlette.exceptions import HTTPException
from starlette.middleware.base import RequestResponseEndpoint

from hub.deployment import utc_now
from hub.errors import ForbiddenError, GoneError, HubError, NotFoundError, SignInError
from hub.reader_study.answers import Answers
from hub.reader_study.drawing import order_of
from hub.reader_study.permission import loopback
from hub.reader_study.results import COLUMNS, results_of, table_of
from hub.reader_study.study import PICTURES, Study, read_study
from hub.web.headers import SecurityHeaders
from hub.web.language import chosen_language
from hub.web.pages import TEMPLATES, environment
from records.errors import ParameterError, PhaseIVError

COOKIE = "phaseiv_reader"
CONFIDENCES = (1, 2, 3)


def build(folder: Path, *, clock: Callable[[], datetime] = utc_now) -> FastAPI:
    """The application over a study's folder.

    Raises
    ------
    StorageError
        The folder is not that of a study.
    """
    study = read_study(folder)
    application = FastAPI(title="PHASE IV AI reader study", openapi_url=None, docs_url=None, redoc_url=None)
    application.state.page = _Page(folder, study, Answers(folder), clock)
    application.add_middleware(SecurityHeaders, secure=False)
    application.middleware("http")(_guarded)
    application.mount("/static", StaticFiles(directory=TEMPLATES.parent / "static"), name="static")
    _routes(application)
    application.add_exception_handler(PhaseIVError, _told)
    application.add_exception_handler(RequestValidationError, _malformed)
    application.add_exception_handler(HTTPException, _http)
    return application


class _Page:
    """One study being read."""

    def __init__(self, folder: Path, study: Study, answers: Answers, clock: Callable[[], datetime]) -> None:
        self.folder, self.study, self.answers, self.clock = folder, study, answers, clock
        self.pictures = {name for question in study.questions for name in question.pictures}

    def refuse(self, request: Request) -> None:
        """Whatever may not be shown to this visitor now."""
        until = self.study.valid_until
        if until is not None and self.clock().date() > until:
            raise GoneError("the permit of this study must be valid, got one that has ended; ask for another")
        if self.study.local_only and not (request.client and loopback(request.client.host)):
            raise ForbiddenError("these images must stay on their machine, got a visitor from another; read them there")
        origin = request.headers.get("origin")
        if request.method == "POST" and origin and origin.split("//")[-1] != request.headers.get("host"):
            raise ForbiddenError("a form must come from this page, got one from another; open the page again")

    def reader(self, request: Request) -> str:
        """The visitor's code, if it is a reader's."""
        code = request.cookies.get(COOKIE, "")
        if code not in self.study.readers:
            raise SignInError("a reader must give the code of the study, got none; sign in")
        return code

    def organiser(self, request: Request) -> None:
        """Refuse all but the organiser."""
        if request.cookies.get(COOKIE) != self.study.organiser:
            raise SignInError("results must be opened with the organiser's code, got none; sign in")

    def open_question(self, reader: str) -> tuple[int | None, int]:
        """The next question of a reader, None at the end, and how many are answered."""
        done = self.answers.answered(reader)
        order = order_of(self.study.id, reader, len(self.study.questions))
        return next((number for number in order if number not in done), None), len(done)

    def keep(self, reader: str, number: int, choice: str, confidence: int) -> bool:
        """Store an answer; False if there was one."""
        if not 0 <= number < len(self.study.questions):
            raise NotFoundError("a question must be one of the study's, got another; go on with the next")
        if choice not in self.study.choices or confidence not in CONFIDENCES:
            raise ParameterError("an answer must be one of the choices with a confidence, got none; choose both")
        return self.answers.keep(reader, number, choice, confidence, self.clock())


async def _guarded(request: Request, go_on: RequestResponseEndpoint) -> Response:
    page: _Page = request.app.state.page
    if not request.url.path.startswith("/static/"):
        try:
            page.refuse(request)
        except PhaseIVError as error:
            return _told(request, error)
    return await go_on(request)


def _routes(application: FastAPI) -> None:
    get, post = application.get, application.post
    get("/")(_front)
    post("/code")(_sign_in)
    post("/leave")(_leave)
    get("/question")(_question)
    post("/question/{number}")(_answer)
    get("/pictures/{name}")(_picture)
    get("/results")(_results)
    get("/results.json")(_results_json)
    get("/results.csv")(_results_csv)


def _front(request: Request) -> Response:
    page: _Page = request.app.state.page
    code = request.cookies.get(COOKIE, "")
    if code in page.study.readers:
        return RedirectResponse("/question", 303)
    return _render(request, "reader_study_sign_in.html.j2", failed=False)


def _sign_in(request: Request, code: Annotated[str, Form()] = "") -> Response:
    page: _Page = request.app.state.page
    given = code.strip().upper()
    if given not in page.study.readers and given != page.study.organiser:
        return _render(request, "reader_study_sign_in.html.j2", status=401, failed=True)
    answer = RedirectResponse("/results" if given == page.study.organiser else "/question", 303)
    answer.set_cookie(COOKIE, given, httponly=True, samesite="strict", path="/")
    return answer


def _leave(request: Request) -> Response:
    answer = RedirectResponse("/", 303)
    answer.delete_cookie(COOKIE)
    return answer


def _question(request: Request, again: bool = False) -> Response:
    page: _Page = request.app.state.page
    reader = page.reader(request)
    number, done = page.open_question(reader)
    total = len(page.study.questions)
    if number is None:
        return _render(request, "reader_study_done.html.j2", total=total)
    question = page.study.questions[number]
    return _render(
        request, "reader_study_question.html.j2", number=number, done=done, total=total, again=again,
        pictures=question.pictures, name=page.study.readers[reader],
    )  # fmt: skip


def _answer(
    request: Request, number: int, choice: Annotated[str, Form()] = "", confidence: Annotated[int, Form()] = 0
) -> Response:
    page: _Page = request.app.state.page
    first = page.keep(page.reader(request), number, choice, confidence)
    return RedirectResponse("/question" if first else "/question?again=true", 303)


def _picture(request: Request, name: str) -> Response:
    page: _Page = request.app.state.page
    page.reader(request)
    if name not in page.pictures:
        raise NotFoundError("a picture must be one of the study's, got another; go on with the next question")
    return FileResponse(page.folder / PICTURES / name, media_type="image/png", headers={"Cache-Control": "no-store"})


def _results(request: Request) -> Response:
    page: _Page = request.app.state.page
    page.organiser(request)
    return _render(request, "reader_study_results.html.j2", result=results_of(page.study, page.answers.all()))


def _results_json(request: Request) -> Response:
    page: _Page = request.app.state.page
    page.organiser(request)
    answers = page.answers.all()
    body = results_of(page.study, answers).to_json() | {"answers": table_of(page.study, answers)}
    return JSONResponse(body, headers={"Content-Disposition": 'attachment; filename="reader_study.json"'})


def _results_csv(request: Request) -> Response:
    page: _Page = request.app.state.page
    page.organiser(request)
    lines = table_of(page.study, page.answers.all())
    buffer = io.StringIO()
    writer = csv.DictWriter(buffer, COLUMNS)
    writer.writeheader()
    writer.writerows(lines)
    headers = {"Content-Disposition": 'attachment; filename="reader_study.csv"'}
    return Response(buffer.getvalue(), media_type="text/csv", headers=headers)


def _render(request: Request, template: str, *, status: int = 200, **values: Any) -> HTMLResponse:
    language = chosen_language(request)
    page: _Page = request.app.state.page
    known = {"language": language, "study": page.study, "signed_in": COOKIE in request.cookies}
    return HTMLResponse(environment(language).get_template(template).render(known | values), status)


def _told(request: Request, error: Exception) -> Response:
    assert isinstance(error, PhaseIVError)
    if isinstance(error, SignInError) and request.method == "GET" and not request.url.path.startswith("/pictures/"):
        return RedirectResponse("/", 303)
    status = error.status if isinstance(error, HubError) else 422
    return _render(request, "reader_study_error.html.j2", status=status, words=str(error))


def _malformed(request: Request, error: Exception) -> Response:
    """Never repeats what was sent."""
    words = "an answer must be one of the choices with a confidence, got none; choose both"
    return _render(request, "reader_study_error.html.j2", status=422, words=words)


def _http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    return _render(request, "reader_study_error.html.j2", status=error.status_code, words=str(error.detail))
