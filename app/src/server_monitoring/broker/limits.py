"""The clients and codecs that can be chosen, and the numbers that every client keeps to."""

KAFKA_PYTHON, CONFLUENT = "kafka-python", "confluent-kafka"
CLIENTS = (KAFKA_PYTHON, CONFLUENT)
NO_COMPRESSION = "none"
COMPRESSIONS = (NO_COMPRESSION, "lz4", "zstd")
CONNECT_SECONDS = 10
# A request may take CONNECT_SECONDS: a client gives a record no less than one try.
LEAST_TIMEOUT = CONNECT_SECONDS + 5
# The first question about a group makes the broker create the topic of all groups.
GROUP_SECONDS = 30
BATCH_BYTES = 256 * 1024
LINGER_MS = 50
MAX_RECORD_BYTES = 4 * 1024 * 1024
FETCH_BYTES = 8 * 1024 * 1024
FETCH_WAIT_MS = 200
# Of a partition, how many the client reads ahead.
QUEUED_RECORDS = 20_000
# After how long without an answer it is asked whether the broker still takes the credentials.
DOUBT_SECONDS = 5
# Of a topic that only probes use.
PROBE_RETENTION_MS = 3_600_000
