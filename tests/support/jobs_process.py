"""`oms jobs` at a quick pace. Arguments: configuration, attempts, seconds between them."""

import sys

from oms import logs
from oms.jobs.once import Retry
from oms.jobs.run import run
from oms.jobs.trading_day import Pace
from oms.settings.load import load


def main() -> int:
    settings = load(sys.argv[1])
    logs.configure(settings.logging, process="jobs")
    assert settings.database.url is not None
    retry = Retry(
        first_s=float(sys.argv[3]), longest_s=float(sys.argv[3]), attempts=int(sys.argv[2])
    )
    pace = Pace(poll_s=0.2, answer_s=20.0, settle_s=5.0, retry=retry)
    return run(settings, settings.database.url.get_secret_value(), pace=pace)


if __name__ == "__main__":
    sys.exit(main())
