"""The clients and codecs to choose from, and the limits that every client keeps."""

KAFKA_PYTHON, CONFLUENT = "kafka-python", "confluent-kafka"
CLIENTS = (KAFKA_PYTHON, CONFLUENT)
NO_COMPRESSION = "none"
COMPRESSIONS = (NO_COMPRESSION, "lz4", "zstd")
CONNECT_SECONDS = 10
# A request may take CONNECT_SECONDS: a record gets at least one try.
LEAST_TIMEOUT = CONNECT_SECONDS + 5
# The first question about a group makes the broker create the topic of all groups.
GROUP_SECONDS = 30
# Four fit into a request.
BATCH_BYTES = 240 * 1024
LINGER_MS = 50
# Of a request, and so of a record; the broker takes 40 kB more (kafka_max_request_bytes).
MAX_REQUEST_BYTES = 1_000_000
PARTITION_BYTES = 4 * 1024 * 1024
# Of a batch when it is decompressed, and of an answer: far more than any batch that the app sends.
BATCH_MEMORY_BYTES = 16 * 1024 * 1024
FETCH_BYTES = 8 * 1024 * 1024
FETCH_WAIT_MS = 200
# How far the client reads ahead in a partition.
QUEUED_RECORDS = 20_000
# After this long without an answer the broker is asked whether it still takes the credentials.
DOUBT_SECONDS = 5
# After this long without a record from a partition the broker is asked whether it has any.
STALL_SECONDS = 30
# Of the topic that only probes use: one partition that stays small, whoever writes to it.
PROBE_CONFIGS = {
    "retention.ms": "3600000",
    "retention.bytes": "1048576",
    "segment.bytes": "1048576",
    "max.message.bytes": "1024",
}
