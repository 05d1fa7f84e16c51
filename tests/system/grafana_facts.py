"""Asks a real Prometheus each query of the Grafana dashboard, one `ok - ` or `not ok - ` line for all that are alike.

    grafana_facts.py DASHBOARD URL      the dashboard's file, and the address of a Prometheus that scrapes one site
"""

import json
import sys
import urllib.parse
import urllib.request

# A first run has none of these yet: no alarm, no call of before, no time between two scrapes.
MAY_BE_EMPTY = ["minectl_alarm_active", "minectl_call_last_proof_seconds", "increase("]


def fact(sentence, holds, *details):
    print(("ok - " if holds else "not ok - ") + sentence)
    if not holds:
        print(*(f"    {detail}" for detail in details), sep="\n")


def asked(url, query):
    with urllib.request.urlopen(f"{url}/api/v1/query?" + urllib.parse.urlencode({"query": query}), timeout=10) as answer:
        return json.load(answer)["data"]["result"]


def values(url, variable):
    """What a variable's query offers, as Grafana asks for it."""
    metric, label = variable.removeprefix("label_values(").removesuffix(")").rsplit(", ", 1)
    with urllib.request.urlopen(f"{url}/api/v1/series?" + urllib.parse.urlencode({"match[]": metric}), timeout=10) as answer:
        return sorted({series[label] for series in json.load(answer)["data"]})


def main():
    dashboard, url = json.load(open(sys.argv[1], encoding="utf-8")), sys.argv[2]
    up = asked(url, "up")
    fact("Prometheus says that the site is up", [one["value"][1] for one in up] == ["1"], up)
    variables = {v["name"]: v.get("definition", "") for v in dashboard["templating"]["list"]}
    site = values(url, variables["site"])
    instance = values(url, variables["instance"].replace("$site", site[0] if site else ""))
    fact("the dashboard offers the site and finds its instance", (len(site), len(instance)) == (1, 1), site, instance)
    refused, empty, count = [], [], 0
    for panel in dashboard["panels"]:
        for target in panel.get("targets", []):
            query = target["expr"].replace("$instance", instance[0] if instance else "")
            count += 1
            try:
                if not asked(url, query) and not any(part in query for part in MAY_BE_EMPTY):
                    empty.append(query)
            except OSError as error:
                refused.append(f"{query}: {error}")
    fact(f"Prometheus takes all {count} queries of the dashboard", not refused, *refused)
    fact("each of them has an answer for this site", not empty, *empty)


main()
