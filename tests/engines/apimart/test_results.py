"""Addresses that somebody else's server names: where we go, where never, and what we take from there."""

import io
import ipaddress
import socket
import ssl
import struct
import threading
import time
import zlib

import pytest
from PIL import Image

from core.engines.apimart.pictures import looked_through
from core.engines.apimart.results import Results, is_public
from core.errors import EngineRefused, EngineUnavailable
from core.ports import Presence
from tests.engines.portraits import astronaut_pixels
from tests.peers.apimart import faults
from tests.peers.certificate import make_certificate

HERE = "127.0.0.1"
PUBLIC = ["93.184.215.14", "8.8.8.8", "2606:4700::6810:84e5", "2a00:1450:4001:80b::200e"]
NOT_PUBLIC = [
    *("127.0.0.1", "127.8.8.8", "0.0.0.0", "0.1.2.3", "255.255.255.255"),
    *("10.1.2.3", "172.16.0.1", "192.168.1.1", "100.64.0.1", "169.254.169.254"),
    *("192.0.2.1", "198.51.100.1", "203.0.113.1", "198.18.0.1", "192.0.0.8", "192.88.99.1"),
    *("224.0.0.1", "239.255.255.250", "240.0.0.1"),
    *("::", "::1", "fe80::1", "fe80::1%lo", "fec0::1", "fc00::1", "fd00:ec2::254"),
    *("ff02::1", "ff0e::1", "100::1", "2001:db8::1", "3fff::1", "4000::1"),
    *("::ffff:127.0.0.1", "::ffff:8.8.8.8", "::127.0.0.1", "::8.8.8.8"),
    *("64:ff9b::7f00:1", "64:ff9b::808:808", "64:ff9b:1::a00:1"),  # NAT64
    *("2002:7f00:1::1", "2002:808:808::1", "2001:0:7f00:1::1"),  # 6to4, Teredo
]


def picture(kind: str = "PNG", size: tuple[int, int] = (512, 640), **options: object) -> bytes:
    out = io.BytesIO()
    Image.linear_gradient("L").resize(size).convert("RGB").save(out, kind, **options)
    return out.getvalue()


@pytest.fixture
def near(api_mart):
    """Fetches from the stand-in; what is told changes how."""

    def make(**changes):
        return Results(**{"hosts": [HERE], "nearby": True, **changes})

    return make


@pytest.fixture
def at(api_mart):
    """An address at the stand-in at which such an answer is had, as often as it is asked."""

    def lay(fault):
        api_mart.always("file", fault)
        return f"{api_mart.result_url}/f/image/1-out_0.png"

    return lay


# --------------------------------------------------------------------------------------------------- where never
@pytest.mark.parametrize("address", PUBLIC)
def test_addresses_of_the_internet(address):
    assert is_public(ipaddress.ip_address(address))


@pytest.mark.parametrize("address", NOT_PUBLIC)
def test_addresses_of_this_machine_its_network_and_nobody(address):
    assert not is_public(ipaddress.ip_address(address))


@pytest.mark.parametrize("address", NOT_PUBLIC)
def test_a_name_that_leads_there_is_not_followed(address):
    results = Results(["getapib.org"], resolve=lambda host, port: [PUBLIC[0], address])
    with pytest.raises(EngineRefused) as raised:
        results.fetch("https://getapib.org/f/image/1.png")
    assert raised.value.code == "result_refused"
    assert results.probe("https://getapib.org/f/image/1.png") is Presence.UNKNOWN


WRONG_PLACES = [
    "http://getapib.org/f/1.png",
    "https://getapib.org:8443/f/1.png",
    "https://getapib.org:80/f/1.png",
    "https://user@getapib.org/f/1.png",
    "https://user:word@getapib.org/f/1.png",
    "https://getapib.org@evil.example/f/1.png",
    "https://evil.example\\@getapib.org/f/1.png",
    "https://evil.example#@getapib.org/f/1.png",
    "https://getapib.org.evil.example/f/1.png",
    "https://evilgetapib.org/f/1.png",
    "https://sub.getapib.org/f/1.png",
    "https://getapib.org./f/1.png",
    "https://127.0.0.1/f/1.png",
    "https://[::1]/f/1.png",
    "https://2130706433/f/1.png",
    "https://getapib.org%2eevil.example/f/1.png",
    "https://ｇetapib.org/f/1.png",
    "https://getapib.org/f/1.png\r\nX-Evil: 1",
    "https://getapib.org/f/ 1.png",
    "https://getapib.org:port/f/1.png",
    "https://getapib.org:99999/f/1.png",
    "https://[getapib.org/f/1.png",
    "https:///f/1.png",
    "//getapib.org/f/1.png",
    "ftp://getapib.org/f/1.png",
    "file:///etc/passwd",
    "data:image/png;base64,AAAA",
    "",
    "https://getapib.org/" + "a" * 5000,
]


