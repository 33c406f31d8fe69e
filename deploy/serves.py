#!/opt/ledgerline/bin/python
"""The health check of our containers: exits 0 if the address answers with success, 1 with one line if it does not."""

import sys
import urllib.request

SECONDS = 4

if __name__ == "__main__":
    try:
        urllib.request.urlopen(sys.argv[1], timeout=SECONDS).close()  # noqa: S310 - the address stands in our compose file
    except OSError as error:
        sys.exit(f"{sys.argv[1]}: {error}")
