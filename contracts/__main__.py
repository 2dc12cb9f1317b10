"""`python -m contracts docs` writes docs/contracts.md."""

from pathlib import Path

import typer

from contracts.docs import render

app = typer.Typer(no_args_is_help=True, add_completion=False)


@app.callback()
def contracts() -> None:
    """What every room of streamrec agrees on."""


@app.command()
def docs(out: Path = Path("docs/contracts.md")) -> None:
    """Write the contracts page."""
    out.write_text(render())
    typer.echo(f"wrote {out}")


if __name__ == "__main__":
    app()
