"""Optuna's storage as a study needs it: quiet, with whole transactions, and with errors of one line."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from nas_fpga.errors import StudyError

if TYPE_CHECKING:
    from optuna.storages import RDBStorage


def sqlite_url(path: Path) -> str:
    """Return the URL of an SQLite file, as Optuna takes it.

    Raises:
        StudyError: Its path cannot be written as one.
    """
    import sqlalchemy

    database = str(path.absolute())
    url = sqlalchemy.URL.create("sqlite", database=database).render_as_string()
    if sqlalchemy.make_url(url).database != database:  # SQLAlchemy before 2.1 takes no question mark
        raise StudyError(f"study {path.parent} has a path that SQLAlchemy cannot read; give another")
    return url.replace("{", "{{").replace("}", "}}")  # Optuna fills in what stands in braces


def optuna_storage(url: str, *, make_tables: bool = True) -> RDBStorage:
    """Connect to a database.

    Args:
        url: Of any kind that Optuna takes.
        make_tables: Whether tables that are missing are made.
    """
    import optuna

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    return optuna.storages.RDBStorage(url, skip_table_creation=not make_tables)


def in_one_transaction(storage: RDBStorage, write: Callable[[], None]) -> None:
    """Let what Optuna commits one by one, twenty times for an ended trial, be one transaction.

    A commit waits for the disk. Sessions that join a transaction begun outside them: "Joining a Session into an
    External Transaction" of SQLAlchemy's manual. Where it fails, as behind another's lock, all of it is tried again.

    Args:
        storage: That is written to.
        write: Does so, by methods of the storage that try nothing again themselves.
    """
    from optuna.exceptions import StorageInternalError
    from sqlalchemy.orm import scoped_session, sessionmaker

    sessions = storage.scoped_session
    for last in (False, False, True):
        try:
            with storage.engine.begin() as connection:
                storage.scoped_session = scoped_session(sessionmaker(connection, join_transaction_mode="rollback_only"))
                try:
                    write()
                finally:
                    storage.scoped_session = sessions
        except StorageInternalError:
            if last:
                raise
        else:
            return


@contextlib.contextmanager
def storage_errors(url: str) -> Iterator[None]:
    """Turn what a database says into one line."""
    import sqlalchemy.exc
    from optuna.exceptions import StorageInternalError

    try:
        yield
    except ImportError as error:  # no driver
        reason = str(error.__cause__ or error)
        raise StudyError(
            f"study storage {url} needs a driver ({reason}); install it or give another --storage"
        ) from error
    except (sqlalchemy.exc.SQLAlchemyError, StorageInternalError, RuntimeError) as error:
        cause = error.__cause__ if isinstance(error, StorageInternalError) and error.__cause__ else error
        reason = str(getattr(cause, "orig", None) or cause).strip().splitlines()[0]
        raise StudyError(
            f"study storage {url} cannot be used: {reason}; see that it is a study, can be reached and has room, or "
            "give another --study NAME"
        ) from error
