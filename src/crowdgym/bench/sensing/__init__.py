"""The suite ``sensing-paper``: its grid, its claims and its page."""
