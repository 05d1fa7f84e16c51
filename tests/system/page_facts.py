"""Opens pages of invented sites in every state in a real Chromium and states facts about them, one `ok - ` or `not ok - `
line each: nothing that axe finds, valid HTML, charts that can be read by keyboard, a page that refreshes itself without
losing its place, and one that works without scripts.

    page_facts.py PAGES AXE FOLDER      PAGES as tests/dashboard draws them, AXE is axe.min.js, screenshots go into FOLDER
"""

import base64
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

import html5lib
from browser import Browser, fact

# What the invented sites take for the present, in milliseconds, and a little later.
NOW_MS = 1_795_370_531_000 + 20_000
STATES = [("mining", 0), ("broken", 0), ("mining", 600), ("boot", 0), ("hostile", 0)]
WIDTHS = [360, 412, 768, 1024, 1400, 1920, 3840]
NAMES = {("mining", 0): "normal", ("broken", 0): "alarm", ("mining", 600): "stale", ("boot", 0): "empty-history", ("hostile", 0): "hostile"}
CLOCK = "(() => { const real = Date.now.bind(Date), by = %d - real(); window.laterS = 0; Date.now = () => real() + by + window.laterS * 1000; })()"
AXE = """axe.run(document, { resultTypes: ['violations'] }).then(found => found.violations.map(v =>
  v.id + ': ' + v.help + ' (' + v.nodes.length + '): ' + v.nodes.slice(0, 3).map(n => n.target + ' ' + n.any.concat(n.all).map(c => c.message).slice(0, 1)).join(' | ')))"""


