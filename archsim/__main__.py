"""``python -m archsim``: the command line."""

from archsim.cli import main

main()
