"""`python -m antigravity_doctor`: the same as the `agdoctor` command."""

from antigravity_doctor.cli.main import entry

entry()
