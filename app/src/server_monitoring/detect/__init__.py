"""From live rows to alerts: a watermark for each server, exact windows, one transaction.

Guarantee: each window that alerts, and each change of an alert's state, is in the alerts topic
once for those who read committed records, whatever is killed. Imports broker, settings, host,
model, errors.
"""
