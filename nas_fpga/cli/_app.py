"""Puts the commands together and turns every error into one line and an exit code."""

from __future__ import annotations

import itertools
import os
import select
import sys
from typing import Any, NoReturn

import typer

from nas_fpga.cli.calibrate import calibrate
from nas_fpga.cli.compare import compare
from nas_fpga.cli.dashboard import dashboard
from nas_fpga.cli.data import data_app
from nas_fpga.cli.estimate import estimate
from nas_fpga.cli.explain import explain
from nas_fpga.cli.export import export
from nas_fpga.cli.front import front
from nas_fpga.cli.report import report
from nas_fpga.cli.search import search
from nas_fpga.cli.sweep import sweep
from nas_fpga.cli.verify import verify
from nas_fpga.errors import NasFpgaError

app = typer.Typer(
    name="nas-fpga",
    help="Search neural networks for FPGAs: train and quantize topologies under a budget, know what each costs on the "
    "part, and get the Pareto front of precision versus resources.\n\n"
    "Start with: nas-fpga search --budget 2000",
    no_args_is_help=True,
    add_completion=True,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command()(search)
app.command()(front)
app.command()(compare)
app.command()(sweep)
app.command()(explain)
app.command()(estimate)
app.command()(calibrate)
app.command()(export)
app.command()(verify)
app.command()(report)
app.command()(dashboard)
app.add_typer(data_app, name="data")

_OUTPUTS = (1, 2)  # file descriptors of standard output and standard error

# What typer raises for a bad command line; it keeps its own copy of click since 0.20, so the class is taken from it.
_UsageError: type[Exception] = typer.BadParameter.__mro__[1]


@app.callback(invoke_without_command=True)
def _root(version: bool = typer.Option(False, "--version", help="Print the version and exit.")) -> None:
    if version:
        from nas_fpga import __version__

        typer.echo(__version__)
        raise typer.Exit


def main() -> NoReturn:
    """Run the command line and exit: 0 done, 1 the search failed, 2 wrong input, 130 stopped by Ctrl-C."""
    # Small matrices are fastest with one thread, and sums then do not depend on the machine. Before numpy is imported.
    for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ[variable] = "1"
    try:
        code = app(standalone_mode=False, prog_name="nas-fpga")
    except NasFpgaError as error:
        _fail(str(error), error.exit_code, error)
    except _UsageError as error:
        if type(error).__name__ == "NoArgsIsHelpError":  # a command group alone: its help, laid out as it is
            typer.echo(str(error), err=True)
            sys.exit(2)
        _fail(_usage_text(error), 2, error)
    except SystemExit as end:  # typer takes any broken pipe for a reader (head, less) that has seen enough
        if not isinstance(end.__context__, BrokenPipeError) or any(map(_is_unread, _OUTPUTS)):
            raise
        _fail(f"{end.__context__.strerror}: another program has gone; try again", 2, end.__context__)
    except OSError as error:  # full disk, read-only folder, no such file: the system's word and what it was about
        about = f"{error.filename}: " if error.filename else ""
        _fail(f"{about}{error.strerror or error}; make room or give another place", 2, error)
    except (KeyboardInterrupt, typer.Abort) as error:
        _fail("stopped", 130, error)
    sys.exit(code or 0)


def _is_unread(descriptor: int) -> bool:
    """Return whether nobody reads any longer what is written there."""
    poll = select.poll()
    poll.register(descriptor, select.POLLOUT)
    return any(event & (select.POLLERR | select.POLLHUP) for _, event in poll.poll(0))


def _usage_text(error: Any) -> str:
    """Return what typer says of a bad command line, with the value that was typed and where help is."""
    text: str = error.format_message().replace("Value error, ", "").rstrip(".")
    names = getattr(getattr(error, "param", None), "opts", [])
    for typed, value in itertools.pairwise([*sys.argv, ""]):
        name, is_joined, joined = typed.partition("=")
        if name in names and (value := joined if is_joined else value) and f"'{value}'" not in text:
            text = text.replace("Invalid value", f"Invalid value '{value}'")
    if error.ctx is not None:
        words = error.ctx.command_path.split()[1:]
    else:  # an option without its value
        words = list(itertools.takewhile(lambda word: not word.startswith("-"), sys.argv[1:]))
    return f"{text}; {' '.join(['nas-fpga', *words, '--help'])} lists what there is"


def _fail(text: str, code: int, error: BaseException) -> NoReturn:
    if "--debug" in sys.argv:
        raise error
    stopped_by_user = code == 130
    typer.echo(("" if stopped_by_user else "error: ") + " ".join(text.split()), err=True)
    sys.exit(code)
