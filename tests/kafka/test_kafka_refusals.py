"""A broker that is not what was asked for, and a user who is not: refused in one line each."""

import json
import subprocess
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.kafka.kafka_broker import Pipeline, make_pipeline
from tests.kafka.kafka_runs import write_dataset
from tests.kafka.secure_broker import ELSEWHERE, EXPIRED, FOREIGN, OLD_TLS, SecureBroker
from tests.support.app_settings import write_settings

AT_ONCE = 4
WRONG = "found-nowhere-else"


@dataclass(frozen=True)
class Attempt:
    """What is tried with both clients, and what is said then, with status 5.

    Attributes:
        settings: of the configuration, beside those that work.
        command: of the app.
        said: parts of the one line.

    """

    settings: dict[str, object]
    command: list[str]
    said: tuple[str, ...]


@pytest.fixture(scope="module")
def attempts(
    secure_broker: SecureBroker, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, Attempt]:
    """Return every refusal by its name."""
    broker, directory = secure_broker, tmp_path_factory.mktemp("refusals")
    write_dataset(directory / "m.csv", 10)
    users = {"producer": directory / "wrong.json", "stranger": directory / "unknown.json"}
    for user, path in users.items():
        path.touch(mode=0o600)
        path.write_text(json.dumps({"username": user, "password": WRONG}))
    broker.add_user("nobody")
    names = ("consumer_net_disk", "nobody")
    own = {name: str(broker.credentials / f"{name}.json") for name in names}

    def as_user(path: object, *command: str) -> list[str]:
        return [*command, "--credentials", str(path)]

    produce = ("produce", "--run-id", "r1", "--dataset", str(directory / "m.csv"))
    consume = ("consume", "--run-id", "r1", "--group", "cpu_mem")
    refused = ("refused user 'producer' (SCRAM-SHA-512): the user or the password is wrong",)
    stranger = ("refused user 'stranger'",)
    plain: dict[str, object] = {"bootstrap_servers": [broker.address]}
    not_secure: dict[str, object] = {"kafka_security": None}
    trust = f"{broker.authority.file} does not vouch for it"
    other = "is for DNS:kafka.example, IP Address:192.0.2.1, not for 127.0.0.1"

    def may_not(user: str, what: str) -> tuple[str, ...]:
        return (f"user '{user}' is not authorized: {what}", "was refused while ")

    return {
        "expired": Attempt(broker.settings(EXPIRED), ["probe"], ("certificate expired on ",)),
        "foreign": Attempt(
            broker.settings(FOREIGN), ["probe"], ("issued by commonName=stranger", trust)
        ),
        "elsewhere": Attempt(broker.settings(ELSEWHERE), ["probe"], (other,)),
        "old TLS": Attempt(broker.settings(OLD_TLS), ["probe"], ("version; expected TLS 1.3",)),
        "plain broker": Attempt(plain, ["probe"], ("in plain text, but SASL_SSL is expected",)),
        "plain app": Attempt(not_secure, ["probe"], ("expects TLS, but this host is configured",)),
        "password, probe": Attempt({}, as_user(users["producer"], "probe"), refused),
        "password, produce": Attempt({}, as_user(users["producer"], *produce), refused),
        "password, consume": Attempt({}, as_user(users["producer"], *consume), refused),
        "unknown user": Attempt({}, as_user(users["stranger"], "probe"), stranger),
        "other group": Attempt(
            {},
            as_user(own["consumer_net_disk"], *consume),
            may_not("consumer_net_disk", "Read on group server-monitoring-cpu_mem"),
        ),
        "write": Attempt(
            {},
            as_user(own["consumer_net_disk"], *produce),
            may_not("consumer_net_disk", "Write on topic topic-cpu-"),
        ),
        "nothing, consume": Attempt(
            {}, as_user(own["nobody"], *consume), may_not("nobody", "Describe on topic topic-cpu-")
        ),
        "nothing, probe": Attempt(
            {},
            as_user(own["nobody"], "probe"),
            may_not("nobody", "Create on topic server-monitoring-probe"),
        ),
    }


