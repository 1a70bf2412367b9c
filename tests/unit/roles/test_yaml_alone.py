"""Roles are YAML and templates; the programs that they use lie in the collection."""

from tests.support.project import PROJECT


def test_no_python_lies_below_the_roles() -> None:
    """There no type check would see across its files, and Ansible would find it by path alone."""
    assert sorted((PROJECT / "roles").rglob("*.py")) == []
