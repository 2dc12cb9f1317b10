"""The edge's own connection to Redis, against a real server that is slow, killed, or asks for a password."""

import asyncio
import ssl
import time
from collections.abc import Awaitable, Callable, Coroutine, Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import hiredis
import pytest
import redis
import uvloop
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from contracts import redis_keys
from contracts.errors import SettingsError, StoreUnavailableError
from contracts.marks import pack_marks
from contracts.settings import ServingSettings
from serving.publish import publish
from serving.stores.pipelined import PipelinedRedis, raised
from serving.stores.redis_store import RedisStore
from serving.stores.user_reads import ReadPlan
from tests.redis_server import free_port, running_redis
from tests.serving.builders import DAY, NOW, small_platform
from tests.slow_proxy import slow_proxy

PATIENT_MS = 10_000
RETRY_MS = 20
DAY_LONG = timedelta(days=1)
Test = Callable[[PipelinedRedis], Awaitable[None]]


def using(url: str, test: Test, timeout_ms: int = PATIENT_MS) -> None:
    """Run a test with a connection."""

    async def run() -> None:
        connection = PipelinedRedis(url, timeout_ms, RETRY_MS)
        await connection.start()
        try:
            await test(connection)
        finally:
            await connection.stop()

    uvloop.run(run())


async def until(is_so: Callable[[], bool], seconds: float = 10.0) -> None:
    """Wait for something that happens in the background."""
    async with asyncio.timeout(seconds):
        while not is_so():
            await asyncio.sleep(0.005)


async def failed(question: Coroutine[Any, Any, object]) -> str:
    with pytest.raises(StoreUnavailableError) as caught:
        await question
    return str(caught.value)


async def ask(connection: PipelinedRedis, *command: str | int | bytes) -> object:
    (answer,) = await connection.ask([command])
    return answer


@contextmanager
def server(folder: Path, port: int) -> Iterator[ExitStack]:
    """A server that a test may stop before the end, by closing what it gets."""
    with ExitStack() as running:
        running.enter_context(running_redis(folder, port))
        yield running


def test_everybody_gets_their_own_answers(redis_url: str) -> None:
    async def test(connection: PipelinedRedis) -> None:
        async def one(number: int) -> None:
            count = number % 5 + 1
            answers = await connection.ask([("ECHO", f"{number}/{place}") for place in range(count)])
            assert answers == [f"{number}/{place}".encode() for place in range(count)]

        await asyncio.gather(*(one(number) for number in range(1_000)))

    using(redis_url, test)


def test_answers_that_come_in_pieces_are_put_together(redis_server_url: str) -> None:
    async def test(connection: PipelinedRedis) -> None:
        proxy.piece = 7
        words = [f"{number}" * 50 for number in range(100)]
        answers = await asyncio.gather(*(ask(connection, "ECHO", word) for word in words))
        assert answers == [word.encode() for word in words]

    with slow_proxy(int(redis_server_url.rpartition(":")[2])) as proxy:
        using(f"redis://127.0.0.1:{proxy.port}/0", test)


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    """A key and a certificate of 127.0.0.1 that signs itself, in one file."""
    key, name = ec.generate_private_key(ec.SECP256R1()), x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "redis")])
    now = datetime.now(UTC)
    address = x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))])
    builder = x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number(), now, now + DAY_LONG)
    signed = builder.add_extension(address, critical=False).sign(key, hashes.SHA256())
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    (tmp_path / "redis.pem").write_bytes(private + signed.public_bytes(Encoding.PEM))
    return tmp_path / "redis.pem"


@pytest.mark.parametrize(
    ("options", "problem"),
    [("?ssl_ca_certs={}", ""), ("?ssl_cert_reqs=none", ""), ("", "CERTIFICATE_VERIFY_FAILED")],
)
def test_tls_is_spoken_as_the_url_says(redis_server_url: str, certificate: Path, options: str, problem: str) -> None:
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(certificate)

    async def test(connection: PipelinedRedis) -> None:
        assert connection.is_up is not bool(problem)
        assert problem in connection.problem
        if not problem:
            assert await ask(connection, "ECHO", "a") == b"a"

    with slow_proxy(int(redis_server_url.rpartition(":")[2]), tls) as proxy:
        using(f"rediss://127.0.0.1:{proxy.port}/0{options.format(certificate)}", test)


