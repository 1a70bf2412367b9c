"""What the pipeline's playbooks compute: shares, names of units, counts, facts of all hosts."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from server_monitoring.model.names import unit, user

from ..plugin_utils.filters import PublicFunctions


def share(group: str, inventory_groups: Mapping[str, Sequence[str]], host: str) -> dict[str, int]:
    """Return the share of a metric group's partitions that `host` consumes.

    A partition belongs to the host whose place among the hosts of `consumers_<group>` is
    `partition % hosts`; all topics of a group are shared alike, so that a server's rows meet.
    """
    hosts = sorted(inventory_groups[f"consumers_{group}"])
    return {"index": hosts.index(host), "hosts": len(hosts)}


def consumer_unit(group: str, run_id: str) -> dict[str, str]:
    """Return the name and the label of the unit that consumes a metric group in a run."""
    return {"name": unit("consume", group, run_id), "label": f"consumer of {group}"}


def unit_name(command: str, run_id: str = "", group: str = "") -> str:
    """Return the unit of a command in a run; without a run, the template of such units."""
    return unit(command, group, run_id)


def user_name(command: str, group: str = "") -> str:
    """Return the user that the units of a command run as."""
    return user(command, group)


def host_users(groups: Iterable[str], produces: bool) -> list[str]:  # noqa: FBT001 - a filter
    """Return the users of a host that consumes these metric groups, of its checks the last."""
    own = [user(command, group) for group in groups for command in ("consume", "analyze")]
    return [*([user("produce")] if produces else []), *own, user("check")]


def owners(groups: Mapping[str, Mapping[str, Any]]) -> dict[str, str]:
    """Return who owns what a run of these metric groups leaves in its folder, by pattern."""
    found = {"produce.*": user("produce"), "bad-rows.csv": user("produce")}
    for name, group in groups.items():
        consumer, job = user("consume", name), user("analyze", name)
        found |= {f"raw/{metric['topic']}": consumer for metric in group["metrics"]}
        found |= {f"consume-{name}.json": consumer, f"analyze-{name}.json": job}
        found |= {f"corrupt-{name}.csv": job, str(group["output_file"]): job}
    return found


def properties(unit_text: str) -> list[str]:
    """Return the settings of a service as options of systemd-run."""
    lines = (line.strip() for line in unit_text.splitlines())
    return [f"--property={line}" for line in lines if line and not line.startswith("#")]


def stored_rows(consumed: Iterable[Mapping[str, Any]]) -> dict[str, int]:
    """Return the rows stored of each topic, summed over the consumers' summaries."""
    total: dict[str, int] = {}
    for summary in consumed:
        for topic, rows in summary["rows"].items():
            total[topic] = total.get(topic, 0) + rows
    return total


def count_problems(produced: Mapping[str, int], stored: Mapping[str, int]) -> list[str]:
    """Return each topic whose rows stored are not the rows produced, and by how much."""
    problems = []
    for topic, sent in produced.items():
        kept = stored.get(topic, 0)
        if kept != sent:
            difference = f"{sent - kept} missing" if kept < sent else f"{kept - sent} too many"
            problems.append(f"{topic}: {sent} rows produced, {kept} stored, {difference}")
    return problems


def host_facts(
    inventory_groups: Mapping[str, Sequence[str]], hostvars: Mapping[str, Any], name: str
) -> list[Any]:
    """Return the entries of the list fact `name` of all hosts that have it."""
    return [entry for host in inventory_groups["all"] for entry in hostvars[host].get(name, [])]


class FilterModule(PublicFunctions):
    """The filters of this file."""

    prefix = "pipeline_"
