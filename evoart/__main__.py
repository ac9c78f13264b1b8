"""``python -m evoart``."""

from evoart.cli import main

if __name__ == "__main__":
    main()
