"""A run's results as a person or a program reads them: page, terminal, CSV, JSON.

Guarantee: nothing that a run's files say stands in the page as markup or script, and the page
makes no request. Imports results, host, model, errors; it runs on the control machine with
Python's own library and PyYAML alone.
"""
