"""caldav: calendars from the server's own address alone, by way of `/.well-known/caldav`."""

import urllib.parse
import uuid
from datetime import datetime, timezone

import caldav
import caldav.lib.error
import niquests
import pytest


@pytest.fixture(scope="session")
def principal(proxy, token):
    # The library asks for the well-known address without credentials, over TLS and on port 443 only; so that step is done here.
    found = niquests.get(urllib.parse.urljoin(proxy, "/.well-known/caldav"), auth=token, allow_redirects=False)
    assert found.status_code == 301
    client = caldav.DAVClient(found.headers["Location"], auth_type="bearer", password=token, features="nextcloud")
    return client.principal()


@pytest.fixture
def calendar(principal, name):
    calendar = principal.make_calendar(name=name, cal_id=uuid.uuid4().hex)
    yield calendar
    calendar.delete()
    assert name not in [other.get_display_name() for other in principal.get_calendars()]


def _at(*when):
    return datetime(*when, tzinfo=timezone.utc)


def the_well_known_address_leads_to_the_principal_and_her_calendars(principal, proxy):
    assert str(principal.url) == f"{proxy}/remote.php/dav/principals/users/alice/"
    assert str(principal.calendar_home_set.url) == f"{proxy}/remote.php/dav/calendars/alice/"
    assert [calendar for calendar in principal.get_calendars() if str(calendar.url).endswith("/personal/")]


def a_new_calendar_is_there_with_its_name(principal, calendar, name):
    assert name in [other.get_display_name() for other in principal.get_calendars()]


def an_event_is_found_by_its_time(calendar):
    calendar.add_event(dtstart=_at(2026, 12, 1, 9), dtend=_at(2026, 12, 1, 10), summary="Früh & kurz", uid="one")
    found = calendar.search(event=True, start=_at(2026, 12, 1), end=_at(2026, 12, 2))
    assert [str(event.component["SUMMARY"]) for event in found] == ["Früh & kurz"]
    assert calendar.search(event=True, start=_at(2026, 12, 2), end=_at(2026, 12, 3)) == []
    assert calendar.get_event_by_uid("one").component["SUMMARY"] == "Früh & kurz"


@pytest.mark.parametrize("by_the_server", [False, True])
def a_recurring_event_is_expanded(calendar, by_the_server):
    calendar.add_event(
        dtstart=_at(2026, 12, 1, 9),
        dtend=_at(2026, 12, 1, 10),
        summary="Daily",
        uid="daily",
        rrule={"FREQ": "DAILY", "COUNT": 10},
    )
    found = calendar.search(
        event=True, start=_at(2026, 12, 3), end=_at(2026, 12, 6), expand=True, server_expand=by_the_server
    )
    starts = sorted(event.component["DTSTART"].dt for event in found)
    assert starts == [_at(2026, 12, day, 9) for day in (3, 4, 5)]


def an_edit_is_kept_unless_somebody_was_faster(calendar):
    calendar.add_event(dtstart=_at(2026, 12, 24, 9), dtend=_at(2026, 12, 24, 10), summary="Before", uid="edited")
    mine, hers = calendar.get_event_by_uid("edited"), calendar.get_event_by_uid("edited")
    mine.load()
    hers.load()
    hers.component["SUMMARY"] = "Hers"
    hers.save()
    assert hers.etag != mine.etag
    mine.component["SUMMARY"] = "Mine"
    with pytest.raises(caldav.lib.error.ETagMismatchError):
        mine.save()
    assert calendar.get_event_by_uid("edited").component["SUMMARY"] == "Hers"


def a_todo_is_listed_until_it_is_done(calendar):
    todo = calendar.add_todo(summary="Zahlen", due=_at(2026, 12, 31, 12), uid="due")
    assert [str(open.component["SUMMARY"]) for open in calendar.get_todos()] == ["Zahlen"]
    todo.complete()
    assert calendar.get_todos() == []
    assert len(calendar.get_todos(include_completed=True)) == 1


def changes_are_told_by_sync_token(calendar):
    calendar.add_event(dtstart=_at(2026, 12, 1, 9), dtend=_at(2026, 12, 1, 10), summary="First", uid="first")
    known = calendar.get_objects_by_sync_token(disable_fallback=True)
    assert len(list(known)) == 1
    calendar.add_event(dtstart=_at(2026, 12, 2, 9), dtend=_at(2026, 12, 2, 10), summary="Second", uid="second")
    new = calendar.get_objects_by_sync_token(known.sync_token, load_objects=True, disable_fallback=True)
    assert [str(event.component["SUMMARY"]) for event in new] == ["Second"]


def what_is_deleted_is_gone(calendar):
    event = calendar.add_event(dtstart=_at(2026, 12, 1, 9), dtend=_at(2026, 12, 1, 10), summary="Gone", uid="gone")
    event.delete()
    assert calendar.get_events() == []
    with pytest.raises(caldav.lib.error.NotFoundError):
        calendar.get_event_by_uid("gone")
