"""Server metrics from a CSV file through Kafka to windowed alert tables."""

__version__ = "0.1.0"
