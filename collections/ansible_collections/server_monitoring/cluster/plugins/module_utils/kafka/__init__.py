"""Kafka: how a cluster is reached to administrate it, and plans of what is to change there."""
