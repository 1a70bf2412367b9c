"""Raw data on a consumer's disk: segments, sidecars, live journals, and what was set aside.

Guarantee: the first `bytes` bytes of a run's segment are exactly the rows before its sidecar's
`offset`; those of a partition's days together, the rows before its journal's. Knows no broker.
Imports host, model, errors.
"""
