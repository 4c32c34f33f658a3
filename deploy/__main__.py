"""`python -m deploy …` is `leadgate …`."""

from deploy.cli import main

main()
