"""Requests, from receipt to answer."""
