"""The engine under Feast's offline store, made ready for one join or load and put away after it."""

import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

import typeguard

from contracts.settings import Settings
from contracts.spark import check_remote, spark_environment


def skip_type_instrumentation() -> None:
    """Call this before the first import of Feast: its classes are then taken as they are written.

    Feast decorates its classes with typeguard's `typechecked`, which parses and compiles every method anew at each
    import: half of the seconds that a process takes to import Feast. Our calls are checked by mypy.
    """
    typeguard.typechecked = _as_written  # type: ignore[assignment]


def _as_written(target: object = None, **_: object) -> object:
    """Stands for `typechecked`, with and without arguments."""
    return (lambda decorated: decorated) if target is None else target


@contextmanager
def offline_engine(settings: Settings) -> Iterator[None]:
    """Hold this around what Feast computes offline (`get_historical_features(...).to_arrow()`, `materialize`).

    Feast itself takes whatever engine it finds: a DuckDB that spills into the working directory and is never closed,
    a Spark client that waits ten minutes for a server that is not there.

    Raises:
        StoreUnavailableError: nobody listens at `spark.remote`.
    """
    if settings.feast.offline_store == "spark":
        _prepare_spark(settings)
        yield
    else:
        with _embedded(settings):
            yield


def _prepare_spark(settings: Settings) -> None:
    if settings.spark.remote:
        check_remote(settings.spark.remote)
    else:
        os.environ.update(spark_environment(settings, os.environ))


@contextmanager
def _embedded(settings: Settings) -> Iterator[None]:
    import ibis  # noqa: PLC0415  half a second that only this engine needs

    before = ibis.options.default_backend
    spill = settings.home.resolve() / "tmp" / "duckdb"
    # Feast sorts nothing, so the order of the rows is not kept either, which saves DuckDB memory.
    engine = ibis.duckdb.connect(temp_directory=str(spill), preserve_insertion_order=False)
    ibis.options.default_backend = engine
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", category=DeprecationWarning, module="ibis")
            yield
    finally:
        # Left to the end of the process, beside torch, the connection prints a hundred lines about leaks.
        ibis.options.default_backend = before
        engine.disconnect()
