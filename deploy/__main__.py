"""python -m deploy: the same as `drumbeat`."""

from deploy.cli import main

main()