@pytest.fixture(scope="module")
def pipelines(
    secure_broker: SecureBroker,
    attempts: dict[str, Attempt],
    tmp_path_factory: pytest.TempPathFactory,
) -> dict[tuple[str, str], Pipeline]:
    """Return a pipeline for each attempt and client."""
    made = {}
    for client in ("kafka-python", "confluent-kafka"):
        base = make_pipeline(secure_broker, tmp_path_factory.mktemp("base"), 3, client)
        for name, attempt in attempts.items():
            directory = tmp_path_factory.mktemp("refused")
            values = base.values | attempt.settings | {"data_dir": str(directory / "data")}
            kept = {key: value for key, value in values.items() if value is not None}
            config = write_settings(directory / "config.yml", kept)
            made[name, client] = Pipeline(secure_broker, config, kept, directory / "data")
    return made


@pytest.fixture(scope="module")
def outcomes(
    attempts: dict[str, Attempt], pipelines: dict[tuple[str, str], Pipeline]
) -> dict[tuple[str, str], subprocess.CompletedProcess[str]]:
    """Try everything, some at the same time: they mostly wait."""
    with ThreadPoolExecutor(AT_ONCE) as pool:
        tried = pool.map(lambda key: pipelines[key].run(*attempts[key[0]].command), pipelines)
        return dict(zip(pipelines, tried, strict=True))


NAMES = (
    *("expired", "foreign", "elsewhere", "old TLS", "plain broker", "plain app"),
    *("password, probe", "password, produce", "password, consume", "unknown user"),
    *("other group", "write", "nothing, consume", "nothing, probe"),
)


@pytest.mark.parametrize("name", NAMES)
def test_what_is_wrong_is_refused_in_one_line(
    client: str,
    name: str,
    attempts: dict[str, Attempt],
    outcomes: dict[tuple[str, str], subprocess.CompletedProcess[str]],
) -> None:
    """With the broker, what was found, and what to do; no password, no traceback."""
    done = outcomes[name, client]
    line = done.stderr.splitlines()[-1]
    assert done.returncode == 5, done.stderr
    assert line.startswith("server-monitoring: error: broker 127.0.0.1:")
    for part in attempts[name].said:
        assert part in line
    assert "Traceback" not in done.stderr
    assert WRONG not in done.stderr + done.stdout


def test_nothing_was_left_out(attempts: dict[str, Attempt]) -> None:
    """The names above are all of them."""
    assert set(attempts) == set(NAMES)


def test_a_refused_user_is_in_the_brokers_log(
    secure_broker: SecureBroker,
    outcomes: dict[tuple[str, str], subprocess.CompletedProcess[str]],
) -> None:
    """Who has no password, and who has no right."""
    assert outcomes
    log = "".join(
        path.read_text(errors="replace")
        for path in [
            secure_broker.directory / "broker.log",
            *(secure_broker.directory / "logs").glob("*.log"),
        ]
    )
    assert "Failed authentication" in log
    assert "Principal = User:consumer_net_disk is Denied" in log


def test_credentials_that_others_may_read_are_not_used(
    secure_broker: SecureBroker, tmp_path: Path
) -> None:
    """Nor those that are not there; before anything is sent."""
    pipeline = make_pipeline(secure_broker, tmp_path, 1)
    own = tmp_path / "own.json"
    own.write_bytes((secure_broker.credentials / "producer.json").read_bytes())
    own.chmod(0o640)
    done = pipeline.run("probe", "--credentials", str(own))
    assert (done.returncode, done.stderr.count("\n")) == (3, 1)
    assert f"{own}: found mode 0640, expected 0600" in done.stderr
    password = json.loads(own.read_text())["password"]
    assert password not in done.stderr
