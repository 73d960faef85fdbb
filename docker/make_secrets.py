"""Makes the secrets that compose.yaml names, as files in a directory of their own.

    .venv/bin/python docker/make_secrets.py docker/secrets

The directory is for its owner alone. The files in it may be read by all, for the containers'
accounts, which see nothing else of the directory, have other numbers. What exists is kept. API keys
and ALPHA's password are printed, this once.
"""

import json
import secrets
import sys
from pathlib import Path

from fix_sessions.credentials import hash_password
from oms.app.keys import new_key

HOST = "postgres"
DATABASE = "plumbline"
ROLES = {"owner": "plumbline", "app": "plumbline_app", "read": "plumbline_read"}
KEYS = {"alpha": "trader", "operations": "operations", "compliance": "compliance", "admin": "admin"}


def main() -> int:
    if len(sys.argv) != 2:
        print(f"usage: {sys.argv[0]} DIRECTORY", file=sys.stderr)
        return 2
    directory = Path(sys.argv[1])
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    directory.chmod(0o700)
    write(directory / "postgres_password", secrets.token_hex(24))
    for name, role in ROLES.items():
        write(directory / f"{name}_password", secrets.token_hex(24))
        password = (directory / f"{name}_password").read_text().strip()
        write(directory / f"{name}_url", f"postgresql://{role}:{password}@{HOST}/{DATABASE}")
    password = secrets.token_urlsafe(18)
    if write(directory / "alpha_password_hash", hash_password(password)):
        print(f"FIX password of ALPHA   {password}")
    if not (directory / "api.env").exists():
        write(directory / "api.env", api_keys())
    return 0


def write(path: Path, text: str) -> bool:
    """Whether it was not there before."""
    if path.exists():
        return False
    path.write_text(text + "\n")
    path.chmod(0o644)
    return True


def api_keys() -> str:
    """One variable with the keys' hashes; the keys are printed."""
    entries = []
    for name, role in KEYS.items():
        made, hashed = new_key()
        print(f"API key {name:<15} {made}")
        client = {"client": "ALPHA"} if role == "trader" else {}
        entries.append({"name": name, "role": role, "key_hash": hashed, **client})
    return f"OMS_API__KEYS='{json.dumps(entries)}'"


if __name__ == "__main__":
    sys.exit(main())
