"""`python -m gateway.cli` is `ucs-gateway`."""

from gateway.cli import main

main()
