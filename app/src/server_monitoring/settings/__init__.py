"""The configuration, read strictly: every key known, every value of its type and in range.

Guarantee: a Config that exists is valid. Imports model, errors, and of broker its names alone.
"""
