"""Opens the page in a real Chromium and states facts about it, one `ok - ` or `not ok - ` line each.

    browser.py URL FOLDER      screenshots go into FOLDER

Speaks the browser's own protocol over a pipe (descriptors 3 and 4), so that it needs nothing but Python and Chromium.
"""

import base64
import json
import os
import select
import shutil
import subprocess
import sys
import tempfile
import time
from urllib.parse import urlsplit

FLAGS = [
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--hide-scrollbars",
    "--remote-debugging-pipe",
]
WAIT_S = 60
VIEWS = [(w, h, scheme) for w, h in [(360, 800), (1400, 1000)] for scheme in ["light", "dark"]]

# What a person on a phone would trip over.
PROBE = """(() => {
  const head = document.querySelector('h1');
  const box = head ? head.getBoundingClientRect() : { width: 0, height: 0, top: 1e9 };
  const root = document.documentElement;
  return {
    headline: head ? head.innerText.trim() : '',
    seen: box.width > 0 && box.height > 0 && box.top < innerHeight,
    overflow: Math.max(root.scrollWidth, document.body.scrollWidth) - innerWidth,
    background: getComputedStyle(document.body).backgroundColor,
    scriptRan: !!document.querySelector('.age-live:not([hidden])'),
    height: root.scrollHeight,
  };
})()"""


class Browser:
    """A Chromium and the messages to and from it."""

    def __init__(self, folder):
        to_read, self.to = os.pipe()
        self.back, to_write = os.pipe()
        # The shell gives the pipe's ends the numbers that Chromium expects.
        words = ["sh", "-c", f'exec "$@" 3<&{to_read} 4>&{to_write}', "sh", "chromium"]
        words += FLAGS + [f"--user-data-dir={folder}", "about:blank"]
        self.process = subprocess.Popen(words, pass_fds=(to_read, to_write), stderr=subprocess.DEVNULL)
        os.close(to_read)
        os.close(to_write)
        self.number, self.buffer, self.events = 0, b"", []

    def receive(self, until):
        while b"\0" not in self.buffer:
            ready, _, _ = select.select([self.back], [], [], max(0, until - time.monotonic()))
            if not ready:
                raise TimeoutError(f"chromium says nothing within {WAIT_S} s")
            block = os.read(self.back, 1 << 20)
            if not block:
                raise EOFError("chromium ended")
            self.buffer += block
        message, self.buffer = self.buffer.split(b"\0", 1)
        return json.loads(message)

    def call(self, method, session=None, **parameters):
        """Sends a command and gives its result; what happens meanwhile is kept in `events`."""
        self.number += 1
        message = {"id": self.number, "method": method, "params": parameters}
        if session:
            message["sessionId"] = session
        data = json.dumps(message).encode() + b"\0"
        while data:
            data = data[os.write(self.to, data) :]
        until = time.monotonic() + WAIT_S
        while True:
            answer = self.receive(until)
            if answer.get("id") == self.number:
                if "error" in answer:
                    raise RuntimeError(f"{method}: {answer['error']}")
                return answer["result"]
            self.events.append(answer)

    def wait_for(self, method):
        until = time.monotonic() + WAIT_S
        while not any(event.get("method") == method for event in self.events):
            self.events.append(self.receive(until))

    def happened(self, method):
        return [event["params"] for event in self.events if event.get("method") == method]


def look(browser, url, width, height, scheme, shots):
    """Opens the page in a fresh tab and gives what the probe found, the complaints, and the addresses asked."""
    browser.events.clear()
    target = browser.call("Target.createTarget", url="about:blank")["targetId"]
    session = browser.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
    for domain in ["Page", "Runtime", "Log", "Network"]:
        browser.call(f"{domain}.enable", session)
    phone = width < 600
    metrics = {"width": width, "height": height, "deviceScaleFactor": 2 if phone else 1, "mobile": phone}
    browser.call("Emulation.setDeviceMetricsOverride", session, **metrics)
    scheme_feature = {"name": "prefers-color-scheme", "value": scheme}
    browser.call("Emulation.setEmulatedMedia", session, features=[scheme_feature])
    browser.call("Page.navigate", session, url=url)
    browser.wait_for("Page.loadEventFired")
    # The script counts the page's age each second; a late error would come by then.
    time.sleep(1.5)
    found = browser.call("Runtime.evaluate", session, expression=PROBE, returnByValue=True)["result"]["value"]
    clip = {"x": 0, "y": 0, "width": width, "height": found["height"], "scale": 1}
    shot = browser.call("Page.captureScreenshot", session, format="png", captureBeyondViewport=True, clip=clip)
    with open(os.path.join(shots, f"page-{width}x{height}-{scheme}.png"), "wb") as file:
        file.write(base64.b64decode(shot["data"]))
    complaints = [e["exceptionDetails"]["text"] for e in browser.happened("Runtime.exceptionThrown")]
    complaints += [str(e["args"]) for e in browser.happened("Runtime.consoleAPICalled") if e["type"] in ("error", "warning")]
    complaints += [e["entry"]["text"] for e in browser.happened("Log.entryAdded") if e["entry"]["level"] in ("error", "warning")]
    asked = [e["request"]["url"] for e in browser.happened("Network.requestWillBeSent")]
    browser.call("Target.closeTarget", targetId=target)
    return found, complaints, asked


def fact(sentence, holds, *what):
    print(("ok - " if holds else "not ok - ") + sentence)
    if not holds:
        for line in what:
            print("   ", line)


def brightness(colour):
    parts = [float(part) for part in colour[colour.index("(") + 1 : -1].split(",")[:3]]
    return sum(parts) / 3


def main():
    url, shots = sys.argv[1:3]
    profile = tempfile.mkdtemp(prefix="minectl-browser-")
    browser = Browser(profile)
    try:
        for width, height, scheme in VIEWS:
            view = f"at {width}x{height}, {scheme}"
            found, complaints, asked = look(browser, url, width, height, scheme, shots)
            fact(f"{view}: the headline is seen without scrolling", found["seen"] and found["headline"], found)
            fact(f"{view}: nothing is wider than the screen", found["overflow"] <= 0, found)
            fact(f"{view}: the console is silent", not complaints, *complaints)
            fact(f"{view}: the page's own script runs", found["scriptRan"], found)
            hosts = {urlsplit(address).netloc for address in asked if not address.startswith("data:")}
            fact(f"{view}: no other host is asked", hosts == {urlsplit(url).netloc}, *asked)
            dark = brightness(found["background"]) < 100
            fact(f"{view}: the colours are {scheme}", dark == (scheme == "dark"), found["background"])
    finally:
        browser.process.terminate()
        browser.process.wait(10)
        shutil.rmtree(profile, ignore_errors=True)


if __name__ == "__main__":
    main()
