"""What the command line's commands share: the configuration, and how a command reads it."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from oms.settings.model import Settings

Config = Annotated[
    Path, typer.Option("--config", "-c", help="The TOML configuration; OMS_* variables win.")
]
DEFAULT_CONFIG = Path("config/oms.toml")
# A negative number, or an id that begins with a hyphen, is an argument and no option.
HYPHENS = {"ignore_unknown_options": True}
Json = Annotated[bool, typer.Option("--json", help="As JSON, one document a line.")]
Reason = Annotated[str, typer.Option(help="Why; stands in the audit trail.")]
VenueDir = Annotated[Path, typer.Option(help="Its command log and files.")]
TlsDir = Annotated[
    Path | None,
    typer.Option(help="Speak TLS, with certificate.pem, key.pem, client_ca.pem of this folder."),
]


def settings_of(
    config: Path, process: str, *, quiet: bool = False, silent: bool = False
) -> "Settings":
    """The configuration, with logs set up by it.

    quiet: of errors only. silent: of none, for a command that prints its failures itself.
    """
    from oms import logs
    from oms.settings.load import load

    settings = load(config)
    level = {"level": "critical"} if silent else {"level": "error"} if quiet else {}
    logs.configure(settings.logging.model_copy(update=level), process=process)
    return settings
