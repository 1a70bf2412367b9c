"""A server watched as it runs: samples at fixed seconds, kept on disk until every topic has them.

Guarantee: See `spool`; a server's rows reach each topic in their order, and one that comes twice is
the same both times. A second is sampled once, or missed and counted, never made up.
"""
