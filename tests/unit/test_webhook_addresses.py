"""Addresses of webhooks: no message becomes a request to what only this machine can reach."""

import pytest

from loader.webhooks.addresses import PrivateHosts, parse_url, resolve_host
from shared.platform.errors import RequestError, SettingsError, TransientError

NOBODY = PrivateHosts()


@pytest.mark.parametrize(
    "url",
    [
        "ftp://hooks.example/",
        "file:///etc/passwd",
        "https://",
        "https:///path",
        "hooks.example",
        "https://user:secret@hooks.example/",
        "https://hooks.example/#part",
        "https://hooks.example:99999/",
        "https://hooks.example/a b",
        "https://hooks.example/\r\nHost: other",
        "https://[::1",
        "https://hooks.example/" + "a" * 2_000,
    ],
)
def test_what_is_no_url_of_a_receiver_is_refused(url: str) -> None:
    with pytest.raises(RequestError):
        parse_url(url)


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1",
        "127.1",
        "0x7f000001",
        "2130706433",
        "0.0.0.0",
        "localhost",
        "localhost.",
        "10.1.2.3",
        "172.16.0.1",
        "192.168.1.1",
        "100.64.0.1",
        "169.254.169.254",
        "224.0.0.1",
        "255.255.255.255",
        "[::1]",
        "[::]",
        "[fe80::1]",
        "[fd00:ec2::254]",
        "[::ffff:10.0.0.1]",
        "[64:ff9b::a9fe:a9fe]",
        "[2002:7f00:1::1]",
        "[ff02::1]",
    ],
)
def test_private_addresses_are_refused_however_they_are_written(host: str) -> None:
    for scheme in ("https", "http"):
        with pytest.raises(RequestError, match="TRIPDECK_WEBHOOK_PRIVATE_HOSTS"):
            resolve_host(parse_url(f"{scheme}://{host}/hook"), NOBODY)


def test_public_addresses_are_reached_by_https_only() -> None:
    assert resolve_host(parse_url("https://93.184.215.14/hook"), NOBODY) == "93.184.215.14"
    assert resolve_host(parse_url("https://[2606:2800:21f::1]:8443/hook"), NOBODY) == "2606:2800:21f::1"
    with pytest.raises(RequestError, match="https only"):
        resolve_host(parse_url("http://93.184.215.14/hook"), NOBODY)


def test_private_hosts_are_reached_where_the_setting_names_them() -> None:
    private = PrivateHosts.parse(["localhost", "10.0.0.0/8", "fd00::/16"])
    assert resolve_host(parse_url("http://LOCALHOST:80/hook"), private) in ("127.0.0.1", "::1")
    assert resolve_host(parse_url("http://10.9.9.9/hook"), private) == "10.9.9.9"
    assert resolve_host(parse_url("http://[fd00::9]/hook"), private) == "fd00::9"
    for host in ("127.0.0.1", "11.0.0.1", "[fd01::9]"):
        with pytest.raises(RequestError):
            resolve_host(parse_url(f"http://{host}/hook"), private)


@pytest.mark.parametrize("entry", ["10.0.0.1/8", "10.0.0", "a b", "http://hooks.internal", "", "-a"])
def test_an_entry_that_is_no_host_is_a_wrong_setting(entry: str) -> None:
    with pytest.raises(SettingsError, match="TRIPDECK_WEBHOOK_PRIVATE_HOSTS"):
        PrivateHosts.parse([entry])


def test_a_name_without_an_address_may_have_one_later() -> None:
    with pytest.raises(TransientError, match="no address"):
        resolve_host(parse_url("https://nobody.invalid/hook"), NOBODY)


def test_the_parts_of_a_url() -> None:
    url = parse_url("https://Hooks.Example.:8443/a/b?c=d")
    assert (url.scheme, url.host, url.port, url.target) == ("https", "hooks.example", 8443, "/a/b?c=d")
    assert (parse_url("https://hooks.example").port, parse_url("https://hooks.example").target) == (443, "/")
