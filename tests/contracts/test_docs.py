from pathlib import Path

from contracts.docs import render

PAGE = Path(__file__).parents[2] / "docs" / "contracts.md"


def test_the_contracts_page_is_what_the_contracts_say() -> None:
    assert PAGE.read_text() == render(), "docs/contracts.md is stale: run `python -m contracts docs`"
