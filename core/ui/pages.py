"""The map of the site: which pages there are, under which names."""

import streamlit as st
from streamlit.navigation.page import StreamlitPage

STUDIO, MY_PHOTOS, GUIDE = "pages/studio.py", "pages/my_photos.py", "pages/guide.py"


def for_everyone() -> list[StreamlitPage]:
    return [
        st.Page(STUDIO, title="Studio", default=True),
        st.Page(MY_PHOTOS, title="My photos"),
        st.Page(GUIDE, title="Guide"),
    ]
