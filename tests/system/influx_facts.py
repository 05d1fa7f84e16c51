"""Whether a real service has what the history has: fields and values of each run, one `ok - ` or `not ok - ` line each.

    influx_facts.py influxdb URL?db=NAME HISTORY [MISSING]     HISTORY as `minectl history --format json` prints it; MISSING is a
    influx_facts.py victoria URL HISTORY               field that the service cannot take
"""

import json
import sys
import urllib.parse
import urllib.request


def fact(sentence, holds, *details):
    print(("ok - " if holds else "not ok - ") + sentence)
    if not holds:
        print(*(f"    {str(detail)[:1000]}" for detail in details), sep="\n")


def fetched(url, **query):
    with urllib.request.urlopen(f"{url}?" + urllib.parse.urlencode(query), timeout=20) as answer:
        return answer.read().decode()


def of_influxdb(url):
    base, database = url.split("?db=")
    text = fetched(f"{base}/query", db=database, epoch="s", q="SELECT * FROM minectl")
    series = json.loads(text)["results"][0]["series"][0]
    points = {}
    for row in series["values"]:
        row = dict(zip(series["columns"], row))
        second, site = row.pop("time"), row.pop("site")
        for name, value in row.items():
            if value is not None:
                points[name, second] = (site, value)
    return points


def of_victoria(url):
    fetched(f"{url}/internal/force_flush")
    points = {}
    for line in fetched(f"{url}/api/v1/export", **{"match[]": '{__name__=~"minectl_.*"}'}).splitlines():
        series = json.loads(line)
        for at, value in zip(series["timestamps"], series["values"]):
            name = series["metric"]["__name__"].removeprefix("minectl_")
            points[name, at // 1000] = (series["metric"]["site"], value)
    return points


def main():
    kind, url = sys.argv[1:3]
    missing = sys.argv[4] if len(sys.argv) > 4 else None
    kept = {}
    for name, points in json.load(open(sys.argv[3], encoding="utf-8")).items():
        kept.update({(name, at): ("Container 1", value) for at, value in points if value is not None and name != missing})
    arrived = {"influxdb": of_influxdb, "victoria": of_victoria}[kind](url)
    if missing:
        arrived = {place: value for place, value in arrived.items() if place[0] != missing}
    differing = sorted(place for place in kept.keys() | arrived.keys() if kept.get(place) != arrived.get(place))
    runs = len({at for _, at in kept})
    what = f" but `{missing}`" if missing else ""
    fact(f"{kind} has each value{what} of {runs} runs as the history has it", runs > 0 and not differing, len(kept), len(arrived), [(p, kept.get(p), arrived.get(p)) for p in differing[:5]])


main()
