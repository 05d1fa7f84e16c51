
'use strict';
(function () {
  // Tells the page's own age, draws it anew when there is a newer one, and reads values off the charts. Everything
  // else works without it. No address but the page's own is asked.
  var page = document.getElementById('page');
  // A page that was just loaded is not asked for again at once: an overdue one would be reloaded for ever.
  var unreachable = false, askedAt = Date.now() / 1000, busy = false;
  function data(name) { return Number(page.getAttribute('data-' + name)); }
  function isTest() { return page.getAttribute('data-test-clock') === 'true'; }
  function now() { return Date.now() / 1000; }
  function words(s) {
    s = Math.max(0, Math.round(s));
    var d = Math.floor(s / 86400), h = Math.floor(s / 3600) % 24, m = Math.floor(s / 60) % 60;
    if (d) return d + ' d' + (h ? ' ' + h + ' h' : '');
    if (h) return h + ' h' + (m ? ' ' + m + ' min' : '');
    if (m) return m + ' min' + (m < 10 && s % 60 ? ' ' + s % 60 + ' s' : '');
    return s + ' s';
  }
  function showAge() {
    if (isTest()) return;
    var age = now() - data('drawn'), late = now() >= data('stale'), stale = late || page.getAttribute('data-old') === 'true';
    var live = page.querySelector('.age-live'), still = page.querySelector('.age-static');
    var due = still.textContent.split('next update due ')[1];
    live.textContent = 'Updated ' + (age < -5 ? 'in the future: the clocks of this device and of the site differ' : words(age) + ' ago') + ', next update due ' + due + (unreachable ? ' · the server does not answer' : '');
    live.title = still.textContent;
    live.hidden = false;
    still.hidden = true;
    document.body.classList.toggle('is-stale', stale);
    if (stale && document.title.indexOf('OLD: ')) document.title = 'OLD: ' + document.title;
    var banner = page.querySelector('.stale');
    // A page that was old when it was drawn says so itself.
    if (late) {
      var missed = Math.max(2, Math.floor((now() - data('due')) / data('interval')) + 1);
      var text = 'Last update ' + words(age) + ' ago, ' + missed + ' runs missed: the program or its machine may be down, and what stands below may no longer be true.';
      var place = page.querySelector('.stale-text');
      // Said anew only when the number of missed runs changes, or a screen reader would never be silent.
      if (banner.hidden || place.getAttribute('data-missed') !== String(missed)) { place.textContent = text; place.setAttribute('data-missed', missed); }
    }
    if (banner.hidden === stale) banner.hidden = !stale;
  }
  function open() { return Array.prototype.map.call(page.querySelectorAll('details[open]'), function (d) { return d.id; }); }
  function swap(text) {
    var fresh = new DOMParser().parseFromString(text, 'text/html');
    var next = fresh.getElementById('page');
    if (!next) return;
    if (next.getAttribute('data-version') !== page.getAttribute('data-version')) { location.reload(); return; }
    if (next.getAttribute('data-drawn') === page.getAttribute('data-drawn')) return;
    var kept = open(), x = scrollX, y = scrollY, log = page.querySelector('.log'), logAt = log ? log.scrollTop : 0;
    var focused = document.activeElement && document.activeElement.closest ? document.activeElement.closest('details') : null;
    var focus = focused ? focused.id : '';
    page.replaceWith(document.adoptNode(next));
    page = next;
    document.title = fresh.title;
    kept.forEach(function (id) { var d = document.getElementById(id); if (d) d.open = true; });
    if (focus && document.getElementById(focus)) document.getElementById(focus).firstElementChild.focus({ preventScroll: true });
    log = page.querySelector('.log');
    if (log) log.scrollTop = logAt;
    scrollTo(x, y);
    showAge();
  }
  function refresh() {
    var wait = isTest() ? 5 : now() < data('due') + 3 ? Infinity : now() > data('stale') + 600 ? 60 : 15;
    if (busy || document.hidden || now() - askedAt < wait || String(getSelection())) return;
    askedAt = now();
    if (location.protocol === 'file:') {
      try { sessionStorage.setItem('open', open().join(' ')); } catch (e) { /* Private mode: details close. */ }
      location.reload();
      return;
    }
    busy = true;
    fetch(location.href, { cache: 'no-cache' }).then(function (r) {
      if (!r.ok) throw new Error(r.status);
      return r.text();
    }).then(function (text) { unreachable = false; swap(text); }, function () { unreachable = true; }).then(function () { busy = false; showAge(); });
  }
  function curve(path) {
    if (!path.points) {
      path.points = path.getAttribute('d').split('M').filter(Boolean).map(function (part) {
        var n = part.trim().split(/ +/).map(Number), list = [];
        for (var i = 0; i + 1 < n.length; i += 2) list.push([n[i], n[i + 1]]);
        return list;
      });
    }
    return path.points;
  }
  function nearest(path, x) {
    var best = null, away = 3;
    curve(path).forEach(function (part) {
      part.forEach(function (p, i) {
        var d = Math.abs(p[0] - x);
        // Between two points of one stretch the line itself is read.
        var q = part[i + 1];
        if (q && p[0] <= x && x <= q[0] && q[0] > p[0]) { best = [x, p[1] + (q[1] - p[1]) * (x - p[0]) / (q[0] - p[0])]; away = -1; }
        if (d < away) { best = p; away = d; }
      });
    });
    return best;
  }
  function read(event) {
    var plot = event.target.closest && event.target.closest('.plot');
    document.querySelectorAll('.cursor').forEach(function (c) { if (!plot || !plot.contains(c)) { c.parentNode.parentNode.querySelector('.readout').hidden = true; c.remove(); } });
    if (!plot) return;
    var box = plot.getBoundingClientRect(), share = Math.min(1, Math.max(0, (event.clientX - box.left) / box.width));
    var get = function (n) { return Number(plot.getAttribute('data-' + n)); };
    var cursor = plot.querySelector('.cursor');
    if (!cursor) { cursor = document.createElement('div'); cursor.className = 'cursor'; plot.appendChild(cursor); }
    cursor.style.left = share * 100 + '%';
    var at = get('from') + share * (get('to') - get('from'));
    var parts = [new Date(at * 1000).toLocaleString('en-GB', { timeZone: page.getAttribute('data-zone'), weekday: 'short', hour: '2-digit', minute: '2-digit' })];
    plot.querySelectorAll('.l').forEach(function (path) {
      var p = nearest(path, share * 288);
      parts.push(path.getAttribute('data-label') + ' ' + (p ? (get('max') - p[1] / 100 * (get('max') - get('min'))).toFixed(get('decimals')) : 'no reading'));
    });
    var out = plot.parentNode.querySelector('.readout');
    out.textContent = parts.join(' · ');
    out.hidden = false;
  }
  try { (sessionStorage.getItem('open') || '').split(' ').forEach(function (id) { var d = id && document.getElementById(id); if (d) d.open = true; }); sessionStorage.removeItem('open'); } catch (e) { /* Private mode. */ }
  document.addEventListener('pointermove', read);
  document.addEventListener('pointerdown', read);
  document.addEventListener('visibilitychange', function () { showAge(); refresh(); });
  setInterval(function () { showAge(); refresh(); }, 1000);
  showAge();
})();
