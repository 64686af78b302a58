"""`nas-fpga dashboard`: the study in Optuna's web page."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable
from pathlib import Path
from socketserver import ThreadingMixIn
from typing import TYPE_CHECKING, Annotated, Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

import typer

from nas_fpga.cli import _options as options

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIApplication

    from nas_fpga.study import StudyStorage


def dashboard(
    study: options.Study = None,
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port to listen on; 0 takes one that is free.")] = 8080,
    host: Annotated[str, typer.Option(help="Address to listen on; 0.0.0.0 is reached from other machines.")] = (
        "127.0.0.1"
    ),
    runs: options.Runs = "runs",
    storage: options.Storage = None,
    debug: options.Debug = False,
) -> None:
    """Show a study in Optuna's dashboard: a web page with all trials, also while the search runs. Ctrl-C ends it.

    The page only reads: what it offers to change or delete is refused.
    """
    del debug
    from nas_fpga.study import StudyStorage

    folder = options.existing_study(Path(runs), study, stored_elsewhere=storage is not None)
    with StudyStorage(folder, storage) as found:
        found.open(write=False)
        with _server(found, host, port) as server, contextlib.suppress(KeyboardInterrupt):
            page = f"http://{host}:{server.server_port}/dashboard/studies/{found.optuna_id}"
            typer.echo(f"Study {folder.name}: {page} (Ctrl-C ends)")
            server.serve_forever()


def _server(study: StudyStorage, host: str, port: int) -> WSGIServer:
    """Return a server of the dashboard that listens already.

    Raises:
        InputError: It cannot listen there.
    """
    from optuna_dashboard import wsgi

    from nas_fpga.errors import InputError

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
