"""How every room's command line ends."""

import sys
from collections.abc import Callable

from contracts.errors import StreamrecError


def run(app: Callable[[], object]) -> None:
    """Run a command line; a named error becomes one line on stderr and its exit code."""
    try:
        app()
    except StreamrecError as error:
        print(f"error: {error}", file=sys.stderr)  # noqa: T201  the one place that speaks for every room
        sys.exit(error.exit_code)
