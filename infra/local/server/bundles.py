"""The code that functions are given: here it runs on this machine, so its compiled modules must be for that."""

import io
import zipfile

from infra import compiled
from infra.local.server import ministack
from infra.local.server.request import invalid


def teach() -> None:
    """Let ministack refuse code that this machine could not import, for functions of the API and of CloudFormation."""
    ministack.replace("services.lambda_svc", "_fetch_code_from_s3", _fetch)


def _fetch(bucket: str, key: str, version_id: str | None = None) -> bytes | None:
    """Return the code of a function as ministack does, unless it is for another machine.

    Raises:
        ApiError: it is.
    """
    code = ministack.fetch_code(bucket, key, version_id)
    if not code or not zipfile.is_zipfile(io.BytesIO(code)):
        return code
    machine, runtime = compiled.here()
    with zipfile.ZipFile(io.BytesIO(code)) as archive:
        for name in [name for name in archive.namelist() if name.endswith(compiled.SUFFIX)]:
            with archive.open(name) as file:
                found = compiled.foreign(name, file.read(compiled.HEAD), machine, runtime)
            if found:
                raise invalid(f"{name} is compiled for {found}, and the local AWS runs on {machine} and {runtime}")
    return code
