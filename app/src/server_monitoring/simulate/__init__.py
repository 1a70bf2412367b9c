"""Made-up data: a data set with known incidents, and a run as its consumers would have stored it.

Imports store, settings, host, model, errors.
"""
