"""The gallery's way in: two pages under a top navigation like the product's."""

import streamlit as st

st.set_page_config(page_title="Gallery · WorkShot", layout="wide")
pages = [
    st.Page("gallery.py", title="Studio", default=True),
    st.Page("gallery_second.py", title="My photos", url_path="second"),
]
st.navigation(pages, position="top").run()
