"""The hook of the suite ``sensing-paper``: its bound, its claims and its page."""
