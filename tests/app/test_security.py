"""Who the server answers: over real HTTP and real WebSockets."""

import http.client

import httpx
import pytest
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from making.pages import cookie_of, open_page

VIEW = "/data/isi?clusters=0"


def ask(server, path=VIEW, *, cookie="own", **headers):
    """Ask with the headers of an attack; return the response."""
    headers = {name.replace("_", "-"): value for name, value in headers.items()}
    if cookie == "own":
        cookie = cookie_of(server)
    if cookie:
        headers["cookie"] = cookie
    return httpx.get(f"http://127.0.0.1:{server.port}{path}", headers=headers)


def assert_bare_refusal(response):
    assert response.status_code == 403
    assert response.text == "Forbidden"


def test_the_page_itself_is_let_through(looking_server):
    assert ask(looking_server).status_code == 200


@pytest.mark.parametrize("path", ["/", VIEW, "/assets/x.js", "/popout.html", "/socket", "/nowhere"])
def test_without_the_cookie_nothing_is_answered(looking_server, path):
    assert_bare_refusal(ask(looking_server, path, cookie=None))


@pytest.mark.parametrize("token", ["", "wrong", "x" * 43])
def test_a_wrong_token_opens_nothing(looking_server, token):
    assert_bare_refusal(ask(looking_server, f"/?token={token}", cookie=None))
    cookie = f"spikeloom-{looking_server.port}={token}"
    assert_bare_refusal(ask(looking_server, cookie=cookie))


def test_the_token_alone_opens_the_entrance_and_nothing_else(looking_server):
    token = looking_server.token
    assert_bare_refusal(ask(looking_server, f"{VIEW}&token={token}", cookie=None))
    assert_bare_refusal(ask(looking_server, f"/popout.html?token={token}", cookie=None))


def test_a_visit_with_the_token_sets_a_strict_cookie_and_leads_on_to_the_page(looking_server):
    response = ask(looking_server, f"/?token={looking_server.token}", cookie=None)
    assert response.status_code == 200
    cookie = response.headers["set-cookie"]
    assert cookie.startswith(cookie_of(looking_server))
    for flag in ("HttpOnly", "SameSite=Strict", "Path=/"):
        assert flag in cookie
    assert "url=/" in response.text
    assert looking_server.token not in response.text
    with httpx.Client(base_url=looking_server.address) as client:
        client.get(f"/?token={looking_server.token}")
        assert client.get(VIEW).status_code == 200


def test_the_entrance_is_the_address_with_the_token(looking_server):
    assert looking_server.entrance == f"{looking_server.address}?token={looking_server.token}"
    assert looking_server.address == f"http://127.0.0.1:{looking_server.port}/"
    assert len(looking_server.token) >= 32


@pytest.mark.parametrize(
    "host",
    ["evil.example", "evil.example:80", "127.0.0.1.evil.example", "169.254.169.254", "", "[::2]"],
)
def test_a_foreign_host_name_is_refused_even_with_the_cookie(looking_server, host):
    # What DNS rebinding sends.
    assert_bare_refusal(ask(looking_server, host=host))
    assert_bare_refusal(ask(looking_server, f"/?token={looking_server.token}", host=host))


@pytest.mark.parametrize("name", ["127.0.0.1", "localhost", "[::1]"])
def test_loopback_names_are_known_with_any_port_since_tunnels_change_it(looking_server, name):
    for port in (looking_server.port, 9999):
        cookie = f"spikeloom-{port}={looking_server.token}"
        assert ask(looking_server, host=f"{name}:{port}", cookie=cookie).status_code == 200


@pytest.mark.parametrize(
    "origin", ["http://evil.example", "https://127.0.0.1", "null", "http://127.0.0.1:1", ""]
)
def test_a_foreign_origin_is_refused_even_with_the_cookie(looking_server, origin):
    assert_bare_refusal(ask(looking_server, origin=origin))
    assert_bare_refusal(ask(looking_server, f"/?token={looking_server.token}", origin=origin))


def test_the_own_origin_is_let_through(looking_server):
    origin = f"http://127.0.0.1:{looking_server.port}"
    assert ask(looking_server, origin=origin).status_code == 200


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
def test_a_request_that_the_browser_says_comes_from_elsewhere_is_refused(looking_server, site):
    assert_bare_refusal(ask(looking_server, sec_fetch_site=site))


@pytest.mark.parametrize("site", ["same-origin", "none"])
def test_a_request_that_the_browser_says_is_our_own_is_let_through(looking_server, site):
    assert ask(looking_server, sec_fetch_site=site).status_code == 200


def test_a_script_cannot_use_the_entrance(looking_server):
    for mode in ("cors", "no-cors", "same-origin", "websocket"):
        response = ask(
            looking_server, f"/?token={looking_server.token}", cookie=None, sec_fetch_mode=mode
        )
        assert_bare_refusal(response)


