"""The live alerts as they stand in their topic."""

from collections.abc import Iterator

from server_monitoring.broker.client import client_for
from server_monitoring.broker.reader import TopicPartition
from server_monitoring.model.groups import Group
from server_monitoring.settings.config import Config, live_of, share_of


def read_alerts(config: Config, group: Group) -> Iterator[str]:
    """Yield the records of the partitions whose servers are this host's, as JSON texts.

    An alert is in the partition of its server's rows; what is not committed is left out.

    Raises:
        ConfigError: live mode is not set up, or this host consumes nothing of the group.
        BrokerError: no answer, or a refusal.

    """
    topic, share = live_of(config).alerts_topic, share_of(config, group.name)
    with client_for(config.kafka_client).open_reader(config.cluster, live=True) as reader:
        for partition in range(share.index, reader.partitions(topic), share.hosts):
            tp = TopicPartition(topic, partition)
            first, end = reader.beginning(tp), reader.end_offsets([tp])[tp]
            if first < end:
                for record in reader.records(tp, first, end):
                    yield (record.value or b"").decode(errors="replace")
