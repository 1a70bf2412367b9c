"""What an attacker says to the broker: scripts for the app's Python on a node of the lab."""

import json

from tests.pipeline.accounts import BROKER, CREDENTIALS, as_account, command, script_as
from tests.support.playbooks import on
from tests.support.project import PROJECT

# Each line of what it prints is a name and what came of it: ok, or the error's class.
_DEEDS = """
from kafka import KafkaAdminClient, KafkaConsumer, KafkaProducer, TopicPartition
from kafka.admin import NewTopic, ScramMechanism, UserScramCredentialUpsertion
def write(topic):
    producer = KafkaProducer(**common)
    producer.send(topic, b"attack", partition=0).get(timeout=15)
def large(topic):
    producer = KafkaProducer(**common, max_request_size=200_000_000, batch_size=0)
    producer.send(topic, bytes(100_000_000), partition=0).get(timeout=15)
def read(topic):
    consumer = KafkaConsumer(**common, group_id=None)
    consumer.assign([TopicPartition(topic, 0)])
    consumer.seek(TopicPartition(topic, 0), 0)
    consumer.poll(timeout_ms=3000)
def commit(group):
    consumer = KafkaConsumer(**common, group_id=group)
    consumer.assign([TopicPartition("topic-cpu", 0)])
    consumer.committed(TopicPartition("topic-cpu", 0))
def delete(topic):
    KafkaAdminClient(**common).delete_topics([topic], timeout_ms=15000)
def create(topic):
    KafkaAdminClient(**common).create_topics([NewTopic(topic, 1, 1)], timeout_ms=15000)
def user(name):
    change = UserScramCredentialUpsertion(name, ScramMechanism.SCRAM_SHA_512, b"password1234", 4096)
    answer = KafkaAdminClient(**common).alter_user_scram_credentials([change])
    if any(answer.values()):
        raise RuntimeError(list(answer.values())[0])
for name, argument in deeds:
    try:
        globals()[name](argument)
        print(name, argument, "ok")
    except Exception as error:
        print(name, argument, type(error).__name__, str(error)[-120:].replace(chr(10), " "))
"""

# Connections that say nothing, and some that begin a handshake and never end it, for some seconds.
_CONNECTIONS = """
import resource, socket, time
resource.setrlimit(resource.RLIMIT_NOFILE, (8192, 8192))
held, closed = [], 0
while len(held) + closed < {idle} and closed < 10:  # a full broker answers nobody any more
    try:
        held.append(socket.create_connection(({host!r}, {port}), 5))
    except OSError:
        closed += 1
hello = bytes.fromhex("16030100c8010000c40303")
print(len(held), closed, flush=True)
end = time.monotonic() + {seconds}
place = 0
while time.monotonic() < end:
    for sock in held[:20]:
        try:
            sock.send(hello[place % len(hello):][:1])
        except OSError:
            pass
    place += 1
    time.sleep(1)
alive = 0
for sock in held[20:]:
    sock.setblocking(False)
    try:
        alive += bool(sock.recv(1))
    except BlockingIOError:
        alive += 1
    except OSError:
        pass
print(alive)
"""

# As many as the broker takes up to {count}, each of which announces a request and never sends it.
_LYING = """
held = []
for _ in range({count}):
    try:
        held.append(log_in({host!r}, {port}, common["ssl_cafile"], *login.values()))
        announce(held[-1], {size})
    except OSError:
        break
time.sleep({seconds})
print(len(held))
"""


def lying(account: str, count: int, size: int, seconds: int) -> str:
    """Return a script that logs in `count` times, announces `size` bytes on each, and waits.

    It prints how many connections it had.
    """
    host, _, port = BROKER.partition(":")
    words = (PROJECT / "tests" / "support" / "lying.py").read_text(encoding="utf-8")
    deed = _LYING.format(host=host, port=port, count=count, size=size, seconds=seconds)
    return script_as(account, f"import time\n{words}\n{deed}")


def attempts(node: str, account: str, deeds: list[tuple[str, str]]) -> dict[str, str]:
    """Try things with the credentials that a node has, past the app; return what came of each.

    Args:
        node: on which it happens.
        account: one of that node's.
        deeds: write, large (100 MB), read, delete or create, and a topic; commit, and a group;
            user, and a name.

    """
    lines = as_account(node, account, f"deeds = {deeds!r}\n{_DEEDS}").splitlines()
    return {" ".join(line.split()[:2]): " ".join(line.split()[2:]) for line in lines}


def connections(idle: int, seconds: int) -> str:
    """Return a script that opens connections and holds them.

    It prints how many it got and how many were refused, and at the end how many the broker kept.
    """
    host, _, port = BROKER.partition(":")
    return command(_CONNECTIONS.format(host=host, port=port, idle=idle, seconds=seconds))


def broker_log(since: str) -> str:
    """Return what the broker logged since a moment of the node's clock."""
    return on("kafka-1", f"journalctl --unit=kafka --since='{since}' --no-pager --output=cat")


def now() -> str:
    """Return the moment of the broker's node."""
    return on("kafka-1", "date '+%Y-%m-%d %H:%M:%S'")


def user_of(node: str, account: str) -> str:
    """Return which of an account's two users stands for it now."""
    login: dict[str, str] = json.loads(on(node, f"cat {CREDENTIALS}/{account}.json"))
    return login["username"]
