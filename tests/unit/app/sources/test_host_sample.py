"""Samples of a host: on a made-up /proc and /sys, on this machine, and from a file."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
from hypothesis import given
from hypothesis import strategies as st
from server_monitoring.model.groups import DEFAULT_COLUMNS
from server_monitoring.sources.host_sample import FileSource, PsutilSource, Rate

_NET = "Inter-|\n face |\n"


class Host:
    """A host of files: interfaces and disks, some with a device."""

    def __init__(self, root: Path) -> None:
        """Make one with nothing but a CPU and memory."""
        self.root = root
        self.now = 100.0
        self.nics: dict[str, int] = {}
        self.disks: dict[str, tuple[int, int]] = {}
        self.told: list[str] = []
        (root / "proc" / "net").mkdir(parents=True)
        for folder in ("class/net", "block"):
            (root / "sys" / folder).mkdir(parents=True)
        self.cpu(0, 0)
        memory = {"MemTotal": 1000, "MemFree": 100, "MemAvailable": 250, "Buffers": 0, "Cached": 9}
        memory |= dict.fromkeys(["Active", "Inactive", "Shmem"], 1)
        text = "".join(f"{name}: {kib} kB\n" for name, kib in memory.items())
        (root / "proc" / "meminfo").write_text(text)
        self.write()

    def cpu(self, busy: int, idle: int) -> None:
        """Let the CPU have been busy and idle for so many ticks."""
        (self.root / "proc" / "stat").write_text(f"cpu {busy} 0 0 {idle} 0 0 0 0 0 0\ncpu0 0\n")

    def nic(self, name: str, received: int, *, device: bool = True) -> None:
        """Add an interface, or let it have received so many bytes."""
        self._place("class/net", name, device=device)
        self.nics[name] = received
        self.write()

    def disk(self, name: str, read: int, written: int, *, device: bool = True) -> None:
        """Add a disk, or let so many sectors of 512 bytes have been read and written."""
        self._place("block", name.replace("/", "!"), device=device)
        self.disks[name] = read, written
        self.write()

    def _place(self, folder: str, name: str, *, device: bool) -> None:
        place = self.root / "sys" / folder / name
        (place / "device" if device else place).mkdir(parents=True, exist_ok=True)

    def write(self) -> None:
        """Write what the kernel shows."""
        net = [f"{name}: {n} 1 0 0 0 0 0 0 7 1 0 0 0 0 0 0\n" for name, n in self.nics.items()]
        (self.root / "proc" / "net" / "dev").write_text(_NET + "".join(net))
        disks = [f"8 0 {name} 1 0 {r} 1 1 0 {w} 1 0 1 1\n" for name, (r, w) in self.disks.items()]
        (self.root / "proc" / "diskstats").write_text("".join(disks))

    def source(self, **more: Any) -> PsutilSource:
        """Return what samples it."""
        sysfs = self.root / "sys"
        return PsutilSource(self.told.append, sys=sysfs, clock=lambda: self.now, **more)


@pytest.fixture
def host(tmp_path: Path) -> Iterator[Host]:
    """Return a host whose /proc psutil reads in place of this machine's."""
    made = Host(tmp_path)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(psutil, "PROCFS_PATH", str(tmp_path / "proc"))
        yield made
    shutil.rmtree(tmp_path)


def rates(source: PsutilSource) -> tuple[str, str]:
    """Return net_in and disk_io of a sample."""
    _, _, net, disk = source.sample()
    return net, disk


def test_physical_interfaces_and_disks_count_in_thousands_of_bytes_a_second(host: Host) -> None:
    """And nothing twice: no overlay, no bridge, no partition, no volume on a disk."""
    for name in ("eth0", "enp3s0"):
        host.nic(name, 10**12)
    for name in ("lo", "ztabc", "docker0"):
        host.nic(name, 0, device=False)
    host.disk("sda", 0, 0)
    host.disk("cciss/c0d0", 0, 0)
    for name in ("sda1", "dm-0", "loop0"):
        host.disk(name, 0, 0, device=False)
    source = host.source()
    host.now += 10
    host.nic("eth0", 10**12 + 50_000)
    host.nic("enp3s0", 10**12 + 30_000)
    host.nic("ztabc", 10**9, device=False)
    host.disk("sda", 10, 30)
    host.disk("cciss/c0d0", 60, 0)
    host.disk("dm-0", 10**6, 10**6, device=False)
    assert rates(source) == ("8.0", "5.12")
    assert host.told == []


def test_cpu_is_that_since_the_sample_before_and_memory_what_is_not_available(host: Host) -> None:
    """In percent, of all cores."""
    source = host.source()
    host.cpu(25, 75)
    assert source.sample()[:2] == ("25.0", "75.0")
    host.cpu(25, 175)
    assert source.sample()[:2] == ("0.0", "75.0")


