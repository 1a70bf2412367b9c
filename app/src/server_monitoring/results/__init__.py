"""A run's results folder: put together, read, held against its manifest, compared with another.

Guarantee: what does not fit its manifest is refused. Imports settings (strict reading), store
(tables), host, model, errors; it needs PyYAML alone, so it runs on the control machine.
"""
