"""The deletion desk's sections: how the clocks stand, the list, the request that is open, what can be done about it."""
