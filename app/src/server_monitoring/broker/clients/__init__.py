"""Kafka's clients, each a `client.Client` in a module named after it."""
