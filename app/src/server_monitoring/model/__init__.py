"""The words: values, time stamps, windows, metric groups, records, incidents, CSV text.

Guarantee: the same input gives the same output on every machine: no file, socket, clock or
process is touched. Imports errors and Python's own library; `batches` alone uses orjson.
"""
