"""The smallest Streamlit app there is: what the real one is measured against."""

import streamlit as st

st.write("hello")
