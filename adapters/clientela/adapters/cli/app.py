"""
The verbs put together.
"""

from __future__ import annotations

import typer

from clientela.adapters.cli.advance import advance
from clientela.adapters.cli.apply import apply
from clientela.adapters.cli.approach import approach
from clientela.adapters.cli.backtest import backtest
from clientela.adapters.cli.backup import backup
from clientela.adapters.cli.doctor import doctor
from clientela.adapters.cli.erase import erase
from clientela.adapters.cli.export import export
from clientela.adapters.cli.failure import EPILOGUE
from clientela.adapters.cli.find import find
from clientela.adapters.cli.health import health
from clientela.adapters.cli.import_file import import_file
from clientela.adapters.cli.keys import keys
from clientela.adapters.cli.make_keys import make_keys
from clientela.adapters.cli.migrate import migrate
from clientela.adapters.cli.parked import parked
from clientela.adapters.cli.restore import restore
from clientela.adapters.cli.serve import serve
from clientela.adapters.cli.show import show
from clientela.adapters.cli.staff import staff
from clientela.adapters.cli.stats import stats
from clientela.adapters.cli.stream import stream
from clientela.adapters.cli.tail import tail
from clientela.adapters.cli.verify import verify
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
app.command()(staff)
app.command()(stats)
app.command()(show)
app.command()(find)
app.command()(approach)
app.command()(advance)
app.command()(backtest)
app.command()(export)
app.command()(erase)
app.command()(tail)
app.command()(verify)
app.command()(doctor)
app.command()(health)
app.command()(backup)
app.command()(restore)
keys.command("make")(make_keys)
app.add_typer(stream, name="stream")
app.add_typer(keys, name="keys")
app.add_typer(migrate, name="migrate")
app.add_typer(parked, name="parked")
app.command()(version)
