"""Raw data on a consumer's disk: segments with their sidecars, and what was set aside.

Guarantee: the first `bytes` bytes of a segment are exactly the rows before its sidecar's
`offset`. Knows no broker. Imports host, model, errors.
"""
