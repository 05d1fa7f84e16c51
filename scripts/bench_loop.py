"""The yardstick of scripts/bench.sh: what someone would write first. Reads the same devices one after the other with
`requests`, and appends the values to CSV files. It decides nothing, proves nothing, tells nobody, draws nothing.

    bench_loop.py BASE_PORT FOLDER [PASSES]     with PASSES above 1 it prints the CPU seconds of each further pass
"""

import csv
import os
import re
import sys
import time

import requests

BASE, FOLDER = int(sys.argv[1]), sys.argv[2]
PASSES = int(sys.argv[3]) if len(sys.argv) > 3 else 1
TIMEOUT_S = 10
FANS = ",".join(f"fan{n}.watts" for n in range(1, 10))


def get(port, path, **headers):
    answer = requests.get(f"http://127.0.0.1:{BASE + port}{path}", headers=headers, timeout=TIMEOUT_S)
    answer.raise_for_status()
    return answer


def append(name, row):
    with open(os.path.join(FOLDER, name), "a", newline="", encoding="utf-8") as file:
        csv.writer(file).writerow(row)


def one_pass():
    now = int(time.time())
    page = get(1, "/power-signal").text
    signal = float(re.search(r'id="load-number"[^>]*>\s*([-0-9.,]+)', page).group(1))
    append("signal.csv", [now, signal])
    room = get(2, "/getData.json").json()
    append("room.csv", [now] + [probe.get("tf") or probe.get("tempf") for probe in room["sensor"]])
    meter = get(3, f"/query?select=[time.utc.unix,mains_v.volts,{FANS}]&begin=s-30s&end=s&group=5s&missing=null").json()
    append("fans.csv", [now] + meter[-1])
    relays = get(5, "/state.json").json()
    append("relays-a.csv", [now] + [relays[f"relay{n}"] for n in range(1, 6)])
    relays = get(6, "/state.xml").text
    append("relays-b.csv", [now] + re.findall(r"<relay[1-4]State>(\d)<", relays))
    for number in range(6):
        outlets = get(10 + number, "/api/miners/", Authorization="JWT site-spdu-token").json()
        outlets = outlets if isinstance(outlets, list) else next(v for v in outlets.values() if isinstance(v, list))
        append(f"pdu-{number}.csv", [now] + [value for outlet in outlets for value in outlet.values()])
    key = "Token site-foreman-key"
    client = get(20, "/api/v2/clients/7", Authorization=key).json()
    miners = get(20, "/api/v2/clients/7/miners?limit=500&offset=0", Authorization=key).json()
    append("foreman.csv", [now, str(client), len(miners.get("results", []))])


one_pass()
for _ in range(PASSES - 1):
    # Foreman takes one call a second.
    time.sleep(1.05)
    began = time.process_time()
    one_pass()
    print(time.process_time() - began)
