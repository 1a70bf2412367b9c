"""A run's results as a person reads them: tables, then incidents, then a page.

`manifest` and `tables` read a results folder, `incidents` and `changes` say what happened,
`series`, `strip` and `payload` make it small enough for a page, and `page` writes that. Runs on
the control machine with Python's own library and PyYAML alone.
"""
