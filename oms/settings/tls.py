"""[acceptor.tls] and [venues.tls]: files and names. What is in the files, the core looks at."""

import re
from typing import Annotated, Any, Final, Literal

from pydantic import BeforeValidator, Field, model_validator

from oms.settings.values import ListenPort, Place, Section

_SHA_256: Final = re.compile(r"[0-9a-f]{64}")


def _fingerprint(value: Any) -> str:
    text = str(value).replace(":", "").lower()
    if not _SHA_256.fullmatch(text):
        raise ValueError("must be the SHA-256 of a certificate, 64 hexadecimal digits")
    return text


Fingerprint = Annotated[str, BeforeValidator(_fingerprint)]
Version = Literal["1.2", "1.3"]
HostName = Annotated[str, Field(pattern=r"^[A-Za-z0-9]([A-Za-z0-9.:_-]{0,252}[A-Za-z0-9])?$|^$")]


class AcceptorTlsSettings(Section):
    """host: the acceptor's where it is empty. key_file: without a passphrase.

    client_ca_file: who signs the clients' certificates; with it every client must have one.
    """

    host: str = ""
    port: ListenPort = 9877
    certificate_file: Place
    key_file: Place
    client_ca_file: Place | None = None
    minimum_version: Version = "1.2"


class VenueTlsSettings(Section):
    """ca_file: whose certificates we believe. server_name: the venue's host where it is empty.

    certificate_file, key_file: ours, for a venue that asks for one.
    """

    ca_file: Place
    server_name: HostName = ""
    certificate_file: Place | None = None
    key_file: Place | None = None
    minimum_version: Version = "1.2"

    @model_validator(mode="after")
    def _both(self) -> "VenueTlsSettings":
        if (self.certificate_file is None) != (self.key_file is None):
            raise ValueError("must hold certificate_file and key_file, or neither")
        return self
