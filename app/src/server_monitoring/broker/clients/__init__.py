"""Kafka's clients, each in a module of its own that fulfils `broker.Client`."""
