"""Names that files and callers may bring, and what a terminal must not be sent.

for name in HOSTILE_NAMES: assert_safe(print_it(name))
"""

import csv
import io
import re
from typing import Final

HOSTILE_NAMES: Final = {
    "escape": "red\x1b[31m",
    "title": "\x1b]0;owned\x07",
    "clear": "\x1bc\x1b[2J",
    "c1": "\x9b31m",
    "nul": "a\x00b",
    "delete": "a\x7fb",
    "lines": "a\r\nINFO fake: line",
    "separator": "a\u2028b\u2029c",
    "override": "gpj\u202eexe.csv",
    "isolate": "\u2066a\u2069",
    "mark": "\u200ea\u061c",
    "zero_width": "Tu\u200brin\ufeff",
    "tag": "a\U000e0041",
    "long": "x" * 300,
    "dots": "v1.origin.lat",
    "formula": "=1+1",
    "link": "[x](javascript:alert(1))",
    "math": "$a$ $$b$$",
    "code": "`a` ```b```",
    "icon": ":material/delete: :red[x]",
    "html": "<img src=x onerror=alert(1)><script>1</script>",
    "quotes": "a\"b'c",
    "markup": "[bold red]x[/]",
    "percent": "%0d%0aSet-Cookie: a=b",
    "path": "../../etc/passwd",
    "format": "{0} %s %(x)s",
}
"""Kind → name."""

# NUL is a reject of its own, and so are names longer than 255 characters.
LOADABLE_NAMES: Final = {kind: name for kind, name in HOSTILE_NAMES.items() if kind not in ("nul", "long")}

# What rich and we ourselves write on purpose is not in these tests' outputs: they run without a terminal.
_UNSAFE: Final = re.compile(
    "[\x00-\x09\x0b-\x1f\x7f-\x9f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u2069\ufeff\ud800-\udfff]|[\U000e0000-\U000e007f]"
)


def assert_safe(output: str) -> None:
    """Nothing in an output steers a terminal or hides from its reader; line feeds are the program's own."""
    found = _UNSAFE.search(output)
    assert found is None, (found, output[max(0, found.start() - 60) :][:120])


def write_hostile_csv(*, is_good: bool = True) -> bytes:
    """A trip file with each name as a region and a datasource; not good: with each name in a point that can't be read."""
    text = io.StringIO(newline="")
    rows = csv.writer(text)
    rows.writerow(["region", "origin_coord", "destination_coord", "datetime", "datasource"])
    for name in LOADABLE_NAMES.values():
        point = "POINT (7.67 45.06)" if is_good else f"POINT {name}"
        rows.writerow([name, point, "POINT (7.66 45.07)", "2026-05-06 08:00:00", name])
    return text.getvalue().encode()