class Tab:
    """A tab of a browser, with the clock of the invented sites."""

    def __init__(self, browser, late_s=0, width=1400, height=1000, scheme="light", scripts=True, media=""):
        self.browser = browser
        browser.events.clear()
        self.target = browser.call("Target.createTarget", url="about:blank")["targetId"]
        self.session = browser.call("Target.attachToTarget", targetId=self.target, flatten=True)["sessionId"]
        for domain in ["Page", "Runtime", "Log"]:
            self.call(f"{domain}.enable")
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=width < 600)
        self.call("Emulation.setEmulatedMedia", media=media, features=[{"name": "prefers-color-scheme", "value": scheme}])
        self.call("Page.addScriptToEvaluateOnNewDocument", source=CLOCK % (NOW_MS + late_s * 1000))
        self.call("Emulation.setScriptExecutionDisabled", value=not scripts)

    def call(self, method, **parameters):
        return self.browser.call(method, self.session, **parameters)

    def fits(self, width):
        """Whether nothing is wider than a screen of this width."""
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=800, deviceScaleFactor=1, mobile=width < 600)
        return self.run("new Promise(done => requestAnimationFrame(() => done(document.documentElement.scrollWidth <= innerWidth)))")

    def open(self, url):
        self.call("Page.navigate", url=url)
        self.browser.wait_for("Page.loadEventFired")
        if not self.run("!!document.getElementById('page')"):
            raise RuntimeError(f"{url} is no page of minectl")

    def run(self, expression):
        """The expression's value; a promise is waited for."""
        answer = self.call("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        if "exceptionDetails" in answer:
            raise RuntimeError(json.dumps(answer["exceptionDetails"])[:2000])
        return answer["result"].get("value")

    def until(self, expression, seconds=8):
        """Whether the expression becomes true in time."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if self.run(expression):
                return True
            time.sleep(0.1)
        return False

    def key(self, key):
        for kind in ["keyDown", "keyUp"]:
            text = {"text": key} if len(key) == 1 and kind == "keyDown" else {}
            self.call("Input.dispatchKeyEvent", type=kind, key=key, **text)

    def mouse(self, kind, x, y, button="none"):
        self.call("Input.dispatchMouseEvent", type=kind, x=x, y=y, button=button, buttons=int(button == "left"), clickCount=1)

    def shot(self, path):
        height = self.run("document.documentElement.scrollHeight")
        width = self.run("innerWidth")
        clip = {"x": 0, "y": 0, "width": width, "height": height, "scale": 1}
        shot = self.call("Page.captureScreenshot", format="png", captureBeyondViewport=True, clip=clip)
        with open(path, "wb") as file:
            file.write(base64.b64decode(shot["data"]))

    def complaints(self):
        found = [e["exceptionDetails"]["text"] for e in self.browser.happened("Runtime.exceptionThrown")]
        return found + [e["entry"]["text"] for e in self.browser.happened("Log.entryAdded") if e["entry"]["level"] in ("error", "warning")]

    def close(self):
        self.browser.call("Target.closeTarget", targetId=self.target)


def check_states(browser, pages, axe, shots):
    for state, late_s in STATES:
        name = NAMES[state, late_s]
        path = os.path.join(pages, state, "index.html")
        html = open(path, encoding="utf-8").read()
        parser = html5lib.HTMLParser()
        parser.parse(html)
        fact(f"{name}: the HTML is valid for html5lib", not parser.errors, *map(str, parser.errors[:10]))
        fact(f"{name}: the page has {len(html.encode()):,} bytes, less than 300,000", len(html.encode()) < 300_000)
        for scheme in ["light", "dark"]:
            tab = Tab(browser, late_s, scheme=scheme, width=1400 if scheme == "light" else 360, height=800)
            tab.open("file://" + path)
            fact(f"{name}, {scheme}: it is {'' if late_s else 'not '}marked as old", tab.run("document.body.classList.contains('is-stale')") == (late_s > 0))
            wide = [width for width in WIDTHS if not tab.fits(width)]
            fact(f"{name}, {scheme}: nothing is wider than the screen, from {WIDTHS[0]} to {WIDTHS[-1]} px", not wide, *wide)
            tab.fits(1400 if scheme == "light" else 360)
            tab.run("document.querySelectorAll('details').forEach(d => { d.open = true; })")
            tab.run(axe)
            found = tab.run(AXE)
            fact(f"{name}, {scheme}: axe finds nothing", not found, *found)
            fact(f"{name}, {scheme}: the console is silent", not tab.complaints(), *tab.complaints())
            tab.run("document.querySelectorAll('details').forEach(d => { d.open = false; })")
            tab.shot(os.path.join(shots, f"state-{name}-{scheme}.png"))
            tab.close()


def check_print(browser, pages, shots):
    """On paper: dark ink on white also where the screen is dark, nothing cut off, no controls."""
    tab = Tab(browser, scheme="dark")
    tab.open("file://" + os.path.join(pages, "mining", "index.html"))
    pdf = base64.b64decode(tab.call("Page.printToPDF", paperWidth=8.27, paperHeight=11.69, printBackground=True)["data"])
    path = os.path.join(shots, "print.pdf")
    with open(path, "wb") as file:
        file.write(pdf)
    sheets = len(re.findall(rb"/Type */Page[^s]", pdf))
    fact("printed, it takes a few sheets of A4", 1 <= sheets <= 8, sheets)
    text = subprocess.run(["pdftotext", "-layout", path, "-"], capture_output=True, text=True, check=True).stdout
    headline = tab.run("document.querySelector('h1').innerText").split()
    missing = [word for word in headline if word not in text[:2500]]
    fact("printed, it begins with the headline", headline and not missing, *missing)
    wanted = [f"Fan {n}" for n in range(1, 10)] + [f"pdu-{letter}" for letter in "abcdef"] + ["Calls", "Last events and actions"]
    missing = [words for words in wanted if words not in text]
    fact("printed, it shows all fans, PDUs, calls and events", not missing, *missing)
    narrow = "Math.min(...[...document.querySelectorAll('#calls tbody th')].map(one => one.getBoundingClientRect().width))"
    # As wide as the sheet without its margins.
    tab.fits(720)
    tab.call("Emulation.setEmulatedMedia", media="print", features=[{"name": "prefers-color-scheme", "value": "dark"}])
    colours = tab.run("[getComputedStyle(document.body).backgroundColor, getComputedStyle(document.querySelector('h1')).color]")
    bright = [sum(float(part) for part in re.findall(r"[\d.]+", colour)[:3]) / 765 for colour in colours]
    fact("printed, it is dark ink on white also where the screen is dark", bright[0] > 0.95 and bright[1] < 0.3, colours)
    fact("printed, a call's time has room", tab.run(narrow) > 80, tab.run(narrow))
    controls = "[...document.querySelectorAll('button, input, nav')].filter(one => one.getBoundingClientRect().width > 4 && getComputedStyle(one).opacity != '0').map(one => one.className + one.id)"
    fact("printed, it has no controls", not tab.run(controls), *tab.run(controls))
    tab.close()


def check_charts(browser, pages):
    tab = Tab(browser)
    tab.open("file://" + os.path.join(pages, "mining", "index.html"))
    hidden = tab.run("(() => { const box = document.querySelector('#calls-box'); return box.scrollWidth - box.clientWidth; })()")
    fact("the table of calls is seen whole on a wide screen", hidden == 0, f"{hidden} px are not")
    fact("each chart of the span chosen can be read", tab.run("document.querySelectorAll('.live-plot canvas').length") == 9)
    box = tab.run("(() => { document.querySelector('#trends').scrollIntoView(); const b = document.querySelector('#chart-signal .u-over').getBoundingClientRect(); return [b.left, b.top, b.width, b.height]; })()")
    middle = box[1] + box[3] / 2
    tab.mouse("mouseMoved", box[0] + box[2] * 0.5, middle)
    last = "document.querySelector('#chart-%s .last').textContent"
    fact("a chart that is pointed at tells the value of that time", tab.until("!!document.querySelector('#chart-signal .reading')"))
    value = float(tab.run(last % "signal"))
    fact("the value is the one that was measured there", 225 < value < 260, value)
    fact("the other charts tell theirs of the same time", tab.run("document.querySelectorAll('.figures.reading').length") == 9)
    tab.mouse("mouseMoved", 5, 5)
    fact("a chart that is left tells its last value again", tab.until("!document.querySelector('.figures.reading')"))
    tab.mouse("mouseMoved", box[0] + box[2] * 0.1, middle)
    tab.mouse("mousePressed", box[0] + box[2] * 0.1, middle, "left")
    tab.mouse("mouseMoved", box[0] + box[2] * 0.3, middle, "left")
    tab.mouse("mouseReleased", box[0] + box[2] * 0.3, middle, "left")
    zoomed = "!document.querySelector('.tools [data-do=all]').disabled"
    fact("a stretch that is drawn over a chart is zoomed into", tab.until(zoomed))
    tab.run("document.querySelector('#chart-power-live').focus()")
    for key in ["ArrowLeft", "ArrowLeft", "ArrowRight"]:
        tab.key(key)
    told = tab.run("document.activeElement.getAttribute('aria-valuetext')")
    fact("a chart is read by keyboard and told to a screen reader", told and "all PDUs" in told and ":" in told, told)
    tab.key("0")
    fact("a key shows all of it again", tab.until("!(" + zoomed + ")"))
    tab.run("document.querySelector('label[for=span-week]').click()")
    fact("another span is drawn when it is chosen", tab.until("document.querySelectorAll('.live-plot canvas').length === 9 && /lanes in-day/.test(document.querySelector('.lanes').className) && getComputedStyle(document.querySelector('.lanes')).display === 'none'"))
    tab.run("(() => { const f = document.querySelector('#find'); f.value = 'answers again'; f.dispatchEvent(new Event('input', { bubbles: true })); })()")
    shown = "[...document.querySelectorAll('.events li')].filter(l => getComputedStyle(l).display !== 'none').length"
    fact("events are found by their text", tab.run(shown) == 1)
    fact("the console is silent over all of it", not tab.complaints(), *tab.complaints())
    tab.close()


def check_without_scripts(browser, pages, shots):
    tab = Tab(browser, scripts=False)
    tab.open("file://" + os.path.join(pages, "mining", "index.html"))
    seen = "[...document.querySelectorAll('.plot svg')].filter(s => s.getBoundingClientRect().height > 50).length"
    fact("without scripts every chart is drawn", tab.run(seen) == 9 and tab.run("!document.querySelector('canvas')"))
    fact("without scripts nothing is offered that needs one", tab.run("[...document.querySelectorAll('.tools, .search')].every(e => e.offsetHeight === 0)"))
    tab.run("document.querySelector('#span-month').focus()")
    box = tab.run("(() => { const l = document.querySelector('label[for=span-month]'); l.scrollIntoView(); const b = l.getBoundingClientRect(); return [b.left + 5, b.top + 5]; })()")
    tab.mouse("mousePressed", *box, "left")
    tab.mouse("mouseReleased", *box, "left")
    fact("without scripts another span can be chosen", tab.until("document.querySelector('.plot.in-month svg').getBoundingClientRect().height > 50 && document.querySelector('.plot.in-day').offsetHeight === 0"))
    tab.shot(os.path.join(shots, "state-normal-without-scripts.png"))
    tab.close()


def check_refresh(browser, pages, folder):
    page = open(os.path.join(pages, "mining", "index.html"), encoding="utf-8").read()
    index = os.path.join(folder, "index.html")
    with open(index, "w", encoding="utf-8") as file:
        file.write(page)
    # Drawn a run ago: times of files are told in whole seconds, and within one the next page would count as the same.
    os.utime(index, (time.time() - 120, time.time() - 120))
    handler = partial(SimpleHTTPRequestHandler, directory=folder)
    handler.func.log_message = lambda *_: None
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    tab = Tab(browser)
    tab.open(f"http://127.0.0.1:{server.server_port}/")
    tab.run("""document.querySelector('#d-why').open = true; document.querySelector('label[for=span-week]').click();
        document.querySelector('label[for=show-troubles]').click(); document.querySelector('#find').value = 'pdu';
        document.querySelector('.tools [data-do=in]').click(); document.querySelector('#chart-hash-rate-live').focus();
        window.scrollTo(0, 900)""")
    # The next run's page: drawn two minutes later, with other words.
    drawn = page.split('data-drawn="')[1].split('"')[0]
    fresh = page.replace(drawn, str(int(drawn) + 120)).replace("No alarm stands", "Still no alarm stands")
    for name in ["due", "stale"]:
        number = page.split(f'data-{name}="')[1].split('"')[0]
        fresh = fresh.replace(f'data-{name}="{number}"', f'data-{name}="{int(number) + 120}"')
    with open(index, "w", encoding="utf-8") as file:
        file.write(fresh)
    tab.run("window.laterS = 115")
    fact("a newer page takes the old one's place by itself", tab.until("/Still no alarm/.test(document.body.textContent)", 40))
    state = tab.run("""({ open: document.querySelector('#d-why').open, span: document.querySelector('#span-week').checked,
        show: document.querySelector('#show-troubles').checked, find: document.querySelector('#find').value,
        focus: document.activeElement.id, scrolled: Math.round(scrollY), zoomed: !document.querySelector('.tools [data-do=all]').disabled,
        charts: document.querySelectorAll('.live-plot canvas').length, age: document.querySelector('.age-live').textContent })""")
    wanted = {"open": True, "span": True, "show": True, "find": "pdu", "focus": "chart-hash-rate-live", "scrolled": 900, "zoomed": True, "charts": 9}
    kept = {name: state[name] for name in wanted}
    fact("it loses neither scroll nor focus nor what was opened, chosen, typed and zoomed", kept == wanted, state)
    tab.run("window.laterS = 1000")
    server.shutdown()
    server.server_close()
    fact("without a server it says that it is old", tab.until("document.body.classList.contains('is-stale') && /runs missed/.test(document.querySelector('.stale').textContent)"))
    fact("and that the server does not answer", tab.until("/does not answer/.test(document.querySelector('.age-live').textContent)"))
    tab.close()


def main():
    pages, axe, shots = map(os.path.abspath, sys.argv[1:4])
    folder = tempfile.mkdtemp(prefix="minectl-pages-")
    os.mkdir(os.path.join(folder, "profile"))
    os.mkdir(os.path.join(folder, "site"))
    browser = Browser(os.path.join(folder, "profile"))
    try:
        check_states(browser, pages, open(axe, encoding="utf-8").read(), shots)
        check_charts(browser, pages)
        check_print(browser, pages, shots)
        check_without_scripts(browser, pages, shots)
        check_refresh(browser, pages, os.path.join(folder, "site"))
    finally:
        browser.process.terminate()
        browser.process.wait(10)
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
