"""What the API may ask of the jobs: it knows them only as functions that it is given."""

from datetime import date

from oms.api.context import Reconcile
from oms.settings.model import Settings


def reconciler(url: str) -> Reconcile:
    """Compares a configured venue's statement with the record at `url`, as the end of day does."""

    def reconcile_now(settings: Settings, venue: str, day: date) -> int:
        from oms.jobs.once import jobs_engine  # noqa: PLC0415 - takes a second to import
        from oms.jobs.reconcile import reconcile_now as run  # noqa: PLC0415
        from oms.jobs.trading_day import source_of  # noqa: PLC0415

        [asked] = [one for one in settings.venues if one.name == venue]
        source = source_of(asked, day)
        return run(jobs_engine(url), venue, day, source).run_id

    return reconcile_now
