"""From records to segments: of a run up to its end offsets, of agents for ever, by day.

Guarantee: see `store`; a partition stays with one host for a run. Imports store, broker,
settings, host, model, errors.
"""
