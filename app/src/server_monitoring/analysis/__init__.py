"""From the segments of a run or a day to the alert table, with Spark; alone it imports pyspark.

Guarantee: the table is there whole or not at all, and its numbers are exact. Imports store,
settings, host, model, errors.
"""
