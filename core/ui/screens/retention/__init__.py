"""The retention page's sections, from top to bottom: state, switch, futures, queues and what is done about them."""
