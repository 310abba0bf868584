"""litmus: the WebDAV conformance suite. Without its suite `locks`: Nextcloud answers LOCK with 501 unless an app brings it."""

import re
import shutil
import subprocess

import pytest


@pytest.mark.parametrize("suite", ["basic", "copymove", "props", "http"])
def a_litmus_suite_passes(suite, files, adds_bearer, environment, tmp_path):
    command = [shutil.which("litmus"), f"--proxy={adds_bearer}", files]
    with open(tmp_path / "out", "w+") as out:
        code = subprocess.run(
            command, env={**environment, "TESTS": suite}, cwd=tmp_path, stdout=out, stderr=out, timeout=300
        ).returncode
        out.seek(0)
        said = out.read().replace("\r", "\n")
    counted = re.search(r"of (\d+) tests run: (\d+) passed, 0 failed", said)
    whole = counted and counted[1] == counted[2] != "0"
    assert code == 0 and whole, f"{said}\n{_wire_of_failures(said, tmp_path / 'debug.log')}"


def _wire_of_failures(said, log):
    failed = set(re.findall(r"(\w+)\.+ FAIL", said))
    tests = log.read_text(errors="replace").split("******* Running test ")
    return "\n".join(test[:8_000] for test in tests if (named := re.match(r"\d+: (\w+)", test)) and named[1] in failed)
