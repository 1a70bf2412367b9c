"""Incidents of one server, merged from a few windows."""

from decimal import Decimal

from server_monitoring.model.incidents import AlertWindow, Incident, Limit, Merger

METRICS = (Limit("avg_cpu", "cpu_pct", Decimal(80)), Limit("avg_mem", "mem_pct", Decimal(50)))
HOT, FULL = "hot", "full"


def merged(*rows: tuple[int, str, str, str]) -> list[Incident]:
    """Merge rows of start, label and the two values, in windows of 30 s."""
    merger = Merger("a", "g", METRICS, 30)
    for start, label, *texts in rows:
        merger.add(AlertWindow(start, label, tuple(map(float, texts)), tuple(texts)))
    return merger.close()
