"""A page as a person sees it: the document after Chromium has laid it out, and a picture of the window."""

import subprocess
from dataclasses import dataclass
from html.parser import HTMLParser
from pathlib import Path

from tests.programs import program

_NAMES = ("chromium", "chromium-browser", "google-chrome")
_SECONDS = 90


@dataclass(frozen=True)
class Seen:
    """What came of opening an address.

    Args:
        document: After rendering.
        said: What the browser had to say, about refused styles, too.
    """

    document: str
    picture: Path
    said: str

    @property
    def words(self) -> str:
        """The text of the document on one line."""
        reader = _Text()
        reader.feed(self.document)
        return " ".join(" ".join(reader.parts).split())


def look(address: str, folder: Path, width: int = 1400, height: int = 1800) -> Seen:
    """Open an address in a browser of its own."""
    browser = program(_NAMES, "chromium")
    folder.mkdir(exist_ok=True)
    picture = folder / "page.png"
    # Without a sandbox: tests run as root in containers, and the page is our own.
    flags = ["--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--no-first-run"]
    where = [f"--user-data-dir={folder / 'profile'}", f"--window-size={width},{height}", "--enable-logging=stderr"]
    what = ["--dump-dom", f"--screenshot={picture}", address]
    run = subprocess.run([browser, *flags, *where, *what], capture_output=True, timeout=_SECONDS, check=True)
    return Seen(run.stdout.decode(), picture, run.stderr.decode(errors="replace"))


class _Text(HTMLParser):
    """Text outside of styles and scripts."""

    def __init__(self) -> None:
        super().__init__()
        self.parts: list[str] = []
        self._is_shown = True

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._is_shown = tag not in {"style", "script"}

    def handle_endtag(self, tag: str) -> None:
        self._is_shown = True

    def handle_data(self, data: str) -> None:
        if self._is_shown:
            self.parts.append(data)
