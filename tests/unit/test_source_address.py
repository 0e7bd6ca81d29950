"""Addresses of sources: what is one, and what the list of allowed ones lets through."""

import pytest

from shared.platform.errors import RequestError
from shared.platform.public_addresses import is_public, parse_ip_address
from shared.platform.source_address import is_allowed, parse_address

ALLOWED = ("s3://drops/bikes/", "s3://whole", "https://data.example.org/trips", "https://other.example.org:8443/")


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("s3://drops/bikes/2024.csv", ("s3", "drops", "bikes/2024.csv")),
        ("s3://drops", ("s3", "drops", "")),
        ("s3://drops/čeština 100%?#/a", ("s3", "drops", "čeština 100%?#/a")),
        ("https://Data.Example.org:443/a?x=1", ("https", "data.example.org", "/a?x=1")),
        ("https://data.example.org.:8443", ("https", "data.example.org:8443", "/")),
        ("https://[2606:4700::1111]/a", ("https", "[2606:4700::1111]", "/a")),
        ("https://bücher.example/a", None),
    ],
)
def test_parts_of_an_address(text: str, parts: tuple[str, str, str] | None) -> None:
    if parts is None:
        with pytest.raises(RequestError):
            parse_address(text)
        return
    address = parse_address(text)
    assert (address.scheme, address.place, address.path) == parts
    assert parse_address(str(address)) == address


@pytest.mark.parametrize(
    "text",
    [
        "",
        "trips.csv",
        "http://data.example.org/a",
        "file:///etc/passwd",
        "ftp://data.example.org/a",
        "s3:///a",
        "s3://UPPER/a",
        "s3://../a",
        f"s3://drops/{'é' * 513}",
        "https:///a",
        "https://user:secret@data.example.org/a",
        "https://data.example.org@evil.example/a",
        "https://data.example.org/trips/../admin",
        "https://data.example.org/trips/%2e%2e/admin",
        "https://data.example.org/trips\\..\\admin",
        "https://data.example.org/a\r\nHost: evil",
        "https://data.example.org:99999/a",
        "https://data.example.org/a?X-Amz-Signature=abc",
        "https://data.example.org/a?x=1&token=abc",
    ],
)
def test_what_is_no_address(text: str) -> None:
    with pytest.raises(RequestError) as caught:
        parse_address(text)
    assert caught.value.parameter == "address"


@pytest.mark.parametrize(
    ("text", "is_listed"),
    [
        ("s3://drops/bikes/2024.csv", True),
        ("s3://drops/bikes/", True),
        ("s3://drops/bikes", False),
        ("s3://drops/bikes-of-others/a.csv", False),
        ("s3://drops/", False),
        ("s3://whole/anything", True),
        ("s3://whole", True),
        ("s3://whole2/anything", False),
        ("https://data.example.org/trips", True),
        ("https://data.example.org/trips?year=2024", True),
        ("https://data.example.org/trips/2024.csv", True),
        ("https://data.example.org/tripsters", False),
        ("https://data.example.org:8443/trips/a", False),
        ("https://data.example.org.evil.example/trips/a", False),
        ("https://evil.example/?https://data.example.org/trips/a", False),
        ("https://other.example.org:8443/a", True),
        ("https://other.example.org/a", False),
    ],
)
def test_only_what_lies_under_an_entry_is_allowed(text: str, is_listed: bool) -> None:
    assert is_allowed(parse_address(text), ALLOWED) == is_listed
    assert not is_allowed(parse_address(text), ())


@pytest.mark.parametrize(
    ("address", "public"),
    [
        ("93.184.216.34", True),
        ("2606:2800:220:1::1", True),
        ("127.0.0.1", False),
        ("0.0.0.0", False),
        ("10.1.2.3", False),
        ("172.16.0.1", False),
        ("192.168.1.1", False),
        ("100.64.0.1", False),
        ("169.254.169.254", False),
        ("224.0.0.1", False),
        ("255.255.255.255", False),
        ("::1", False),
        ("::", False),
        ("fe80::1%eth0", False),
        ("fd00:ec2::254", False),
        ("ff02::1", False),
        ("::ffff:169.254.169.254", False),
        ("::ffff:93.184.216.34", True),
        ("64:ff9b::a9fe:a9fe", False),
        ("2002:a9fe:a9fe::1", False),
        ("64:ff9b::93.184.216.34", True),
        ("64:ff9b:1::93.184.216.34", False),
        ("2001:0:4136:e378:8000:63bf:3fff:fdd2", False),
    ],
)
def test_public_addresses(address: str, public: bool) -> None:
    assert is_public(parse_ip_address(address)) == public


def test_names_for_people() -> None:
    assert parse_address("s3://drops/bikes/čas 1.csv").file_name == "čas 1.csv"
    assert parse_address("https://data.example.org/a/b%20c.csv?x=/y").file_name == "b c.csv"
    assert parse_address("https://data.example.org/").file_name == "data.example.org"
