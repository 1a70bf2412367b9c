"""`server-monitoring consume`: store a group's records of one run."""

import argparse
import signal
import time

from server_monitoring import __version__, notify
from server_monitoring.broker import client_for
from server_monitoring.commands import common
from server_monitoring.config import share_of
from server_monitoring.consumer import Consumer
from server_monitoring.durable import write_json
from server_monitoring.summary import Timer, rates

HELP = "store a metric group's records in raw CSV segments, up to the run's end offsets"
EXAMPLE = "server-monitoring consume --run-id 2024-05-01 --group cpu_mem"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    common.add_run_id(parser)
    common.add_group(parser)
    common.add_config(parser)


def run(args: argparse.Namespace) -> int:
    """Store records until the end offsets or SIGTERM; write consume-GROUP.json at the end."""
    stop: list[int] = []
    signal.signal(signal.SIGTERM, lambda number, _: stop.append(number))
    signal.signal(signal.SIGINT, lambda number, _: stop.append(number))
    common.collect_rarely()
    config = common.load_config(args)
    group = config.group(args.group)
    share = share_of(config, group.name)
    run_files = common.open_run(args, config)
    timer = Timer()
    status = notify.Status()
    group_id = f"server-monitoring-{group.name}"
    client = client_for(config.kafka_client)
    with client.open_reader(config.bootstrap_servers, group_id) as reader:
        consumer = Consumer(reader, run_files, group, share, time.monotonic)
        try:
            consumer.start()
            notify.ready(f"waiting for records of run {args.run_id}")

            def tell() -> None:
                if status.due():
                    status.tell(_line(consumer.totals("rows"), consumer.progress.seconds()))

            ended = consumer.run(lambda: bool(stop), tell)
        finally:
            consumer.close()
    rows = consumer.totals("rows")
    if not ended:
        status.tell(f"stopped before the end; {_line(rows, 0)}; start again to resume")
        return 0
    status.tell(_line(rows, consumer.progress.seconds()))
    partitions: dict[str, list[int]] = {topic: [] for topic in rows}
    for tp in consumer.segments:
        partitions[tp.topic].append(tp.partition)
    summary = {
        "run_id": args.run_id,
        "group": group.name,
        "rows": rows,
        "foreign": sum(consumer.totals("foreign").values()),
        "malformed": sum(consumer.totals("malformed").values()),
        "duplicates": sum(consumer.totals("duplicates").values()),
        "partitions": partitions,
        **timer.span(),
        "messages_per_second": rates(consumer.progress.rows, consumer.progress.seconds()),
        "client": client.description(),
        "app_version": __version__,
    }
    write_json(run_files.directory / f"consume-{group.name}.json", summary)
    return 0


def _line(rows: dict[str, int], seconds: float) -> str:
    counts = ", ".join(f"{n} of {topic}" for topic, n in rows.items())
    rate = f" ({sum(rows.values()) / seconds:.0f}/s)" if seconds > 0 else ""
    return f"stored {counts}{rate}"
