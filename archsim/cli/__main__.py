"""``python -m archsim.cli``."""

from archsim.cli import main

main()
