"""``python -m crowdgym`` is ``crowdgym``."""

from crowdgym.cli.main import main

if __name__ == "__main__":
    main()
