"""The role's own step: the page comes with the results, and what went wrong is one line."""

import os
import subprocess
import sys
from pathlib import Path

import yaml

from tests.support.project import PROJECT
from tests.support.report_runs import SPIKE, window, write_run


def play(results: Path, run_id: str) -> subprocess.CompletedProcess[str]:
    """Run the role's step alone for a results folder."""
    plays = [
        {
            "hosts": "localhost",
            "connection": "local",
            "gather_facts": False,
            "vars": {"pipeline_results_dir": str(results)},
            "tasks": [
                {"set_fact": {"pipeline_run": {"id": run_id}}},
                {"import_role": {"name": "pipeline", "tasks_from": "run/report.yml"}},
            ],
        }
    ]
    playbook = results / "play.yml"
    playbook.write_text(yaml.safe_dump(plays), encoding="utf-8")
    ansible = Path(sys.executable).with_name("ansible-playbook")
    return subprocess.run(
        [str(ansible), "--inventory=nobody,", str(playbook)],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
        cwd=results,
        env={**os.environ, "ANSIBLE_ROLES_PATH": str(PROJECT / "roles")},
    )


def test_a_run_ends_with_its_page_and_incidents(tmp_path: Path) -> None:
    """Beside the tables, and the output says where."""
    folder = write_run(tmp_path / "r1", {"cpu_mem": [window("a", 0, 90, 1, SPIKE)]})
    done = play(tmp_path, "r1")
    assert done.returncode == 0, done.stdout + done.stderr
    for name in ("report.html", "incidents.csv", "incidents.json"):
        assert (folder / name).exists()
    assert f"Page: {folder}/report.html" in done.stdout
    assert f"Incidents: {folder}/incidents.csv" in done.stdout


def test_a_page_that_cannot_be_made_says_why_and_that_the_tables_are_there(tmp_path: Path) -> None:
    """The run itself succeeded."""
    folder = write_run(tmp_path / "r1", {})
    (folder / "team_47_CPU_MEM.csv").unlink()
    done = play(tmp_path, "r1")
    assert done.returncode != 0
    told = " ".join((done.stdout + done.stderr).split())
    assert f"its tables are in {folder}, but it has no page: server-monitoring: error:" in told
    assert "team_47_CPU_MEM.csv: missing" in told
    assert "Traceback" not in told
