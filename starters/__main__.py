"""`python -m starters`: the command line."""

from starters.cli import main

main()
