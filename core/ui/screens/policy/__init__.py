"""The policy's page: the text with how each promise stands, what is announced, and older versions with what changed."""
