"""The checklist: what to ask, what this server answers, and a form to hold another tool against it."""
