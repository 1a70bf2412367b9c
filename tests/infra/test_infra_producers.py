"""A producer's machine has the app, its settings, its unit, and reaches the broker."""

from testinfra.host import Host

GROUPS = "producers"


def test_app_is_installed_and_reaches_the_broker(host: Host) -> None:
    """The app writes and reads a record over the overlay, as the account of this host."""
    probe = "/opt/server-monitoring/bin/server-monitoring probe"
    own = "--credentials=/etc/server-monitoring/credentials/producer.json"
    assert host.run(f"{probe} {own}").rc == 0
    assert "credentials: none found" in host.run(probe).stderr


def test_unit_is_known_to_systemd(host: Host) -> None:
    """Systemd finds nothing to complain about in the producer's unit."""
    done = host.run("systemd-analyze verify server-monitoring-produce@check.service")
    assert (done.rc, done.stderr.strip()) == (0, "")


def test_configuration_is_valid_and_closed(host: Host) -> None:
    """The app accepts it; only root and the app's group may read it."""
    path = "/etc/server-monitoring/config.yml"
    assert (
        host.run(f"/opt/server-monitoring/bin/server-monitoring validate --config {path}").rc == 0
    )
    settings = host.file(path)
    assert (settings.user, settings.group, settings.mode) == ("root", "server-monitoring", 0o640)
