"""The suite ``dasc-rmo``: what it needs besides its YAML file, and its page."""
