"""The trading dates of a fresh server: scenarios of two days need the night between them."""

import secrets
from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from pathlib import Path

from sqlalchemy import Engine

from oms.domain.commands import (
    JOBS,
    Channel,
    CloseTradingDay,
    Command,
    OpenTradingDate,
    Origin,
)
from oms.domain.splits import ApplyCorporateAction, PreviewCorporateAction
from oms.jobs.core_commands import send, wait_answer
from oms.jobs.once import jobs_engine
from oms.store.embedded_postgres import EmbeddedPostgres
from oms.store.postgres_urls import APP_ROLE, role_url

_ANSWER_LIMIT_S = 30.0


class ServerNight:
    """Closes one trading date and opens the next, as the jobs do at their hours.

    data_dir: of the PostgreSQL that the server has started.
    """

    def __init__(self, data_dir: Path) -> None:
        self._data_dir = data_dir
        self._engine: Engine | None = None
        self._today = datetime.now(UTC).date()

    def close(self) -> None:
        """The day is over."""
        self._tell(CloseTradingDay(origin=JOBS, trade_date=self._today.isoformat()), self._today)

    def split(self, symbol: str, ratio: Fraction) -> None:
        """A corporate action for the next day: one person previews it, another applies it."""
        name = f"SPLIT-{secrets.token_hex(6)}"
        asked = PreviewCorporateAction(
            origin=_person("conformance-1"),
            action_id=name,
            symbol=symbol,
            new_shares=ratio.numerator,
            old_shares=ratio.denominator,
            effective_date=(self._today + timedelta(days=1)).isoformat(),
            reason="conformance",
        )
        command_seq = self._tell(asked, self._today)
        applied = ApplyCorporateAction(
            origin=_person("conformance-2"),
            action_id=name,
            preview=command_seq + 1,
            reason="conformance",
        )
        self._tell(applied, self._today)

    def open(self) -> None:
        """The next day begins."""
        self._today += timedelta(days=1)
        self._tell(OpenTradingDate(origin=JOBS, trade_date=self._today.isoformat()), self._today)

    def _tell(self, command: Command, day: date) -> int:
        """The journal number of the command, once it is answered with yes."""
        if self._engine is None:
            url = EmbeddedPostgres(self._data_dir).start()
            self._engine = jobs_engine(role_url(url, APP_ROLE))
        number = send(self._engine, command, key=type(command).__name__, scope=day.isoformat())
        answer = wait_answer(self._engine, number, timeout_s=_ANSWER_LIMIT_S)
        if answer is None:
            raise TimeoutError(f"{type(command).__name__} is not answered")
        if not answer.accepted:
            raise ConnectionError(f"{type(command).__name__} is refused: {answer.text}")
        return answer.seq


def _person(name: str) -> Origin:
    return Origin(channel=Channel.OPERATOR, counterparty=f"cli:{name}", user=name)
