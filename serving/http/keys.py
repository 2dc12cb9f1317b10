"""API keys and how often each may ask."""

import base64
import binascii
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(slots=True)
class Caller:
    """A holder of a key, with a bucket of tokens that fills with time.

    Args:
        name: Appears in logs and metrics in the place of the key.
        per_second: Requests a second in the long run; a burst of as many, and of one at least, is allowed at once.
        tokens: Left in the bucket.
        filled_at: Monotonic seconds.
    """

    name: str
    per_second: float
    tokens: float
    filled_at: float

    def take(self, now: float) -> bool:
        """Whether a request is within the rate; takes a token if so.

        A clock that steps back fills nothing and takes nothing.
        """
        elapsed = now - self.filled_at
        if elapsed > 0:
            self.tokens = min(max(1.0, self.per_second), self.tokens + elapsed * self.per_second)
        self.filled_at = now
        if self.tokens < 1:
            return False
        self.tokens -= 1
        return True


class Callers:
    """Who holds which key.

    Args:
        hashes: Name of each caller and the SHA-256 of the key, in hex.
        per_second: Requests a second of each key and worker.
        now: Monotonic seconds.
    """

    def __init__(self, hashes: Mapping[str, str], per_second: float, now: float) -> None:
        # Keys are looked up by their hash: nothing in memory or in the settings gives a key away.
        self._callers = {
            bytes.fromhex(digest): Caller(name, per_second, max(1.0, per_second), now)
            for name, digest in hashes.items()
        }

    def of(self, authorization: bytes, *, is_read: bool) -> Caller | None:
        """Who sent `Authorization: Bearer KEY`, or `Basic` with the key as its password; None for nobody known.

        A browser adds the password that it was once told to whatever any page makes it send here. So a password reads
        and changes nothing.
        """
        scheme, _, said = authorization.partition(b" ")
        kind, key = scheme.lower(), said.strip()
        if kind == b"basic" and is_read:
            key = _password(key)
        elif kind != b"bearer":
            return None
        return self._callers.get(hashlib.sha256(key).digest()) if key else None


def _password(credentials: bytes) -> bytes:
    """The password of `base64(name:password)`, whoever the name is; empty where it is none."""
    try:
        return base64.b64decode(credentials, validate=True).partition(b":")[2]
    except binascii.Error:
        return b""
