"""`tripdeck check`: whether trips, ledger, counters, rollups, runs and events agree."""

from typing import TYPE_CHECKING, Annotated, Final

import typer

from loader.cli import options
from loader.cli.session import FAILED, find_database, print_json, report_errors
from shared.platform.safe_text import escape_controls

if TYPE_CHECKING:
    from loader.checks.consistency import CheckResult

_SHOWN: Final = 20


def check(
    load_id: Annotated[int | None, typer.Option("--load", min=1, metavar="LOAD", help="Check this load only.")] = None,
    is_json: options.AsJson = False,
) -> None:
    """Compare trips, ledger, rollups, runs and events in the database; exits 1 when they disagree.

    Reads every trip; each check sees one moment, so loads may go on meanwhile.
    """
    with report_errors(is_json=is_json):
        from loader.checks.consistency import CHECKS, run_check
        from shared.services.database import connect_database

        engine = connect_database(find_database())
        results = []
        try:
            for name in CHECKS:
                if not is_json:
                    typer.echo(f"{name} … ", nl=False)
                results.append(run_check(engine, name, load_id))
                if not is_json:
                    _print_result(results[-1])
        finally:
            engine.dispose()
        is_right = not any(result.problems for result in results)
        if is_json:
            print_json({"is_right": is_right, "checks": [result.to_json() for result in results]})
    if not is_right:
        raise SystemExit(FAILED)


def _print_result(result: "CheckResult") -> None:
    typer.echo(f"{'right' if not result.problems else f'{len(result.problems):,} WRONG'} ({result.seconds:.1f} s)")
    for problem in result.problems[:_SHOWN]:
        typer.echo(f"  {escape_controls(str(problem))}")
    if len(result.problems) > _SHOWN:
        typer.echo(f"  … and {len(result.problems) - _SHOWN:,} more")
