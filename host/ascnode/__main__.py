"""`python -m ascnode`."""

from ascnode.cli.main import main

main()
