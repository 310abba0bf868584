"""vdirsyncer: two devices keep contacts and calendars in step, knowing no more than the server's root address.

It finds `/.well-known/carddav` and `/.well-known/caldav` by itself. Its configuration has no place for a bearer: the forward proxy adds it.
"""

import subprocess
import sys
import uuid
from pathlib import Path

import pytest

CARD = """BEGIN:VCARD
VERSION:3.0
UID:{uid}
FN:{name}
N:{name};;;;
EMAIL:carl@example.org
END:VCARD
"""

EVENT = """BEGIN:VCALENDAR
VERSION:2.0
PRODID:-//test//test//EN
BEGIN:VEVENT
UID:{uid}
DTSTAMP:20261101T000000Z
DTSTART:20261201T090000Z
DTEND:20261201T100000Z
SUMMARY:{name}
END:VEVENT
END:VCALENDAR
"""

KINDS = {"carddav": (CARD, ".vcf"), "caldav": (EVENT, ".ics")}


class _Device:
    """A folder of its own, and vdirsyncer's memory of its last sync."""

    def __init__(self, home, kind, proxy, environment):
        self.items, self.kind, self.environment = home / "items", kind, environment
        self.items.mkdir(parents=True)
        self.config = home / "config"
        self.config.write_text(f"""
[general]
status_path = "{home}/status"
[pair both]
a = "here"
b = "there"
collections = ["from a", "from b"]
conflict_resolution = "b wins"
[storage here]
type = "filesystem"
path = "{self.items}"
fileext = "{KINDS[kind][1]}"
[storage there]
type = "{kind}"
url = "{proxy}/"
""")

    def run(self, command, answers=""):
        program = [str(Path(sys.executable).with_name("vdirsyncer")), "-v", "DEBUG", "-c", str(self.config), command]
        done = subprocess.run(
            program,
            env=self.environment,
            input=answers,
            text=True,
            timeout=300,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            check=False,
        )
        assert done.returncode == 0, done.stdout[-6_000:]
        return done.stdout

    def discover(self):
        """Finds the server's collections; both sides get what only one has."""
        self.run("discover", "y\n" * 20)

    def sync(self):
        self.run("sync")

    def write(self, collection, uid, name):
        template, extension = KINDS[self.kind]
        file = self.items / collection / (uid + extension)
        file.parent.mkdir(exist_ok=True)
        file.write_text(template.format(uid=uid, name=name))

    def forget(self, collection, uid):
        (self.items / collection / (uid + KINDS[self.kind][1])).unlink()

    def read(self, collection):
        return "".join(file.read_text() for file in (self.items / collection).iterdir())


@pytest.mark.parametrize("kind", KINDS)
def two_devices_keep_in_step(kind, proxy, adds_bearer, environment, tmp_path):
    environment = {**environment, "http_proxy": adds_bearer}
    mine, yours = (_Device(tmp_path / device, kind, proxy, environment) for device in ("mine", "yours"))
    collection, uid = uuid.uuid4().hex, uuid.uuid4().hex

    mine.write(collection, uid, "Über & Drüber")
    mine.discover()
    mine.sync()
    yours.discover()
    yours.sync()
    assert "Über & Drüber" in yours.read(collection)

    yours.write(collection, uid, "Später")
    yours.sync()
    mine.sync()
    assert "Später" in mine.read(collection)

    mine.forget(collection, uid)
    mine.write(collection, "another", "Another")
    mine.sync()
    yours.sync()
    assert "Später" not in yours.read(collection) and "Another" in yours.read(collection)