def test_a_certificate_that_is_not_there_is_a_fault_of_the_settings(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"redis\.url: TLS cannot be set up"):
        PipelinedRedis(f"rediss://127.0.0.1:1?ssl_ca_certs={tmp_path / 'none.pem'}", PATIENT_MS, RETRY_MS)


def test_what_redis_refuses_is_an_error_among_answers_and_the_others_stand(redis_url: str) -> None:
    async def test(connection: PipelinedRedis) -> None:
        before, refused, after = await connection.ask([("ECHO", "a"), ("HGET", "no", "arguments", "!"), ("ECHO", "b")])
        assert (before, after) == (b"a", b"b")
        assert isinstance(refused, hiredis.ReplyError)
        with pytest.raises(StoreUnavailableError, match="Redis refused a command: ERR wrong number"):
            raised([before, refused])
        assert await ask(connection, "ECHO", "c") == b"c"

    using(redis_url, test)


def test_a_user_is_read_as_the_store_reads_one(redis_url: str, tmp_path: Path) -> None:
    store = RedisStore.open(redis_url, PATIENT_MS)
    generation = publish(small_platform(tmp_path), store, ServingSettings(), DAY, NOW).generation
    with redis.Redis.from_url(redis_url) as client:
        client.set(redis_keys.seen(1), pack_marks({100: 5, 101: 6}))

    async def test(connection: PipelinedRedis) -> None:
        for user in (1, 77, None):
            plan = ReadPlan(generation, "home_clips", user)
            found, expected = await connection.read(plan), store.read(plan)
            assert (found.packed, found.seen.tolist()) == (expected.packed, expected.seen.tolist())
            assert (found.known is None) == (expected.known is None)

    using(redis_url, test)


def test_a_key_of_another_kind_is_named(redis_url: str) -> None:
    with redis.Redis.from_url(redis_url) as client:
        client.set(redis_keys.lists("g", "home_clips", 0), b"not a hash")

    async def test(connection: PipelinedRedis) -> None:
        assert "Redis refused a command: WRONGTYPE" in await failed(connection.read(ReadPlan("g", "home_clips", 1)))
        assert connection.is_up

    using(redis_url, test)


def test_a_server_that_is_killed_fails_all_that_wait_and_later_ones_at_once_until_it_is_back(tmp_path: Path) -> None:
    port = free_port()

    async def test(connection: PipelinedRedis) -> None:
        # A read that waits for news keeps all behind it waiting, too.
        waiting = [asyncio.ensure_future(failed(ask(connection, "BLPOP", "nothing", 0))) for _ in range(50)]
        await asyncio.sleep(0.05)
        await asyncio.to_thread(running.close)
        async with asyncio.timeout(5):
            assert {text.partition(" (")[0] for text in await asyncio.gather(*waiting)} == {"Redis did not answer"}
        assert not connection.is_up
        started = time.monotonic()
        for _ in range(100):
            await failed(ask(connection, "PING"))
        # Each at once: waiting for the limit even once would take ten seconds.
        assert time.monotonic() - started < 5
        with running_redis(tmp_path, port):
            await until(lambda: connection.is_up)
            assert await ask(connection, "ECHO", "back") == b"back"

    with server(tmp_path, port) as running:
        using(f"redis://127.0.0.1:{port}/0", test)


