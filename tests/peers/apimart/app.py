"""
The app beside the stand-in, to be tried by hand or by a browser. With the settings that `python -m tests.peers.apimart`
prints in its environment: `python -m tests.peers.apimart.app run streamlit_app.py`.

Pictures lie on this machine here, without https, and no setting of the app lets it fetch from there: that is what
differs from `streamlit run`, and all.
"""

from functools import partial

from streamlit.web.cli import main

from core.engines.apimart import results


def run() -> None:
    """The engine loads what fetches its pictures when it first needs it, and finds this instead."""
    results.Results = partial(results.Results, nearby=True)  # type: ignore[assignment,misc]
    main(prog_name="streamlit")


if __name__ == "__main__":
    run()
