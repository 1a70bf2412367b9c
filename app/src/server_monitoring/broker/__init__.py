"""Everything that speaks to a Kafka broker: who it is, TLS and login, clients, readers, producers.

Guarantee: every wait has an end, and every failure is a BrokerError that names the broker or the
topic and says what to do. Knows no data set, no settings, no file of a run. Imports errors.
"""