def test_a_slow_server_costs_no_more_than_the_limit_and_is_used_again_when_it_is_fast(redis_server_url: str) -> None:
    async def test(connection: PipelinedRedis) -> None:
        assert await ask(connection, "ECHO", "fast") == b"fast"
        proxy.delay_seconds = 1.0
        started = time.monotonic()
        messages = await asyncio.gather(*(failed(ask(connection, "ECHO", "slow")) for _ in range(20)))
        assert time.monotonic() - started < 0.5
        assert set(messages) == {"Redis did not answer (no answer within 50 ms)"}
        assert connection.problem == messages[0]
        proxy.delay_seconds = 0.0
        await until(lambda: connection.is_up)
        assert await ask(connection, "ECHO", "fast again") == b"fast again"
        assert connection.problem == ""

    with slow_proxy(int(redis_server_url.rpartition(":")[2])) as proxy:
        using(f"redis://127.0.0.1:{proxy.port}/0", test, 50)


def test_attempts_that_got_no_answer_leave_no_connection_behind(redis_server_url: str) -> None:
    async def test(connection: PipelinedRedis) -> None:
        proxy.delay_seconds = 1.0
        await failed(ask(connection, "PING"))
        await until(lambda: proxy.connections >= 5)
        assert not connection.is_up
        assert proxy.open_connections <= 2
        proxy.delay_seconds = 0.0
        await until(lambda: connection.is_up)
        # The end of those that were given up is not the end of this one.
        await asyncio.sleep(0.2)
        assert connection.is_up
        await until(lambda: proxy.open_connections == 1)

    with slow_proxy(int(redis_server_url.rpartition(":")[2])) as proxy:
        using(f"redis://127.0.0.1:{proxy.port}/0", test, 50)


def test_a_process_that_stood_still_itself_does_not_blame_redis(redis_url: str) -> None:
    async def test(connection: PipelinedRedis) -> None:
        for _ in range(5):
            answer = asyncio.ensure_future(ask(connection, "ECHO", "here"))
            await asyncio.sleep(0)
            time.sleep(0.2)  # the event loop stands still, as it does while another thread holds it up
            assert await answer == b"here"

    using(redis_url, test, 50)


def test_a_server_that_is_away_from_the_start_is_found_when_it_comes(tmp_path: Path) -> None:
    port = free_port()

    async def test(connection: PipelinedRedis) -> None:
        assert not connection.is_up
        assert "Redis did not answer" in await failed(ask(connection, "PING"))
        with running_redis(tmp_path, port):
            await until(lambda: connection.is_up)

    using(f"redis://127.0.0.1:{port}/0", test)


def test_a_question_that_nobody_waits_for_any_more_disturbs_nobody(redis_url: str) -> None:
    async def test(connection: PipelinedRedis) -> None:
        given_up = asyncio.ensure_future(ask(connection, "ECHO", "1"))
        await asyncio.sleep(0)
        given_up.cancel()
        assert await ask(connection, "ECHO", "2") == b"2"

    using(redis_url, test)


@pytest.fixture
def guarded(tmp_path: Path) -> Iterator[str]:
    """A server with a password and a user of its own, as `host:port`."""
    with running_redis(tmp_path) as url:
        with redis.Redis.from_url(url) as client:
            client.execute_command("ACL", "SETUSER", "app", "on", ">s3cret", "~*", "+@all")
            client.config_set("requirepass", "pa:ss")
        yield url.removeprefix("redis://")


@pytest.mark.parametrize("credentials", [":pa%3Ass@", "app:s3cret@"])
def test_password_user_and_database_of_the_url_are_used(guarded: str, credentials: str) -> None:
    async def test(connection: PipelinedRedis) -> None:
        await ask(connection, "SET", "where", "three")
        with redis.Redis.from_url(f"redis://:pa%3Ass@{guarded}/3") as client:
            assert client.get("where") == b"three"

    using(f"redis://{credentials}{guarded}/3", test)


@pytest.mark.parametrize("credentials", ["", ":wrong@", "app:wrong@"])
def test_who_is_not_let_in_stays_down_and_says_why_without_the_password(guarded: str, credentials: str) -> None:
    async def test(connection: PipelinedRedis) -> None:
        message = await failed(ask(connection, "PING"))
        assert "NOAUTH" in message or "WRONGPASS" in message
        assert "wrong@" not in message

    using(f"redis://{credentials}{guarded}/0", test)
