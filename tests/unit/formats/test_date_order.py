"""Date order: what a column of numeric dates shows of the order of day and month."""

import polars as pl
import pytest

from loader.formats.times.date_order import DateParts


@pytest.mark.parametrize(
    ("dates", "wanted"),
    [
        (["19/03/2024", "01/02/2024"], "dmy"),
        (["03/19/2024", "01/02/2024"], "mdy"),
        (["01/02/2024", "03/04/2024"], None),
        (["19.03.24", "20.03.24", "21.03.24"], "dmy"),
        (["24-03-19", "24-03-20", "24-03-22"], "yymd"),
        (["24/03/19 08:12", "24/03/20 17:45"], "yymd"),
        (["23-12-30", "23-12-31", "24-01-01", "24-01-15"], "yymd"),
        (["30/12/23", "31/12/23", "01/01/24", "15/01/24"], "dmy"),
        (["3/19/24", "3/20/24"], "mdy"),
        (["1/2/24", "13/2/24"], "dmy"),
        (["99-03-19"], "yymd"),
        (["19/03/99"], "dmy"),
        (["24/03/19"], None),  # one day: 24 March 2019 or 19 March 2024
        (["03/04/05"], None),
        (["01/01/19", "01/02/20", "01/03/21", "01/06/23"], None),  # firsts of months, or days of one year
        (["'24-03-19", "'24-03-20"], "yymd"),
        (["8:12 19/03/2024"], "dmy"),
        (["Di, 19.03.24", "Mi, 20.03.24"], "dmy"),
        (["2024-03-19"], None),
        (["", "nothing"], None),
    ],
)
def test_order_of_numeric_dates(dates: list[str], wanted: str | None) -> None:
    whole, cut = DateParts(), DateParts()
    whole.observe(pl.Series(dates))
    for date in dates:
        cut.observe(pl.Series([date]))
    assert whole.decide() == cut.decide() == wanted
