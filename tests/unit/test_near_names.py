"""Names like one that isn't there."""

from shared.platform.near_names import describe_near, find_near

NAMES = ["Hamburg", "Prague", "Turin", "Turku"]


def test_near_names_come_best_first() -> None:
    assert find_near("turin", NAMES) == ["Turin", "Turku"]
    assert find_near("Hambrug", NAMES) == ["Hamburg"]
    assert find_near("x" * 100_000, NAMES) == []


def test_the_sentence_ends_with_names_that_there_are() -> None:
    assert describe_near("PRAGUE", NAMES) == "; near names: 'Prague'"
    assert describe_near("Atlantis", NAMES) == "; there is: 'Hamburg', 'Prague', 'Turin'"
    assert describe_near("Atlantis", []) == ""
    assert describe_near("\x1b", ["\x1b[31m"]) == "; there is: '\\x1b[31m'"
