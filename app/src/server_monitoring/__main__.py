"""Run the command line as `python -m server_monitoring`, or this file by `spark-submit`."""

import sys

from server_monitoring.cli import main

if __name__ == "__main__":
    sys.exit(main())
