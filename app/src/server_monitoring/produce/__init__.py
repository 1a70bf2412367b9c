"""From a data set to records in the topics, once each, also after a crash.

Guarantee: see `producer`. Imports sources, broker, settings, host, model, errors.
"""
