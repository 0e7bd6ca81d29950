"""The commands under their names."""

import typer

from loader.cli.border import CommandGroup
from loader.cli.check import check
from loader.cli.generate import generate
from loader.cli.load import inspect, load
from loader.cli.loads import cancel, loads, rejects, retry, undo, watch
from loader.cli.questions import datasources, group, groups, histogram, questions, regions, weekly

app = typer.Typer(
    name="tripdeck",
    cls=CommandGroup,
    help="Load trip files and ask how many trips a week there are, in a region or a box.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)

for command in (
    inspect,
    load,
    loads,
    watch,
    rejects,
    cancel,
    undo,
    retry,
    weekly,
    groups,
    group,
    histogram,
    regions,
    datasources,
    questions,
    check,
    generate,
):
    app.command()(command)
