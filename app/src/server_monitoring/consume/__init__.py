"""From records to segments, up to the end offsets of a run.

Guarantee: see `store`; a partition stays with one host for a run. Imports store, broker,
settings, host, model, errors.
"""