def test_the_cookie_of_a_server_on_another_port_does_not_help(looking_server):
    assert_bare_refusal(ask(looking_server, cookie="spikeloom-1234=" + looking_server.token))
    other = f"spikeloom-{looking_server.port}=another-token"
    assert_bare_refusal(ask(looking_server, cookie=other))


@pytest.mark.parametrize(
    "others",
    [
        "a=b; c=d",
        "spikeloom-1=x",
        'json={"a": 1, "b": [2]}',
        "broken",
        "=; ;;",
        'quoted="a; b',
        "name with spaces=1",
        "µ=ü",
        "expires=Thu, 01 Jan 1970",
    ],
)
def test_cookies_of_other_programs_lock_nobody_out(looking_server, others):
    own = cookie_of(looking_server)
    for text in (f"{others}; {own}", f"{own}; {others}", f"{others};{own};{others}"):
        connection = http.client.HTTPConnection("127.0.0.1", looking_server.port)
        connection.request("GET", VIEW, headers={"cookie": text.encode()})
        assert connection.getresponse().status == 200, text
        connection.close()


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS", "PATCH"])
def test_other_methods_are_not_for_anybody(looking_server, method):
    url = f"http://127.0.0.1:{looking_server.port}{VIEW}"
    assert httpx.request(method, url).status_code == 403
    headers = {"cookie": cookie_of(looking_server)}
    assert httpx.request(method, url, headers=headers).status_code == 405


@pytest.mark.parametrize("path", [VIEW, "/nowhere", "/assets/absent.js", "/data/nope"])
def test_every_answer_carries_the_content_policy(looking_server, path):
    headers = ask(looking_server, path).headers
    policy = headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "script-src 'self'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["cross-origin-opener-policy"] == "same-origin"
    assert headers["cross-origin-resource-policy"] == "same-origin"
    assert headers["cache-control"] == "no-store"
    assert "access-control-allow-origin" not in headers


@pytest.mark.parametrize(
    "path",
    [
        "/assets/../index.html",
        "/assets/..%2f..%2froutes.py",
        "/assets/%2e%2e/routes.py",
        "/../routes.py",
    ],
)
def test_no_path_leads_out_of_the_page_folder(looking_server, path):
    connection = http.client.HTTPConnection("127.0.0.1", looking_server.port)
    connection.request("GET", path, headers={"cookie": cookie_of(looking_server)})
    response = connection.getresponse()
    assert response.status in {404, 400}
    assert b"import" not in response.read()
    connection.close()


def try_socket(server, **options):
    headers = {"Cookie": cookie_of(server), **options.pop("headers", {})}
    with connect(
        f"ws://127.0.0.1:{server.port}/socket", additional_headers=headers, proxy=None, **options
    ) as socket:
        socket.recv(timeout=5)


def assert_socket_refused(server, *, status=403, **options):
    with pytest.raises(InvalidStatus) as caught:
        try_socket(server, **options)
    assert caught.value.response.status_code == status


def test_a_socket_with_cookie_and_own_origin_is_let_through(looking_server):
    with open_page(looking_server) as page:
        assert page.hello["dataset"]["n_spikes"] == 400


def test_a_socket_without_an_origin_is_refused(looking_server):
    assert_socket_refused(looking_server)


@pytest.mark.parametrize("origin", ["http://evil.example", "null", "http://127.0.0.1:1"])
def test_a_socket_of_a_foreign_origin_is_refused(looking_server, origin):
    assert_socket_refused(looking_server, origin=origin)


def test_a_socket_without_the_cookie_is_refused(looking_server):
    origin = f"http://127.0.0.1:{looking_server.port}"
    assert_socket_refused(looking_server, origin=origin, headers={"Cookie": "a=b"})


def test_a_socket_from_another_site_is_refused(looking_server):
    origin = f"http://127.0.0.1:{looking_server.port}"
    assert_socket_refused(looking_server, origin=origin, headers={"Sec-Fetch-Site": "cross-site"})


def test_a_socket_that_names_two_hosts_is_refused(looking_server):
    origin = "http://evil.example"
    headers = {"Host": "evil.example"}  # beside that of the address
    assert_socket_refused(looking_server, status=400, origin=origin, headers=headers)


def test_a_socket_of_a_foreign_host_is_refused(looking_server):
    upgrade = {
        "connection": "Upgrade",
        "upgrade": "websocket",
        "sec-websocket-version": "13",
        "sec-websocket-key": "dGhlIHNhbXBsZSBub25jZQ==",
    }
    host = {"host": "evil.example", "origin": "http://evil.example"}
    response = ask(looking_server, "/socket", **host, **upgrade)
    assert response.status_code == 403


def test_the_server_goes_on_after_all_this(looking_server):
    assert ask(looking_server).status_code == 200
