"""The commands under their names."""

from importlib.metadata import version
from typing import Annotated

import typer

from loader.cli.border import CommandGroup
from loader.cli.check import check
from loader.cli.generate import generate
from loader.cli.load import inspect, load
from loader.cli.loads import cancel, loads, rejects, retry, undo, watch
from loader.cli.places import places
from loader.cli.publish import publish
from loader.cli.questions import datasources, group, groups, histogram, questions, regions, weekly
from loader.cli.sources import app as watch_source
from loader.cli.sql import sql
from loader.cli.token import token
from loader.cli.webhook import webhook

app = typer.Typer(
    name="tripdeck",
    cls=CommandGroup,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _print_version(is_wanted: bool) -> None:
    if is_wanted:
        typer.echo(f"tripdeck {version('tripdeck')}")
        raise typer.Exit


_VersionOption = Annotated[bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version.")]


@app.callback()
def common(*, is_version: _VersionOption = False) -> None:
    """Load trip files and ask how many trips a week there are, in a region or a box."""


for command in (
    inspect,
    load,
    loads,
    watch,
    rejects,
    cancel,
    undo,
    retry,
    publish,
    weekly,
    groups,
    group,
    histogram,
    regions,
    datasources,
    questions,
    sql,
    check,
    generate,
    token,
):
    app.command()(command)
app.add_typer(places)
app.add_typer(watch_source, name="watch-source")
app.add_typer(webhook)
