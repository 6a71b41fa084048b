"""Where APIMart's key is set it is offered; what no run could use stops the start, and says which setting it is."""

import subprocess
import sys
from datetime import timedelta

import pytest

from core import bootstrap
from core.engines.apimart.offers import DEFAULT, offers
from core.errors import BadSettings
from core.ports import HandOver
from core.settings import ROOT, Settings

KEY = {"apimart_api_key": "sk-a-key-of-ours"}
BY_ADDRESS = next(offer.id for offer in offers().values() if not offer.takes_inline)


def providers(**told):
    return bootstrap.providers(Settings(**{**KEY, **told}))


def test_without_a_key_nobody_is_offered(tmp_path):
    assert bootstrap.providers(Settings()) == {}
    assert bootstrap.build(Settings(data_dir=tmp_path)).providers == {}


def test_with_a_key_it_is_offered_by_name(tmp_path):
    svc = bootstrap.build(Settings(data_dir=tmp_path, **KEY))
    provider = svc.providers["apimart"]
    assert list(svc.offered) == ["on_device", "apimart"]
    assert (provider.title, provider.run_by) == ("APIMart", "APIMart (apimart.ai), a third party")
    assert (provider.model, provider.hand_over, provider.price) == (DEFAULT, HandOver.INLINE, offers()[DEFAULT].price)
    assert (provider.takes_note, provider.takes_clothing) == (True, True)
    assert provider.stages == ("sending", "waiting", "fetching")
    assert (provider.upload_kept_for, provider.result_kept_for) == (timedelta(hours=72), timedelta(hours=72))


@pytest.mark.parametrize(("dollars", "micros"), [(0.0114, 11_400), (0.1, 100_000), (0, 0), (3, 3_000_000)])
def test_a_price_of_ones_own_goes_before_the_list(dollars, micros):
    assert providers(apimart_price_usd=dollars)["apimart"].price == micros


@pytest.mark.parametrize(
    "told",
    [
        {"apimart_hand_over": "link", "public_url": "https://workshot.example"},
        {"apimart_hand_over": "link", "public_url": "http://localhost:8501"},
        {"apimart_hand_over": "upload"},
        {"apimart_model": BY_ADDRESS, "apimart_hand_over": "upload"},
        {"apimart_base_url": "https://api.apib.ai/"},
        {"apimart_base_url": "http://127.0.0.1:9999"},
    ],
)
def test_what_can_be_set(told):
    assert list(providers(**told)) == ["apimart"]


@pytest.mark.parametrize(
    ("told", "named"),
    [
        ({"apimart_model": "no-such-model"}, "APIMART_MODEL"),
        ({"apimart_model": BY_ADDRESS}, "APIMART_HAND_OVER"),
        ({"apimart_hand_over": "link"}, "PUBLIC_URL"),
        ({"apimart_hand_over": "link", "public_url": "http://workshot.example"}, "PUBLIC_URL"),
        ({"apimart_hand_over": "link", "public_url": "http://10.0.0.1"}, "PUBLIC_URL"),
        ({"apimart_base_url": "http://api.apimart.ai"}, "APIMART_BASE_URL"),
        ({"apimart_base_url": "https://user:word@api.apimart.ai"}, "APIMART_BASE_URL"),
        ({"apimart_base_url": "api.apimart.ai"}, "APIMART_BASE_URL"),
        ({"apimart_base_url": "https://[api"}, "APIMART_BASE_URL"),
        ({"apimart_result_hosts": " , "}, "APIMART_RESULT_HOSTS"),
        ({"apimart_result_hosts": "https://getapib.org"}, "APIMART_RESULT_HOSTS"),
        ({"apimart_result_hosts": "getapib.org:8443"}, "APIMART_RESULT_HOSTS"),
        ({"apimart_api_key": "sk-a key\n"}, "APIMART_API_KEY"),
        ({"apimart_api_key": "sk-ä"}, "APIMART_API_KEY"),
    ],
)
def test_what_no_run_could_use_stops_the_start(told, named):
    with pytest.raises(BadSettings) as raised:
        providers(**told)
    assert named in str(raised.value)
    assert "sk-" not in str(raised.value)


def test_a_server_that_starts_with_it_loads_no_http_and_no_pictures(tmp_path):
    program = (
        "import sys; import streamlit_app; from core import bootstrap;"
        "assert bootstrap.with_runner(bootstrap.build())[0].providers;"
        "print(*[name for name in ('httpx', 'httpcore', 'core.engines.apimart.client', 'cv2') if name in sys.modules])"
    )
    environment = {"PATH": "", "DATA_DIR": str(tmp_path), "HOME": str(tmp_path), "APIMART_API_KEY": "sk-x"}
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, env=environment, capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == []
