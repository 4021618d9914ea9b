"""Judges random rules with python-dateutil and writes dateutil_rules.json beside this file: `python dateutil_rules.py [COUNT]`.

Rows that are there stay, and are judged again: the file is written only where every one of them comes out as before.
"""

import json
import random
import sys
from datetime import datetime, timedelta, timezone
from pathlib import Path
from zoneinfo import ZoneInfo

from dateutil.rrule import rrulestr

FILE = Path(__file__).with_name("dateutil_rules.json")
DAYS = ["MO", "TU", "WE", "TH", "FR", "SA", "SU"]
# The rows hold the first of their times; their count and the last one stand beside.
SHOWN = 5


def as_text(at):
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")


def to_utc(local, zone):
    """A skipped local time by the offset before it, a repeated one as the first: both are fold 0."""
    return local.replace(tzinfo=zone, fold=0).astimezone(timezone.utc)


def judged(rule, zone_name, first):
    """The times of a rule within 399 days of the wall clock."""
    zone = ZoneInfo(zone_name)
    begin = first.astimezone(zone).replace(tzinfo=None)
    parts = dict(part.split("=") for part in rule.split(";"))
    if "UNTIL" in parts:
        until = datetime.strptime(parts["UNTIL"], "%Y%m%dT%H%M%SZ").replace(tzinfo=timezone.utc)
        parts["UNTIL"] = until.astimezone(zone).strftime("%Y%m%dT%H%M%S")
    told = ";".join(f"{name}={value}" for name, value in parts.items())
    end = begin + timedelta(days=399)
    return [to_utc(it, zone) for it in rrulestr(told, dtstart=begin).between(begin, end, inc=True)]


def some(dice, values, most):
    return ",".join(str(it) for it in dice.sample(values, dice.randint(1, most)))


def rule_of(dice):
    kind = dice.choice(["DAILY", "WEEKLY", "MONTHLY", "YEARLY"])
    parts = [f"FREQ={kind}"]
    if kind in ("DAILY", "WEEKLY") and dice.random() < 0.5:
        parts.append(f"INTERVAL={dice.randint(2, 5)}")
    if kind == "DAILY" and dice.random() < 0.3:
        parts.append("BYMONTH=" + some(dice, range(1, 13), 4))
    if kind == "WEEKLY":
        if dice.random() < 0.7:
            parts.append("BYDAY=" + some(dice, DAYS, 3))
        if dice.random() < 0.3:
            parts.append("WKST=" + dice.choice(["SU", "MO"]))
    if kind == "MONTHLY":
        parts.append(dice.choice([
            "BYMONTHDAY=" + some(dice, range(1, 32), 2),
            "BYMONTHDAY=-1",
            f"BYDAY={dice.choice([-1, 1, 2, 3])}{dice.choice(DAYS)}",
            f"BYDAY=MO,TU,WE,TH,FR;BYSETPOS={dice.choice([-3, -1, 1, 2])}",
        ]))
    if kind == "YEARLY":
        parts.append(dice.choice([
            "BYMONTH=" + some(dice, range(1, 13), 2) + f";BYMONTHDAY={dice.randint(1, 31)}",
            f"BYMONTH={dice.randint(1, 12)};BYDAY={dice.choice([-1, 1, 2])}{dice.choice(DAYS)}",
        ]))
    return ";".join(parts)


def row_of(dice, zones):
    zone = dice.choice(zones)
    first = datetime(2024, 1, 1, tzinfo=timezone.utc) + timedelta(minutes=15 * dice.randrange(3600 * 96))
    rule = rule_of(dice)
    if dice.random() < 0.25:
        rule += f";COUNT={dice.randint(2, 30)}"
    elif dice.random() < 0.3:
        rule += ";UNTIL=" + (first + timedelta(days=dice.randint(20, 380))).strftime("%Y%m%dT%H%M%SZ")
    found = judged(rule, zone, first)
    if not found:
        return None
    return {
        "rule": rule, "zone": zone, "first": as_text(first), "starts": [as_text(it) for it in found[:SHOWN]],
        "count": len(found), "last": as_text(found[-1]),
    }


def main():
    wanted = int(sys.argv[1]) if len(sys.argv) > 1 else 1000
    rows = json.loads(FILE.read_text())
    for row in rows:
        first = datetime.strptime(row["first"], "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=timezone.utc)
        found = judged(row["rule"], row["zone"], first)
        told = ([as_text(it) for it in found[: len(row["starts"])]], len(found), as_text(found[-1]))
        if told != (row["starts"], row["count"], row["last"]):
            sys.exit(f"{row} comes out as {told}")
    dice, zones = random.Random(50), sorted({row["zone"] for row in rows})
    while len(rows) < wanted:
        row = row_of(dice, zones)
        if row is not None:
            rows.append(row)
    text = ",\n".join(json.dumps(row, separators=(",", ":")) for row in rows)
    FILE.write_text(f"[\n{text}\n]\n")


main()
