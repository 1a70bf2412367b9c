"""What the machine gives a command: whole files, locks, space, a run's folder, systemd.

Guarantee: a file written here is the old one or the new one, also after a crash; a full disk is
waited for within a bound. Imports model, errors.
"""
