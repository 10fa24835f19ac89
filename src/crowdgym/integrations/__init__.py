"""Adapters for other libraries: one module for each, imported only on request.

Most libraries need no adapter. ``docs/libraries.md`` shows how to connect each of them.
"""