@pytest.mark.parametrize("url", WRONG_PLACES)
def test_places_that_are_not_gone_to_are_not_even_looked_up(url):
    looked_up = []
    results = Results(["getapib.org"], resolve=lambda host, port: looked_up.append(host) or [PUBLIC[0]])
    with pytest.raises(EngineRefused) as raised:
        results.fetch(url)
    assert results.probe(url) is Presence.UNKNOWN
    assert looked_up == []
    assert "getapib" not in str(raised.value) and "evil" not in str(raised.value)


def test_this_machine_is_for_tests_alone(api_mart, at):
    url = at(faults.serving(picture()))
    strict = Results([HERE, "localhost"])
    for each in (url, url.replace("http:", "https:"), f"https://{HERE}/1.png", "https://localhost/1.png"):
        with pytest.raises(EngineRefused):
            strict.fetch(each)
    assert api_mart.reads == []


@pytest.mark.parametrize("address", ["10.0.0.1", "169.254.169.254", "::ffff:127.0.0.1", "fe80::1"])
def test_nearby_means_this_machine_and_nothing_beside_it(api_mart, near, at, address):
    results = near(hosts=["pictures.invalid"], resolve=lambda host, port: [HERE, address])
    with pytest.raises(EngineRefused):
        results.fetch(at(faults.serving(picture())).replace(HERE, "pictures.invalid"))
    assert api_mart.reads == []


def test_a_host_that_is_not_on_the_list_is_not_asked(api_mart, near):
    with pytest.raises(EngineRefused):
        near().fetch(f"{api_mart.elsewhere}/f/1.png")
    assert api_mart.strays == []


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_no_redirect_is_followed(api_mart, near, at, status):
    url = at(faults.redirect(f"{api_mart.elsewhere}/f/1.png", status))
    with pytest.raises(EngineRefused):
        near(hosts=[HERE, "localhost"]).fetch(url)
    assert near(hosts=[HERE, "localhost"]).probe(url) is Presence.UNKNOWN
    assert api_mart.strays == []


def test_a_name_is_looked_up_once_and_gone_to_where_it_led(near, at):
    """A name that changes its mind between the look and the connection would lead elsewhere."""
    answers = iter([[HERE]])
    results = near(hosts=["pictures.invalid"], resolve=lambda host, port: next(answers))
    assert results.fetch(at(faults.serving(picture())).replace(HERE, "pictures.invalid")).width == 512


def test_where_the_first_address_is_deaf_the_next_is_tried(near, at):
    results = near(hosts=["pictures.invalid"], resolve=lambda host, port: ["127.0.0.77", HERE])
    assert results.fetch(at(faults.serving(picture())).replace(HERE, "pictures.invalid")).height == 640


def test_a_name_that_cannot_be_looked_up_may_be_tried_again():
    def nobody_knows(host, port):
        raise socket.gaierror(-3, "try again")

    for resolve in (nobody_knows, lambda host, port: []):
        results = Results(["getapib.org"], resolve=resolve)
        with pytest.raises(EngineUnavailable):
            results.fetch("https://getapib.org/1.png")
        assert results.probe("https://getapib.org/1.png") is Presence.UNKNOWN


def test_a_certificate_is_held_against_the_name_and_not_the_address(tmp_path):
    key_file, certificate = make_certificate(tmp_path)  # for 127.0.0.1
    trusts = ssl.create_default_context(cafile=certificate)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key_file)
    asked = []
    context.sni_callback = lambda line, name, _: asked.append(name)
    whole = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(picture()), picture())
    with raw_server([whole], context) as port:
        told = {"hosts": [HERE, "pictures.invalid"], "resolve": lambda host, port: [HERE], "nearby": True}
        assert Results(**told, trusts=trusts).fetch(f"https://{HERE}:{port}/1.png").width == 512
        with pytest.raises(EngineUnavailable):
            Results(**told, trusts=trusts).fetch(f"https://pictures.invalid:{port}/1.png")
        with pytest.raises(EngineUnavailable):
            Results(**told).fetch(f"https://{HERE}:{port}/1.png")
    assert "pictures.invalid" in asked


