"""
The command line: every verb is a caller of the services, like everybody else.

If a service runs over the data folder, a verb talks to it; if none runs, the verb starts the same
service for itself, talks to that, and stops it again. So rules, access and audit are the same
everywhere. Nothing is imported here that a verb might not need.
"""

from __future__ import annotations

import os
import sys


def main() -> None:
    """Run the verb that the command line names; the console script `clientela`."""
    # What gRPC says beside errors is not in our form; it is asked for by this variable.
    os.environ.setdefault("GRPC_VERBOSITY", "NONE")
    try:
        from clientela.adapters.cli.app import app

        app(prog_name="clientela")
    except ModuleNotFoundError as error:
        name = error.name or ""
        if name.startswith("clientela."):
            raise
        problem = f"{name} is not installed: run `pip install 'clientela[all]'`"
        print(f"clientela: {problem}", file=sys.stderr)
        raise SystemExit(1) from None
