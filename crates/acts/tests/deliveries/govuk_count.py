"""Counts the deployments of the public history of GOV.UK to production, by service and month, by the documented rules alone.

usage: govuk_count.py FILE MONTH...   (a month as 2023-01)

A figure looks at the 90 days before its month and the 30 behind it. Of the same build twice within a day the earlier one is a
rerun; a build that ran before and comes back is a return, and the build that it takes back within seven days has failed; five
returns within ten minutes are a burst and no failures. Prints {month: {service: [counted, failed, reruns, in bursts]}}.
"""
import csv
import gzip
import json
import sys
from collections import defaultdict
from datetime import datetime, timedelta, timezone


def moment(text):
    return datetime.strptime(text, '%Y-%m-%dT%H:%M:%SZ').replace(tzinfo=timezone.utc)


def bounds(month):
    year, number = map(int, month.split('-'))
    end = (year + 1, 1) if number == 12 else (year, number + 1)
    return datetime(year, number, 1, tzinfo=timezone.utc), datetime(*end, 1, tzinfo=timezone.utc)


def of_month(rows, month):
    start, end = bounds(month)
    near = [row for row in rows if start - timedelta(days=90) <= row[0] < end + timedelta(days=30)]
    places = defaultdict(list)
    for row in near:
        places[row[1]].append(row)
    reruns, returns = set(), []
    for its in places.values():
        for one, next_one in zip(its, its[1:]):
            if one[2] == next_one[2] and next_one[0] - one[0] <= timedelta(days=1):
                reruns.add(one)
        known, last = set(), None
        for row in (row for row in its if row not in reruns):
            if last and last[2] != row[2] and row[2] in known:
                returns.append((row, last))
            known.add(row[2])
            last = row
    returns.sort()
    bursts = set()
    for five in zip(*(returns[n:] for n in range(5))):
        if five[4][0][0] - five[0][0][0] <= timedelta(minutes=10):
            bursts.update(back for back, _ in five)
    failed = {taken for back, taken in returns if back not in bursts and back[0] - taken[0] <= timedelta(days=7)}
    counts = defaultdict(lambda: [0, 0, 0, 0])
    for row in near:
        if start <= row[0] < end:
            count = counts[row[1]]
            if row in bursts:
                count[3] += 1
            elif row in reruns:
                count[2] += 1
            else:
                count[0] += 1
                count[1] += row in failed
    return counts


def main():
    with gzip.open(sys.argv[1], 'rt') as file:
        all_rows = csv.DictReader(file)
        rows = [(moment(it['time']), it['service'], it['tag']) for it in all_rows if it['environment'] == 'production']
    rows.sort()
    print(json.dumps({month: of_month(rows, month) for month in sys.argv[2:]}))


main()