# ---------------------------------------------------------------------------------------------- what is not taken
@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        (faults.NO_PICTURE, EngineRefused),
        (faults.EMPTY, EngineRefused),
        (faults.ENDLESS, EngineRefused),
        (faults.HUGE, EngineRefused),
        (faults.zipped(4 << 20), EngineRefused),
        (faults.serving(b"<svg xmlns='http://www.w3.org/2000/svg'/>", "image/svg+xml"), EngineRefused),
        (faults.serving(picture("GIF"), "image/png"), EngineRefused),
        (faults.serving(picture(size=(255, 900))), EngineRefused),
        (faults.serving(picture()[:-40]), EngineRefused),
        (faults.CUT_PICTURE, EngineUnavailable),
        (faults.DROPPED, EngineUnavailable),
        (faults.GONE, EngineUnavailable),
        (faults.BAD_GATEWAY, EngineUnavailable),
        (faults.busy(after="5"), EngineUnavailable),
        (faults.error(404, {}), EngineUnavailable),
    ],
)
def test_what_is_not_taken(api_mart, near, at, fault, kind):
    with pytest.raises(kind) as raised:
        near(most_bytes=1_000_000).fetch(at(fault))
    assert HERE not in str(raised.value) and "/f/" not in str(raised.value)
    assert len(api_mart.reads) == 1


@pytest.mark.parametrize("fault", [faults.DRIPPING, faults.Fault(stalls=5)])
def test_all_of_it_takes_no_longer_than_it_may(near, at, fault):
    begun = time.monotonic()
    with pytest.raises(EngineUnavailable):
        near(fetch_seconds=0.3).fetch(at(fault))
    assert near(probe_seconds=0.3).probe(at(faults.Fault(stalls=5))) is Presence.UNKNOWN
    assert time.monotonic() - begun < 3


def test_a_head_that_never_ends_ends_when_it_must():
    """Each byte in good time: a limit for each of them would never be reached."""
    begun = time.monotonic()
    with raw_server([b"HTTP/1.1 200 OK\r\nX-Slow: ", *[b"a"] * 100], pause=0.05) as port:
        with pytest.raises(EngineUnavailable):
            Results([HERE], nearby=True, fetch_seconds=0.3).fetch(f"http://{HERE}:{port}/1.png")
        assert time.monotonic() - begun < 3


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
def test_a_good_picture_is_taken_unchanged(near, at, kind):
    data = picture(kind) + b"and what its maker glued to its end"
    fetched = near().fetch(at(faults.serving(data, "application/octet-stream")))
    assert fetched.data == data
    assert (fetched.media_type, fetched.width, fetched.height) == (f"image/{kind.lower()}", 512, 640)
    assert repr(data[:8]) not in repr(fetched)


