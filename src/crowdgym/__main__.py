"""``python -m crowdgym`` is ``crowdgym``."""

from crowdgym.cli.start import main

if __name__ == "__main__":
    main()
