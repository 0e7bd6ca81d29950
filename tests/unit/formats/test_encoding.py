"""Encodings: text that is not UTF-8 is told, said, asked for where names depend on it, and cut without harm."""

import gzip
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from loader.formats import LoadOptions, inspect_format
from loader.formats.model.codecs import is_codec, is_cut_as_stored, is_single_byte
from loader.formats.text.charset import rank_charsets
from shared.platform.errors import FileFormatError, RequestError
from tests.unit.formats.loading import load_bytes

HEAD = "region|note|started_at|start_lat|start_lng|end_lat|end_lng\n"
ROW = "{}|{}|2024-03-19 08:12:00|40.74|-73.99|40.69|-73.98\n"

NAMES = {
    "windows-1250": ("Plzeň", "Ústí nad Labem", "Łódź", "Gdańsk", "Győr"),
    "windows-1251": ("Москва", "Санкт-Петербург", "Казань"),
    "windows-1253": ("Αθήνα", "Θεσσαλονίκη"),
    "windows-1254": ("İstanbul", "Eskişehir", "Muğla"),
    "koi8-r": ("Москва", "Казань"),
    "cp874": ("กรุงเทพ", "เชียงใหม่"),
    "gb18030": ("北京市海淀区", "上海市浦东新区", "广州市", "深圳市"),
    "big5": ("台北市", "高雄市", "新北市"),
    "cp932": ("東京", "表参道", "ソウル", "大阪市"),
    "euc_jp": ("東京", "横浜"),
    "cp949": ("서울특별시", "부산광역시", "대전"),
    "iso2022_jp": ("東京", "横浜"),
    "mac-roman": ("São Paulo", "Zürich"),
    "cp852": ("Łódź", "Kraków"),
    "utf-16-le": ("Łódź", "東京"),
    "utf-8-sig": ("Łódź", "東京"),
}


def make_file(names: tuple[str, ...], codec: str, *, head: str = HEAD) -> bytes:
    return (head + "".join(ROW.format(name, "x") for name in names)).encode(codec)


def find_regions(data: bytes, **options: Any) -> list[str]:
    loaded = load_bytes(data, options=LoadOptions(**options), batch_bytes=120, chunk_bytes=7)
    assert loaded.rejects.height == 0
    regions: list[str] = loaded.trips["region"].to_list()
    return regions


@pytest.mark.parametrize("codec", NAMES)
def test_any_codec_can_be_said(codec: str) -> None:
    assert find_regions(make_file(NAMES[codec], codec), encoding=codec) == list(NAMES[codec])
    assert find_regions(gzip.compress(make_file(NAMES[codec], codec)), encoding=codec) == list(NAMES[codec])


@pytest.mark.parametrize("codec", ["windows-1250", "windows-1251", "gb18030", "cp949"])
def test_names_in_another_encoding_are_asked_for(codec: str) -> None:
    """The question shows what each encoding makes of the names."""
    with pytest.raises(FileFormatError) as caught:
        find_regions(make_file(NAMES[codec], codec))
    assert (caught.value.error_code, caught.value.facts["parameter"]) == ("ambiguous_encoding", "encoding")
    choices: Any = caught.value.facts["choices"]
    assert {"encoding": codec} in [choice["options"] for choice in choices]
    labels = [choice["label"] for choice in choices]
    assert any(NAMES[codec][0] in label for label in labels)


@pytest.mark.parametrize("names", [("Malmö", "Köln"), ("Zürich",), ("Kraków", "Brno")])
def test_names_that_are_the_same_in_every_likely_encoding_are_not_asked_for(names: tuple[str, ...]) -> None:
    data = make_file(names, "windows-1252")
    assert find_regions(data) == list(names)
    found = inspect_format(data, file_name="x.csv", options=LoadOptions(), is_whole=True)
    assert any("not UTF-8" in note and "encoding" in note for note in found.notes)


def test_text_that_is_not_kept_is_no_question() -> None:
    head = HEAD.replace("region", "station")
    data = make_file(NAMES["windows-1250"], "windows-1250", head=head)
    assert load_bytes(data).trips.height == len(NAMES["windows-1250"])


@pytest.mark.parametrize("codec", ["cp949", "gb18030"])
def test_headers_of_asia_are_read(codec: str) -> None:
    words = {"cp949": "대여일시,대여대여소명,반납대여소명", "gb18030": "开始时间,起点站名,终点站名"}[codec]
    assert rank_charsets((words + "\n").encode(codec))[0] == codec


def test_letters_of_two_bytes_do_not_cut_fields() -> None:
    """The second byte of 表 is a backslash, and that of many letters a bar."""
    names = ["表", "ポ", "十", "ソ", "能"]
    data = (HEAD + "".join(ROW.format(f'"{name}"', f"{name}{name}") for name in names)).encode("cp932")
    assert b"\\" in data
    assert find_regions(data, encoding="cp932") == names


@pytest.mark.slow
@settings(max_examples=40, deadline=None)
@given(names=st.lists(st.text(st.characters(codec="gb18030", categories=["Lo"]), min_size=1, max_size=6), min_size=1, max_size=6))
def test_gb18030_comes_back_as_written(names: list[str]) -> None:
    assert find_regions(make_file(tuple(names), "gb18030"), encoding="gb18030") == names


@pytest.mark.parametrize("name", ["base64", "rot13", "hex", "idna", "nothing", "", "utf-7", "punycode", "zlib"])
def test_what_is_no_encoding_of_files_is_refused(name: str) -> None:
    assert not is_codec(name)
    with pytest.raises(RequestError) as caught:
        LoadOptions.from_json({"encoding": name})
    assert caught.value.facts["parameter"] == "encoding"


def test_what_can_be_cut_before_it_is_decoded() -> None:
    assert all(
        is_single_byte(name) for name in ("windows-1250", "cp1252", "latin-1", "koi8-r", "cp874", "mac-roman", "iso8859-2")
    )
    others = (
        "gb18030",
        "cp949",
        "euc_kr",
        "cp932",
        "big5",
        "euc_jp",
        "iso2022_jp",
        "utf-16-le",
        "utf-32",
        "utf-8",
        "cp037",
        "johab",
    )
    assert not any(is_single_byte(name) for name in others)
    assert is_cut_as_stored("utf-8")


def test_an_encoding_that_shows_late_is_guessed_or_asked_for() -> None:
    plain = HEAD + ROW.format("Praha", "x") * 50
    late = plain.encode() + ROW.format("Plzeň, Łódź", "Žižkov je čtvrť, Gdańsk też").encode("windows-1250") * 3
    nameless = load_bytes(late.replace(b"region", b"street"), sample_bytes=1000)
    assert nameless.plan.dialect.encoding == "windows-1250"
    chinese = plain.encode() + ROW.format("北京市", "上海市").encode("gb18030") * 3
    for data in (late, chinese, chinese.replace(b"region", b"street")):
        with pytest.raises(FileFormatError) as caught:
            load_bytes(data, sample_bytes=1000)
        assert caught.value.error_code == "ambiguous_encoding"
