"""The service against its document, by requests that nobody would think of."""

import json
import os
import subprocess
import sys
from hashlib import sha256
from pathlib import Path

from tests import servers

ROOT = Path(__file__).parents[2]
SETTINGS = Path(__file__).with_name("schemathesis.toml")
UNREACHED = {
    # Known of deleted images alone, which few of its requests are about.
    ("missing_test_data", "GET /purges/{image_id}"),
    ("missing_test_data", "HEAD /purges/{image_id}"),
    # That an image was deleted is a 410, which it takes for a fault in the request.
    ("validation_mismatch", "DELETE /images/{image_id}"),
    ("validation_mismatch", "OPTIONS /images/{image_id}"),
}
"""What the fuzzer complains of without reason; `test_promises.py` reaches all of it."""
API_KEY, SIGNING_KEY = "a-key-of-the-suite", "ab" * 32


def fuzz(url: str, folder: Path) -> "subprocess.CompletedProcess[str]":
    """Let Schemathesis loose on a service; its report will be in the folder."""
    program = Path(sys.executable).with_name("schemathesis")
    arguments: list[str | Path] = [program, "--config-file", SETTINGS, "run", f"{url}/openapi.json"]
    report: list[str | Path] = ["--report", "json", "--report-json-path", folder / "report.json"]
    told = {"SUITE_API_KEY": API_KEY, "SUITE_SIGNING_KEY": SIGNING_KEY, "PYTHONPATH": str(ROOT)}
    return subprocess.run(
        [*arguments, *report],
        cwd=folder,
        env={**os.environ, **told},
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_service_is_what_its_document_says(tmp_path: Path) -> None:
    settings = {
        "API_KEYS": sha256(API_KEY.encode()).hexdigest(),
        "SIGNING_KEYS": SIGNING_KEY,
    }
    with servers.service(servers.ServiceOptions(tmp_path, settings)) as service:
        run = fuzz(service.url, tmp_path)
        assert "Traceback" not in service.log
    assert run.returncode == 0, run.stdout
    report = json.loads((tmp_path / "report.json").read_text())
    assert report["operations"]["tested"] == report["operations"]["total"]
    assert {phase["status"] for phase in report["phases"].values()} == {"success"}
    # It says here what it could not reach.
    warned = {(name, where) for name, found in report["warnings"].items() for where in found}
    assert warned <= UNREACHED
