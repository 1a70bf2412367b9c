"""Kafka's clients, each a `client.Client` in a module that is named like it."""