def test_counters_that_go_back_and_interfaces_that_come_and_go_add_nothing(host: Host) -> None:
    """No rate is negative, and none has what was counted before."""
    host.nic("eth0", 4_000_000_000)
    source = host.source()
    for received, expected in ((1000, "0.0"), (3000, "2.0")):
        host.now += 1
        host.nic("eth0", received)
        assert rates(source)[0] == expected
    host.now += 1
    host.nic("usb0", 10**15)
    assert rates(source)[0] == "0.0"
    del host.nics["eth0"]
    host.nic("usb0", 10**15 + 1000)
    host.now += 1
    assert rates(source)[0] == "1.0"
    host.now += 1
    host.nic("eth0", 10**15)
    assert rates(source)[0] == "0.0"


def test_an_interface_that_is_made_anew_between_two_samples_is_another_one(host: Host) -> None:
    """Also where its name is the same and its counter higher."""
    host.nic("eth0", 1000)
    source = host.source()
    place = host.root / "sys" / "class" / "net" / "eth0"
    place.rename(place.with_name("old"))
    host.nic("eth0", 10**15)
    host.now += 1
    assert rates(source)[0] == "0.0"


def test_where_nothing_is_physical_the_values_are_zero_and_that_is_told_once(host: Host) -> None:
    """As in a container; what comes later counts."""
    host.nic("eth0", 0, device=False)
    source = host.source()
    for _ in range(3):
        host.now += 1
        assert rates(source) == ("0.0", "0.0")
    assert [line.split(":")[0] for line in host.told] == ["nics", "disks"]
    assert "has a device, as in a container" in host.told[0]
    host.disk("sdb", 0, 0)
    rates(source)
    host.now += 1
    host.disk("sdb", 0, 1000)
    assert rates(source)[1] == "512.0"


def test_named_interfaces_and_disks_count_whatever_they_are(host: Host) -> None:
    """And no other; a name that is not there is told."""
    host.nic("eth0", 0)
    host.nic("bond0", 0, device=False)
    source = host.source(nics=["bond0"], disks=["sdz"])
    host.now += 1
    host.nic("eth0", 10**6)
    host.nic("bond0", 3000, device=False)
    assert rates(source) == ("3.0", "0.0")
    assert host.told == ["disks: none of sdz is there; their value is 0.0 until one is"]


def test_this_machine_gives_four_canonical_numbers() -> None:
    """Whatever it is."""
    source = PsutilSource(lambda _: None)
    for _ in range(2):
        cpu, memory, net, disk = map(float, source.sample())
        assert 0 <= cpu <= 100
        assert 0 < memory < 100
        assert net >= 0
        assert disk >= 0


@given(
    samples=st.lists(
        st.tuples(
            st.dictionaries(st.sampled_from("abc"), st.integers(0, 2**64), max_size=3),
            st.floats(0, 100),
        ),
        min_size=2,
    )
)
def test_a_rate_is_never_negative_nor_more_than_the_counters_grew(
    samples: list[tuple[dict[str, int], float]],
) -> None:
    """Whatever comes, goes, or wraps."""
    at = 0.0
    rate = Rate({}, at)
    before: dict[str, int] = {}
    for counters, seconds in samples:
        at += seconds
        found = rate.since({(name, 1): value for name, value in counters.items()}, at)
        grown = sum(max(0, counters[n] - before[n]) for n in counters if n in before)
        assert 0 <= found * (seconds or 1) * 1000 <= grown * 1.000001
        before = counters


GOOD = {"cpu_pct": 1, "mem_pct": 2.5, "net_in": 1e-7, "disk_io": 10**13}


def test_a_file_gives_what_it_holds_at_each_moment(tmp_path: Path) -> None:
    """As canonical texts."""
    path = tmp_path / "numbers.json"
    source = FileSource(path)
    path.write_text(json.dumps(GOOD))
    assert source.sample() == ("1.0", "2.5", "0.0000001", "1E+13")
    path.write_text(json.dumps(dict.fromkeys(DEFAULT_COLUMNS, 7)))
    assert source.sample() == ("7.0", "7.0", "7.0", "7.0")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "found b'', expected JSON with exactly cpu_pct, mem_pct, net_in, disk_io"),
        ("[1, 2, 3, 4]", "expected JSON with exactly"),
        ("[" * 4000, "expected JSON with exactly"),
        (json.dumps(GOOD | {"more": 1}), "expected JSON with exactly"),
        (json.dumps(GOOD)[:-1] + ', "cpu_pct": 2}', "expected JSON with exactly"),
        (json.dumps({"cpu_pct": 1}), "expected JSON with exactly"),
        (json.dumps(GOOD | {"net_in": "1"}), "net_in: found '1', expected a finite number"),
        (json.dumps(GOOD | {"net_in": True}), "net_in: found True, expected a finite number"),
        (json.dumps(GOOD | {"net_in": None}), "net_in: found None"),
        (json.dumps(GOOD).replace("2.5", "NaN"), "mem_pct: found nan"),
        (json.dumps(GOOD).replace("2.5", "1e999"), "mem_pct: found inf"),
        (json.dumps(GOOD).replace("2.5", "9" * 400), "mem_pct: found 999"),
    ],
)
def test_a_file_with_anything_else_is_refused(tmp_path: Path, content: str, message: str) -> None:
    """Its name, what was found, and what is expected."""
    path = tmp_path / "numbers.json"
    path.write_text(content)
    with pytest.raises(ValueError, match=r"numbers\.json: ") as caught:
        FileSource(path).sample()
    assert message in str(caught.value)
