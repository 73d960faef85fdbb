"""oms conformance: the FIX order state change matrices against this server."""

from pathlib import Path
from typing import Annotated

import typer

Scenarios = Annotated[
    list[str] | None, typer.Argument(help="Only these scenarios, as B.1.c; default: all.")
]
Versions = Annotated[
    list[str] | None, typer.Option(help="Only this FIX version, as 4.4; may be repeated.")
]
Server = Annotated[
    Path | None,
    typer.Option(
        help="The configuration of a server that runs: we take the place of a client and of a "
        "venue of it. Default: a fresh server."
    ),
]
Client = Annotated[str, typer.Option(help="With --server: the client; default: the first.")]
Venue = Annotated[str, typer.Option(help="With --server: the venue; default: the first.")]
Symbol = Annotated[str, typer.Option(help="With --server: what only that venue takes.")]
Price = Annotated[str, typer.Option(help="With --server: a price that its limits let by.")]
PasswordFile = Annotated[
    Path | None, typer.Option(help="With --server: holds the client's FIX password.")
]
Everything = Annotated[
    bool, typer.Option("--everything", help="Play also what the table of deviations leaves out.")
]


def conformance(
    scenario: Scenarios = None,
    *,
    fix: Versions = None,
    markdown: Annotated[Path | None, typer.Option(help="Write the certificate.")] = None,
    json_file: Annotated[
        Path | None, typer.Option("--json", help="Write the certificate as JSON.")
    ] = None,
    server: Server = None,
    client: Client = "",
    venue: Venue = "",
    symbol: Symbol = "",
    price: Price = "100",
    password_file: PasswordFile = None,
    everything: Everything = False,
) -> None:
    """Play all 54 scenarios of FIX's order state change matrices over FIX/TCP, from both ends, and
    write the certificate; exit 1 where a field differs from the standard.
    """
    from oms.conformance.run import Options, main
    from oms.conformance.running import running_of

    running = running_of(
        server, client=client, venue=venue, symbol=symbol, price=price, password_file=password_file
    )
    options = Options(
        scenarios=tuple(scenario or ()),
        versions=tuple(fix or ()),
        running=running,
        markdown=markdown,
        json_file=json_file,
        everything=everything,
    )
    raise typer.Exit(main(options))