def bomb(width: int, height: int) -> bytes:
    """A PNG whose header announces more than it holds."""

    def chunk(name: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    pixels = zlib.compress(bytes(1 << 20))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")


def moving(kind: str) -> bytes:
    frames = [Image.new("RGB", (300, 300), colour) for colour in ("teal", "red")]
    out = io.BytesIO()
    frames[0].save(out, kind, save_all=True, append_images=frames[1:])
    return out.getvalue()


def many_scans() -> bytes:
    """The last scan of a progressive JPEG, again and again."""
    out = io.BytesIO()
    Image.fromarray(astronaut_pixels()).save(out, "JPEG", progressive=True)
    data = out.getvalue()
    last = data.rindex(b"\xff\xda")
    return data[:-2] + data[last:-2] * 1100 + data[-2:]


NO_PICTURES = {
    "more than 50 megapixels": bomb(7072, 7072),
    "more than Pillow would open": bomb(60_000, 60_000),
    "no width": bomb(0, 900),
    "less than it announces": bomb(3000, 3000),
    "too small": picture(size=(640, 255)),
    "a JPEG cut in the middle": picture("JPEG")[:-2000],
    "a PNG cut in the middle": picture()[:1200],
    "a WebP cut in the middle": picture("WEBP", lossless=True)[:-200],
    "a moving PNG": moving("PNG"),
    "a moving WebP": moving("WEBP"),
    "a thousand scans": many_scans(),
    "a beginning": b"\xff\xd8\xff",
    "a PNG that says it is a JPEG": b"\xff\xd8\xff" + picture()[3:],
    "nothing": b"",
}


@pytest.mark.parametrize("data", NO_PICTURES.values(), ids=NO_PICTURES.keys())
def test_what_is_no_whole_picture_of_a_sensible_size(data):
    with pytest.raises(EngineRefused) as raised:
        looked_through(data)
    assert raised.value.code == "result_refused"


def test_pixels_are_counted_before_they_are_made():
    assert looked_through(picture(), most_pixels=512 * 640).width == 512
    with pytest.raises(EngineRefused):
        looked_through(picture(), most_pixels=512 * 640 - 1)


# ----------------------------------------------------------------------------------------------- is it still there
@pytest.mark.parametrize(
    ("fault", "presence"),
    [
        (faults.serving(picture()), Presence.PRESENT),
        (faults.serving(picture("WEBP"), "text/html"), Presence.PRESENT),
        (faults.Fault(status=206, body=picture()[:64]), Presence.PRESENT),
        (faults.Fault(status=304), Presence.PRESENT),
        (faults.ENDLESS, Presence.PRESENT),
        (faults.GONE, Presence.ABSENT),
        (faults.error(404, {}), Presence.ABSENT),
        (faults.error(410, {}), Presence.ABSENT),
        (faults.error(403, {}, cf_mitigated="challenge"), Presence.UNKNOWN),
        (faults.error(401, {}), Presence.UNKNOWN),
        (faults.error(451, {}), Presence.UNKNOWN),
        (faults.error(416, {}), Presence.UNKNOWN),
        (faults.busy(), Presence.UNKNOWN),
        (faults.BROKEN, Presence.UNKNOWN),
        (faults.BAD_GATEWAY, Presence.UNKNOWN),
        (faults.NO_PICTURE, Presence.UNKNOWN),
        (faults.EMPTY, Presence.UNKNOWN),
        (faults.DROPPED, Presence.UNKNOWN),
        (faults.Fault(status=204), Presence.UNKNOWN),
    ],
)
def test_whether_anybody_can_still_see_it(api_mart, near, at, fault, presence):
    assert near().probe(at(fault)) is presence
    assert len(api_mart.reads) == 1


def test_a_look_takes_a_few_bytes_and_no_more(api_mart, near, at):
    near().probe(at(faults.serving(picture())))
    assert api_mart.reads[0].headers["range"] == "bytes=0-63"
    assert api_mart.reads[0].method == "GET"


def test_where_nobody_listens_nothing_is_known():
    with socket.socket() as taken:
        taken.bind((HERE, 0))  # and does not listen
        url = f"http://{HERE}:{taken.getsockname()[1]}/1.png"
        assert Results([HERE], nearby=True).probe(url) is Presence.UNKNOWN
        with pytest.raises(EngineUnavailable):
            Results([HERE], nearby=True).fetch(url)


# ---------------------------------------------------------------------------------------------------- a server
class raw_server:  # noqa: N801
    """Says the same pieces to everybody who comes, whatever is asked."""

    def __init__(self, pieces: list[bytes], context: ssl.SSLContext | None = None, *, pause: float = 0) -> None:
        self._pieces, self._context, self._pause = pieces, context, pause
        self._over = threading.Event()

    def __enter__(self) -> int:
        self._socket = socket.create_server((HERE, 0))
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()
        return self._socket.getsockname()[1]

    def __exit__(self, *_) -> None:
        self._over.set()
        socket.create_connection(self._socket.getsockname()).close()  # wakes who waits for somebody
        self._thread.join(10)
        self._socket.close()

    def _serve(self) -> None:
        while not self._over.is_set():
            line, _ = self._socket.accept()
            try:
                with self._context.wrap_socket(line, server_side=True) if self._context else line as heard:
                    self._answer(heard)
            except OSError:
                continue

    def _answer(self, line: socket.socket) -> None:
        if self._over.is_set():
            return
        line.recv(4096)
        for piece in self._pieces:
            line.sendall(piece)
            if self._pause and self._over.wait(self._pause):
                return
