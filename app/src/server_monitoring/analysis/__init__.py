"""From segments to the alert table, with Spark. The one package that imports pyspark.

Guarantee: the table is there whole or not at all, and its numbers are exact. Imports store,
settings, host, model, errors.
"""
