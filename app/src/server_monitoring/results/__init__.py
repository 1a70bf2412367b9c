"""A run's results folder: put together, read, held against its manifest, compared; a day's books.

Guarantee: what does not fit its manifest is refused. Imports settings (strict reading), store
(tables, a day's segments), host, model, errors; it needs PyYAML alone, so it runs on the control
machine.
"""
