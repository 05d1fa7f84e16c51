"""Uses the debug page and the configuration page in a real Chromium whose scripts are switched off, by mouse and keyboard.

    cgi_browser.py URL USER:PASSWORD FOLDER AXE TEXT      screenshots and the pages as they came go into FOLDER; AXE is
                                                          axe.min.js, and TEXT is hostile: the site's name holds it
"""

import base64
import os
import shutil
import sys
import tempfile
import time

import html5lib
from browser import WAIT_S, Browser, brightness, fact
from page_facts import AXE

VIEWS = [(360, 800, "light"), (360, 800, "dark"), (1400, 1000, "light"), (1400, 1000, "dark")]


class Tab:
    """One page without scripts, and a person's hand on it."""

    def __init__(self, browser, login):
        self.browser = browser
        target = browser.call("Target.createTarget", url="about:blank")["targetId"]
        self.session = browser.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ["Page", "Runtime", "Log", "Network"]:
            self.call(f"{domain}.enable")
        word = base64.b64encode(login.encode()).decode()
        self.call("Network.setExtraHTTPHeaders", headers={"Authorization": f"Basic {word}"})
        self.call("Emulation.setScriptExecutionDisabled", value=True)
        self.view(1400, 1000, "light")

    def call(self, method, **parameters):
        return self.browser.call(method, self.session, **parameters)

    def view(self, width, height, scheme):
        phone = width < 600
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=2 if phone else 1, mobile=phone)
        self.call("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])

    def evaluate(self, expression):
        return self.call("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)["result"].get("value")

    def source(self):
        """The page as it came, before the browser made a tree of it."""
        pages = [e for e in self.browser.happened("Network.responseReceived") if e["type"] == "Document"]
        body = self.call("Network.getResponseBody", requestId=pages[-1]["requestId"])
        return base64.b64decode(body["body"]).decode() if body["base64Encoded"] else body["body"]

    def loaded(self, act):
        """Does something that leads to another page, and waits for it."""
        self.browser.events.clear()
        act()
        self.browser.wait_for("Page.loadEventFired")

    def open(self, url):
        self.loaded(lambda: self.call("Page.navigate", url=url))

    def click(self, found):
        """Clicks into the middle of an element, given as a script's expression."""
        place = self.evaluate(
            f"(() => {{ const e = {found}; if (!e) return null; e.scrollIntoView({{block: 'center'}});"
            " const b = e.getBoundingClientRect(); return [b.x + b.width / 2, b.y + b.height / 2]; })()"
        )
        if place is None:
            raise LookupError(f"not on the page: {found}\n{self.text()[:2000]}")
        for kind in ["mousePressed", "mouseReleased"]:
            self.call("Input.dispatchMouseEvent", type=kind, x=place[0], y=place[1], button="left", clickCount=1)

    def type(self, found, text):
        self.click(found)
        self.evaluate(f"{found}.select()")
        self.call("Input.insertText", text=text)

    def text(self):
        return self.evaluate("document.body.innerText")

    def shot(self, folder, name):
        height = self.evaluate("document.documentElement.scrollHeight")
        width = self.evaluate("innerWidth")
        clip = {"x": 0, "y": 0, "width": width, "height": min(height, 6000), "scale": 1}
        data = self.call("Page.captureScreenshot", format="png", captureBeyondViewport=True, clip=clip)["data"]
        with open(os.path.join(folder, f"cgi-{name}.png"), "wb") as file:
            file.write(base64.b64decode(data))

    def keep(self, folder, name):
        with open(os.path.join(folder, f"cgi-{name}.html"), "w") as file:
            file.write(self.evaluate("document.documentElement.outerHTML"))


def row(target):
    return f"""document.querySelector('input[name=target][value="{target}"]').closest('details')"""


def button(words, within="document"):
    return f"[...{within}.querySelectorAll('button')].find(b => b.innerText === '{words}' && b.offsetParent)"


def use_debug(tab, url, shots):
    tab.open(f"{url}/admin/")
    tab.keep(shots, "debug")
    sound(tab, "debug page")
    fact("without scripts the debug page has a form for each target", tab.evaluate("document.querySelectorAll('.rows form').length") >= 41)
    tab.click(row("fan 3") + ".querySelector('summary')")
    tab.type(row("fan 3") + ".querySelector('input[name=reason]')", f"tried in a browser {sys.argv[5]}")
    tab.loaded(lambda: tab.click(button("on", row("fan 3"))))
    seen = tab.text()
    fact("a value is first shown with what would happen", "fan 3 = on for 1 h" in seen and "What one run would do" in seen, seen)
    fact("and that it is not set yet", "Nothing is set yet" in seen, seen)
    tab.keep(shots, "confirm")
    sound(tab, "confirmation")
    tab.loaded(lambda: tab.click(button("Set it")))
    seen = tab.text()
    fact("then it is set, and the page shows it with its end and who", "Set. The next run takes it in." in seen and "debug page: ann from" in seen, seen)
    fact("loading the page again sends nothing twice", "/admin/?told=set" in tab.evaluate("location.href"))
    for width, height, scheme in VIEWS:
        look(tab, f"debug-{width}-{scheme}", width, height, scheme, shots)
    tab.view(1400, 1000, "light")
    tab.loaded(lambda: tab.click(button("Clear all overrides")))
    fact("clearing, too, is shown first", "all overrides end" in tab.text(), tab.text())
    tab.loaded(lambda: tab.click(button("Clear it")))
    seen = tab.text()
    fact("then all is cleared", "Cleared. The next run takes it in." in seen and "debug page: ann from 127.0.0.1: tried" not in seen.split("Last events")[0], seen)
    tab.open(f"{url}/admin/")
    tab.click(row("temp intake-west") + ".querySelector('summary')")
    tab.type(row("temp intake-west") + ".querySelector('input[name=value]')", "112 F")
    tab.loaded(lambda: tab.click(button("Set it", row("temp intake-west"))))
    seen = tab.text()
    fact("what a set temperature would do is told in commands", "by this change" in seen and "sleep" in seen.lower(), seen)
    for width, height, scheme in VIEWS:
        look(tab, f"confirm-{width}-{scheme}", width, height, scheme, shots)
    tab.view(1400, 1000, "light")


def use_config(tab, url, shots):
    tab.open(f"{url}/admin/config?section=signal")
    field = "document.querySelector('[name=\"signal.curtail_at\"]')"
    fact("a setting is explained by the sample's comment", "Off at and above curtail_at" in tab.text().replace("`", ""), tab.text())
    tab.type(field, "many")
    tab.loaded(lambda: tab.click(button("Check and show the change")))
    seen = tab.text()
    fact("a mistake is told, and what was typed is still there", "Not saved" in seen and tab.evaluate(field + ".value") == "many", seen)
    tab.keep(shots, "mistake")
    sound(tab, "mistake")
    look(tab, "config-mistake-1400-light", 1400, 1000, "light", shots)
    tab.type(field, "312")
    tab.loaded(lambda: tab.click(button("Check and show the change")))
    seen = tab.text()
    fact("a change is first shown as it will be in the file", "signal.curtail_at: 310 → 312" in seen and "curtail_at = 312" in seen, seen)
    tab.keep(shots, "difference")
    sound(tab, "difference")
    for width, height, scheme in VIEWS:
        look(tab, f"difference-{width}-{scheme}", width, height, scheme, shots)
    tab.view(1400, 1000, "light")
    tab.loaded(lambda: tab.click(button("Save it")))
    fact("then it is saved", "Saved." in tab.text(), tab.text())
    tab.open(f"{url}/admin/config?section=foreman")
    tab.keep(shots, "foreman")
    sound(tab, "configuration page")
    for width, height, scheme in VIEWS:
        look(tab, f"config-{width}-{scheme}", width, height, scheme, shots)


def sound(tab, name):
    """Valid as it came, nothing that axe finds with all opened, and hostile texts are texts."""
    parser = html5lib.HTMLParser()
    parser.parse(tab.source())
    fact(f"{name}: the HTML is valid for html5lib", not parser.errors, *map(str, parser.errors[:10]))
    opened = tab.evaluate("[...document.querySelectorAll('details:not([open])')].map(d => { d.open = true; return 1; }).length")
    # axe's own promises need scripts; the page has none.
    tab.call("Emulation.setScriptExecutionDisabled", value=False)
    for scheme in ["light", "dark"]:
        tab.view(1400, 1000, scheme)
        time.sleep(0.05)
        tab.evaluate(open(sys.argv[4], encoding="utf-8").read())
        found = tab.evaluate(AXE)
        fact(f"{name}, {scheme}, {opened} parts opened: axe finds nothing", found == [], *(found or ["axe did not run"]))
    tab.evaluate("document.querySelectorAll('details').forEach(d => { d.open = false; })")
    tab.call("Emulation.setScriptExecutionDisabled", value=True)
    tab.view(1400, 1000, "light")
    fact(f"{name}: hostile texts are shown as text", sys.argv[5] in tab.text() and tab.evaluate("document.querySelectorAll('img, script').length") == 0, tab.text()[:500])


def look(tab, name, width, height, scheme, shots):
    """A screenshot, and that it fits the screen."""
    tab.view(width, height, scheme)
    time.sleep(0.05)
    over = tab.evaluate("Math.max(document.documentElement.scrollWidth, document.body.scrollWidth) - innerWidth")
    background = tab.evaluate("getComputedStyle(document.body).backgroundColor")
    fact(f"{name}: nothing is wider than the screen, and the colours are {scheme}", over <= 0 and (brightness(background) < 100) == (scheme == "dark"), over, background)
    tab.shot(shots, name)


def main():
    url, login, shots = sys.argv[1:4]
    profile = tempfile.mkdtemp(prefix="minectl-browser-")
    browser = Browser(profile)
    try:
        tab = Tab(browser, login)
        use_debug(tab, url, shots)
        use_config(tab, url, shots)
        complaints = [e["entry"]["text"] for e in browser.happened("Log.entryAdded") if e["entry"]["level"] in ("error", "warning")]
        fact("the browser has nothing to complain about", not complaints, *complaints)
    except (LookupError, TimeoutError, EOFError, RuntimeError) as error:
        fact(f"the browser was used to the end (limit {WAIT_S} s a step)", False, str(error))
    finally:
        browser.process.terminate()
        browser.process.wait(10)
        shutil.rmtree(profile, ignore_errors=True)


main()
