"""Where rows come from: CSV, gzip, zstd, Parquet.

Guarantee: rows come one at a time, in the file's order, in bounded memory; each is whole and
canonical, or bad with its number and column; a line is a row. Imports model, errors.
"""
