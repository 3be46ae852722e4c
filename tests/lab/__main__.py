"""`python -m tests.lab`: see docs/measure-a-client.md."""

from tests.lab.commands import main

if __name__ == "__main__":
    raise SystemExit(main())
