"""The register of breaches that are over. It stays, as GDPR, Article 33(5) asks."""

from collections.abc import Sequence
from datetime import datetime

import streamlit as st

from core.models import Breach
from core.ui import widgets
from core.ui.screens.breach.desk import Desk
from core.ui.screens.breach.noting import KIND_SAYS
from core.ui.screens.breach.one import OUTCOME_SAYS


def register(desk: Desk, over: Sequence[Breach]) -> None:
    st.header("Register", anchor=False)
    if not over:
        widgets.show(widgets.quiet("No breach is closed. What is noted stays here."))
        return
    st.dataframe(
        {
            "number": [breach.number for breach in over],
            "what": [KIND_SAYS[breach.kind] for breach in over],
            "noticed (UTC)": [f"{breach.noticed_at:%Y-%m-%d %H:%M:%S}" for breach in over],
            "authority told": [_after(breach, breach.authority_told_at) for breach in over],
            "people told": [_after(breach, breach.people_told_at) for breach in over],
            "closed (UTC)": [f"{breach.closed_at:%Y-%m-%d %H:%M:%S}" for breach in over],
            "outcome": [OUTCOME_SAYS[breach.outcome] if breach.outcome else "" for breach in over],
        },
        hide_index=True,
        alt=f"Breaches that are closed: {len(over)}",
    )


def _after(breach: Breach, at: datetime | None) -> str:
    """How long after it was noticed."""
    return f"after {widgets.length(at - breach.noticed_at)}" if at else "–"
