"""
Several verbs of the command line in one process, which is begun once for all of them.

Reads lists of arguments, a line of JSON each; tells in the same way how each verb ended and what it
wrote, until one ends as it should not.
"""

from __future__ import annotations

import contextlib
import io
import json
import sys

from clientela.adapters.cli import main


def said(arguments: list[str]) -> tuple[int, str, str]:
    """How a verb ends, and what it writes to each output."""
    out, errors, code = io.StringIO(), io.StringIO(), 0
    sys.argv = ["clientela", *arguments]
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(errors):
        try:
            main()
        except SystemExit as ended:
            code = ended.code if isinstance(ended.code, int) else 1
    return code, out.getvalue(), errors.getvalue()


if __name__ == "__main__":
    for line in sys.stdin:
        told = said(json.loads(line))
        sys.stdout.write(f"{json.dumps(told)}\n")
        if told[0]:
            break
