"""Signing in by OIDC. In no menu; there only where the installation has a provider."""

import streamlit as st

from core.ui import operators, widgets

widgets.frame("Sign in", "For those who run this server. Photos need no account.")

if operators.is_logged_in():
    st.html(widgets.stack(widgets.note("This account is not on the list of operators, or has signed out here.")))
    if st.button("Use another account", type="primary"):
        st.logout()
else:
    for name in operators.providers():
        if st.button(f"Sign in with {name}" if name else "Sign in", type="primary", key=f"sign-in-{name}"):
            st.login(name)
