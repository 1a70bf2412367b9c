"""A Spark job starts as it was rehearsed."""

import shlex

from testinfra.host import Host

GROUPS = "consumers_*"
IS_SLOW = True


def test_a_spark_job_takes_its_classes_from_the_rehearsed_archive(host: Host) -> None:
    """Java refuses one of another class path or other options without a word, and starts slowly."""
    unit = "/etc/systemd/system/server-monitoring-analyze-*@.service"
    text = host.check_output(f"cat $(ls {unit} | head -1)").replace("\\\n", " ")
    [line] = [s for s in text.splitlines() if s.startswith("ExecStart=")]
    words = shlex.split(line.removeprefix("ExecStart="))
    job = shlex.join([*words[: words.index("/opt/spark/server-monitoring.py") + 1], "rehearse"])
    log = host.check_output("runuser -u sm-check -- mktemp")
    own = "PATH=/opt/spark/bin:$PATH SPARK_LOCAL_IP=127.0.0.1 LC_ALL=C.UTF-8"
    logged = f"JAVA_TOOL_OPTIONS=-Xlog:class+load:file={log}"
    try:
        host.check_output(f"cd /tmp && runuser -u sm-check -- env {own} {logged} {job}")
        shared = int(host.check_output(f"grep -c 'shared objects file (top)' {log}"))
        from_jars = int(host.check_output(f"grep -c 'source: file:.*jar$' {log}"))
    finally:
        host.check_output(f"rm {log}")
    assert shared > 10_000
    assert from_jars < shared / 20
    archive = host.file("/opt/spark/classes.jsa")
    assert (archive.user, archive.group, archive.mode) == ("root", "root", 0o644)
