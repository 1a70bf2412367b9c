"""The last step of a run: tables come back, become results with a page; failures are one line."""

import json
import os
import shutil
import subprocess
import sys
import time
from datetime import datetime
from pathlib import Path
from typing import Any

import yaml

from tests.support.project import PROJECT
from tests.support.report_runs import FILES, TABLES

# A run of two metric groups on three consumers, and what the earlier version made of it.
GOLDEN = PROJECT / "tests" / "unit" / "app" / "results" / "golden"
FACTS = json.loads((GOLDEN / "facts.json").read_text(encoding="utf-8"))
GROUPS = FACTS["config"]["groups"]
CONSUMERS = {"cpu_mem": ["c1", "c3"], "net_disk": ["c2"]}
RUN = FACTS["run"]["id"]


def prepare(folder: Path) -> None:
    """Write an inventory of hosts that are all this machine, as the steps before leave them."""
    hosts: dict[str, Any] = {"k1": {"pipeline_cluster": FACTS["cluster"]}, "p1": {}}
    for group, names in CONSUMERS.items():
        for name in names:
            part = GOLDEN / "parts" / group / f"{name}.csv"
            directory = folder / name / "runs" / RUN
            directory.mkdir(parents=True)
            shutil.copy(part, directory / GROUPS[group]["output_file"])
            hosts[name] = {"pipeline_data_dir": str(folder / name)}
    for noted in ("consumed", "analyzed"):
        for entry, name in zip(FACTS[noted], ("c1", "c2", "c3"), strict=True):
            hosts[name][f"pipeline_{noted}"] = [entry]
    children = {f"consumers_{group}": dict.fromkeys(names) for group, names in CONSUMERS.items()}
    members = {"kafka": {"k1": None}, "producers": {"p1": None}, **children}
    everything = {
        "all": {
            "hosts": hosts,
            "children": {name: {"hosts": found} for name, found in members.items()},
            "vars": {
                "ansible_connection": "local",
                "ansible_python_interpreter": sys.executable,
                "pipeline_results_dir": str(folder / "results"),
                "pipeline_groups": GROUPS,
                "pipeline_start": FACTS["config"]["start"],
                "pipeline_thresholds": FACTS["config"]["thresholds"],
                "zerotier_ip": "10.0.0.1",
            },
        }
    }
    (folder / "hosts.yml").write_text(yaml.safe_dump(everything), encoding="utf-8")


def step(name: str, **settings: Any) -> dict[str, Any]:
    """Return the task that takes a file of the role's steps."""
    return {"import_role": {"name": "pipeline", "tasks_from": f"run/{name}.yml"}, "vars": settings}


def play(folder: Path, zone: str = "UTC") -> subprocess.CompletedProcess[str]:
    """Take the step as run_pipeline.yml does, on a control machine in a time zone."""
    noted = {
        "pipeline_run": FACTS["run"] | {"token": "t1", "by": "a test"},
        "pipeline_produced": FACTS["produced"],
        "pipeline_marks": {"analyze": time.time() - 2},
    }
    plays = [
        {"hosts": "localhost", "gather_facts": False, "tasks": [{"set_fact": noted}]},
        {
            "hosts": "consumers_*",
            "gather_facts": False,
            "any_errors_fatal": True,
            "tasks": [step("step", pipeline_step="collect")],
        },
        {"hosts": "localhost", "gather_facts": False, "tasks": [step("results")]},
    ]
    (folder / "play.yml").write_text(yaml.safe_dump(plays), encoding="utf-8")
    ansible = Path(sys.executable).with_name("ansible-playbook")
    return subprocess.run(
        [ansible, f"--inventory={folder / 'hosts.yml'}", folder / "play.yml"],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
        cwd=PROJECT,
        env={
            **os.environ,
            "ANSIBLE_NOCOLOR": "1",
            "TZ": zone,
            "SERVER_MONITORING_RUN": str(folder / "run"),
            "SERVER_MONITORING_WANTS": str(folder / "wants"),
        },
    )


def test_a_run_ends_with_tables_manifest_page_and_incidents(tmp_path: Path) -> None:
    """As before, wherever the control machine is; the output says what was found and where."""
    prepare(tmp_path)
    done = play(tmp_path, zone="Asia/Tokyo")
    assert done.returncode == 0, done.stdout + done.stderr
    folder = tmp_path / "results" / RUN
    assert sorted(path.name for path in folder.iterdir()) == FILES
    for name in TABLES:
        assert (folder / name).read_bytes() == (GOLDEN / name).read_bytes()
    made, golden = (
        json.loads((path / "manifest.json").read_text(encoding="utf-8"))
        for path in (folder, GOLDEN)
    )
    assert abs(datetime.fromisoformat(made["ended"]).timestamp() - time.time()) < 60
    assert list(made["seconds"]) == ["analyze", "collect", "total"]
    assert 2 <= made["seconds"]["total"] < 60
    different = {"ended": None, "seconds": None}
    assert made | different == golden | different
    assert (tmp_path / "results" / "latest").readlink() == Path(RUN)
    for text in (f"Run {RUN} succeeded in", f"Incidents: {folder}/inc", f"Page: {folder}/report"):
        assert text in done.stdout


def test_a_page_that_cannot_be_made_says_why_and_that_the_tables_are_there(tmp_path: Path) -> None:
    """The run itself succeeded."""
    folder = tmp_path / "results" / RUN
    (folder / "report.html").mkdir(parents=True)
    prepare(tmp_path)
    done = play(tmp_path)
    assert done.returncode != 0
    told = " ".join((done.stdout + done.stderr).split())
    assert f"its tables are in {folder}, but it has no page: server-monitoring: error:" in told
    assert "report.html: Is a directory" in told
    assert "Traceback" not in told
    assert f"Run {RUN} succeeded in" in told
    assert (tmp_path / "results" / "latest" / "manifest.json").exists()


def test_tables_that_are_not_those_of_the_analysis_are_no_results(tmp_path: Path) -> None:
    """One line says so, and the newest run that succeeded is another."""
    (tmp_path / "results").mkdir()
    (tmp_path / "results" / "latest").symlink_to("earlier")
    prepare(tmp_path)
    with (tmp_path / "c1" / "runs" / RUN / "team_47_CPU_MEM.csv").open("a") as table:
        table.write("b,00:00:00,00:00:30,1.00,1.00,\n")
    done = play(tmp_path)
    assert done.returncode != 0
    folder = tmp_path / "results" / RUN
    told = " ".join((done.stdout + done.stderr).split())
    assert f"no results in {folder}: server-monitoring: error: " in told
    assert "team_47_CPU_MEM.csv: the tables that came back are not those that" in told
    assert not (folder / "manifest.json").exists()
    assert (tmp_path / "results" / "latest").readlink() == Path("earlier")
