"""
A stand-in for APIMart's image API over real HTTP, in this process: as it is documented, as it was measured where that
differs, and as wrong as it is told to be.

    with ApiMart() as api:                          # or the fixture `api_mart`
        api.knobs.takes = 10                        # for good
        api.queue("submit", busy(after="3"), None)  # the next one; the one after it is answered well
        api.ends(FAILED, WELL)                      # how the next two tasks end
        ...
        assert api.charges_by_key() == {key: 1}

Three addresses: the API; the host of uploads and results, which is public, without keys and CORS; and `elsewhere`, that
nobody has any business at, for redirects and lies. The clock is handed in. Results are made of the portrait that came.
What may go wrong is in `faults`, what it does unless told otherwise in `book.Knobs`, what is accepted in `models`.
It gives answers and keeps book. What a client should make of them is not decided here.

Left out, as no client of ours uses them: webhooks, batches of tasks, masks, usage per day, pixels as a size.

By hand: `python -m tests.peers.apimart --takes 10` prints its addresses and its key, as settings of an app. An app
fetches no pictures from this machine by itself: `python -m tests.peers.apimart_app` starts one that does, beside it.
"""

from tests.peers.apimart.server import ApiMart

__all__ = ["ApiMart"]
