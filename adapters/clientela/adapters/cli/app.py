"""
The verbs put together.
"""

from __future__ import annotations

import typer

from clientela.adapters.cli.apply import apply
from clientela.adapters.cli.failure import EPILOGUE
from clientela.adapters.cli.import_file import import_file
from clientela.adapters.cli.serve import serve
from clientela.adapters.cli.stats import stats
from clientela.adapters.cli.version import version


app = typer.Typer(
    name="clientela",
    help="One client record that every branch and department of a company shares.",
    epilog=EPILOGUE,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
app.command()(serve)
app.command()(apply)
app.command("import")(import_file)
app.command()(stats)
app.command()(version)
