"""Optuna's web page of a study, served read only. Apart from the command, as its imports take 30 ms."""

from __future__ import annotations

from collections.abc import Iterable
from socketserver import ThreadingMixIn
from typing import TYPE_CHECKING, Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

from optuna_dashboard import wsgi

from nas_fpga.errors import InputError

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIApplication

    from nas_fpga.study import StudyStorage


def dashboard_server(study: StudyStorage, host: str, port: int) -> WSGIServer:
    """Return a server of the dashboard that listens already.

    Raises:
        InputError: It cannot listen there.
    """
    try:
        return make_server(host, port, _read_only(wsgi(study.optuna)), _Server, _Handler)
    except OSError as error:
        raise InputError(
            f"--port {port} of --host {host} cannot be listened on ({error.strerror}); give another, or --port 0 for "
            "one that is free"
        ) from error


def _read_only(app: WSGIApplication) -> WSGIApplication:
    """Return the application without what would change a study, or delete it while a search writes to it."""

    def answer(environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        if environ["REQUEST_METHOD"] in ("GET", "HEAD"):
            return app(environ, start_response)
        start_response("403 Forbidden", [("Content-Type", "application/json")])
        return [b'{"reason": "this page only reads"}']

    return answer


class _Server(ThreadingMixIn, WSGIServer):
    """Answers several requests at once; a browser keeps some open."""

    daemon_threads = True


class _Handler(WSGIRequestHandler):
    """Keeps requests off the terminal, and does not ask the name service who sends them."""

    def log_message(self, *_: object) -> None:
        """Say nothing."""

    def address_string(self) -> str:
        """Return the address as it is."""
        return str(self.client_address[0])
