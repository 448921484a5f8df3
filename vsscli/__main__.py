"""``python -m vsscli``."""

from vsscli.cli.main import main

if __name__ == "__main__":
    main()
