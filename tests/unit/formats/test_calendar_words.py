"""Calendar words: names of months and days in many languages do not collide."""

from loader.formats.times.calendar_words import DAYS, MONTHS, fold, list_days, list_months


def test_no_word_names_two_months_or_a_month_and_a_day() -> None:
    seen: dict[str, set[int]] = {}
    for names in MONTHS.values():
        forms = names.split(",")
        assert len(forms) == 12
        for number, words in enumerate(forms, start=1):
            for word in words.split():
                seen.setdefault(fold(word), set()).add(number)
    assert {word: numbers for word, numbers in seen.items() if len(numbers) > 1} == {}
    assert set(list_months()) & set(list_days()) == {"mar"}  # a martes or mardi, told by the month behind it
    assert len(DAYS) > 8
