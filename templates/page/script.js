
'use strict';
(function () {
  // Tells the page's own age, draws it anew when there is a newer one, and makes the charts readable to the minute.
  // Everything else works without it. No address but the page's own is asked.
  var page = document.getElementById('page');
  // A page that was just loaded is not asked for again at once: an overdue one would be reloaded for ever.
  var unreachable = false, askedAt = Date.now() / 1000, busy = false;
  function data(name) { return Number(page.getAttribute('data-' + name)); }
  function isTest() { return page.getAttribute('data-test-clock') === 'true'; }
  function now() { return Date.now() / 1000; }
  function all(selector, within) { return Array.prototype.slice.call((within || page).querySelectorAll(selector)); }

  // Age -------------------------------------------------------------------------------------------------------------

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

  // A new page in place of the old one, with everything that a person did to the old one ----------------------------

  // An element with an id, or the n-th element that can be focused in the nearest one around it that has one.
  var FOCUSABLE = 'a, button, input, summary, [tabindex]';
  function place(element) {
    var near = element && element.closest && element.closest('[id]');
    if (!near || !page.contains(near)) return null;
    return { id: near.id, at: near === element ? -1 : all(FOCUSABLE, near).indexOf(element) };
  }
  function at(place) {
    var near = place && document.getElementById(place.id);
    return near && (place.at < 0 ? near : all(FOCUSABLE, near)[place.at]);
  }
  function keep() {
    var find = document.getElementById('find');
    return {
      open: all('details[open]').map(function (d) { return d.id; }),
      picked: all('.pick:checked').map(function (p) { return p.id; }),
      find: find ? find.value : '',
      scrolled: all('.scroll, .log').map(function (box) { return [box.id, box.scrollLeft, box.scrollTop]; }),
      focus: place(document.activeElement), zoom: zoom, x: scrollX, y: scrollY
    };
  }
  function restore(kept) {
    var get = function (id) { return document.getElementById(id); };
    kept.open.forEach(function (id) { if (get(id)) get(id).open = true; });
    kept.picked.forEach(function (id) { if (get(id)) get(id).checked = true; });
    if (get('find')) get('find').value = kept.find;
    zoom = kept.zoom;
    enhance();
    kept.scrolled.forEach(function (s) { var box = get(s[0]); if (box) { box.scrollLeft = s[1]; box.scrollTop = s[2]; } });
    var focus = at(kept.focus);
    if (focus) focus.focus({ preventScroll: true });
    scrollTo(kept.x, kept.y);
  }
  function swap(text) {
    var fresh = new DOMParser().parseFromString(text, 'text/html');
    var next = fresh.getElementById('page');
    if (!next) return;
    if (next.getAttribute('data-version') !== page.getAttribute('data-version')) { location.reload(); return; }
    if (next.getAttribute('data-drawn') === page.getAttribute('data-drawn')) return;
    var kept = keep();
    wipe();
    page.replaceWith(document.adoptNode(next));
    page = next;
    document.title = fresh.title;
    var icon = document.querySelector('link[rel=icon]'), newIcon = fresh.querySelector('link[rel=icon]');
    if (icon && newIcon) icon.href = newIcon.href;
    restore(kept);
    showAge();
  }
  function refresh() {
    var wait = isTest() ? 5 : now() < data('due') + 3 ? Infinity : now() > data('stale') + 600 ? 60 : 15;
    if (busy || document.hidden || held || now() - askedAt < wait || String(getSelection())) return;
    askedAt = now();
    if (location.protocol === 'file:') {
      try { sessionStorage.setItem('kept', JSON.stringify(keep())); } catch (e) { /* Private mode: what was opened closes. */ }
      location.reload();
      return;
    }
    busy = true;
    fetch(location.href, { cache: 'no-cache' }).then(function (r) {
      if (!r.ok) throw new Error(r.status);
      return r.text();
    }).then(function (text) { unreachable = false; swap(text); }, function () { unreachable = true; }).then(function () { busy = false; showAge(); });
  }

  // Charts: the drawn paths are read back as values, and uPlot draws them ------------------------------------------

  // `held`: a finger or a button is down on a chart; it must not be taken away.
  var charts = [], zoom = null, held = false;
  function span() {
    var picked = page.querySelector('.pick[name=span]:checked');
    var get = function (name) { return Number(picked.getAttribute('data-' + name)); };
    return picked && { id: picked.value, from: get('from'), to: get('to'), width: get('width') };
  }
  function zoned(seconds, options) {
    options.timeZone = page.getAttribute('data-zone');
    options.hourCycle = 'h23';
    return new Date(seconds * 1000).toLocaleString('en-GB', options);
  }
  function moment(seconds) { return zoned(seconds, { weekday: 'short', day: 'numeric', month: 'short', hour: '2-digit', minute: '2-digit' }); }
  // A path is stretches of an absolute start and relative steps; a slot stays `undefined` within a stretch (the line
  // goes on) and is null beside it (the line breaks).
  function values(path, slots, max, perUnit) {
    var found = new Array(slots);
    path.split('M').filter(Boolean).forEach(function (stretch) {
      var steps = stretch.match(/-?\d+/g).map(Number), x = steps[0], y = steps[1];
      if (x > 0 && found[x - 1] === undefined) found[x - 1] = null;
      found[x] = max - y / perUnit;
      for (var i = 2; i + 1 < steps.length; i += 2) {
        x += steps[i];
        y += steps[i + 1];
        found[x] = max - y / perUnit;
      }
      if (x + 1 < slots) found[x + 1] = null;
    });
    return found;
  }
  function nearest(list, index) {
    for (var away = 0; away < 3; away++) {
      if (typeof list[index - away] === 'number') return list[index - away];
      if (typeof list[index + away] === 'number') return list[index + away];
      if (list[index - away] === null && list[index + away] === null) break;
    }
    return null;
  }
  // Beyond its own width a step has no reading; within a stretch the point before it still holds.
  function reading(list, index) {
    var value = nearest(list, index);
    for (var i = index; value === null && i >= 0 && list[i] === undefined; i--) value = typeof list[i - 1] === 'number' ? list[i - 1] : null;
    return value;
  }
  function colour(name) { return getComputedStyle(document.documentElement).getPropertyValue('--' + name).trim(); }
  function small() { return 0.75 * parseFloat(getComputedStyle(document.documentElement).fontSize); }
  function font(scale) { return small() * scale + 'px ' + getComputedStyle(document.body).fontFamily; }
  function xTicks(plot, ticks, axis, space, step) {
    return ticks.map(function (t) {
      var time = zoned(t, { hour: '2-digit', minute: '2-digit' });
      if (step < 86400 && time !== '00:00') return time;
      return step < 86400 || span().id === 'week' ? zoned(t, { weekday: 'short', day: 'numeric' }) : zoned(t, { day: 'numeric', month: 'short' });
    });
  }
  function shade(plot) {
    var path = plot.shade, s = plot.span;
    var box = plot.bbox, paint = plot.ctx, at = function (x) { return plot.valToPos(s.from + x / s.width * (s.to - s.from), 'x', true); };
    paint.save();
    paint.beginPath();
    paint.rect(box.left, box.top, box.width, box.height);
    paint.clip();
    paint.fillStyle = colour('shade');
    (path.match(/M\d+ \d+h\d+/g) || []).forEach(function (bar) {
      var n = bar.match(/\d+/g).map(Number), left = at(n[0]);
      paint.fillRect(left, box.top, Math.max(1, at(n[0] + n[2]) - left), box.height);
    });
    paint.restore();
  }
  function limits(plot) {
    var box = plot.bbox, paint = plot.ctx, scale = devicePixelRatio;
    paint.save();
    paint.strokeStyle = paint.fillStyle = colour('emergency');
    paint.lineWidth = 1.25 * scale;
    paint.setLineDash([2 * scale, 4 * scale]);
    paint.textAlign = 'right';
    paint.font = font(scale);
    plot.limits.forEach(function (limit) {
      var y = plot.valToPos(limit.value, 'y', true);
      if (y < box.top - 1 || y > box.top + box.height + 1) return;
      paint.beginPath();
      paint.moveTo(box.left, y);
      paint.lineTo(box.left + box.width, y);
      paint.stroke();
      var wide = paint.measureText(limit.text).width;
      paint.save();
      paint.fillStyle = colour('card');
      paint.globalAlpha = 0.8;
      paint.fillRect(box.left + box.width - wide - 4 * scale, y - 16 * scale, wide + 4 * scale, 14 * scale);
      paint.restore();
      paint.fillText(limit.text, box.left + box.width - 2 * scale, y - 4 * scale);
    });
    paint.restore();
  }
  function read(chart) {
    var index = chart.plot.cursor.idx, on = index !== null && index !== undefined && chart.plot.cursor.left >= 0;
    chart.table.classList.toggle('reading', on);
    var time = on ? moment(chart.plot.data[0][index]) : '', told = [];
    chart.head.textContent = on ? time.replace(/^\S+ /, '').replace(/^.*, /, '') : 'Last';
    chart.head.title = time;
    chart.cells.forEach(function (cell, i) {
      var value = on ? reading(chart.plot.data[cell.column], index) : null;
      cell.element.textContent = !on ? cell.last : value === null ? 'no reading' : value.toFixed(chart.decimals);
      if (on && i < 12) told.push(cell.label + ' ' + cell.element.textContent);
    });
    if (!on) return;
    chart.host.setAttribute('aria-valuenow', index);
    chart.host.setAttribute('aria-valuetext', time + ': ' + told.join(', '));
  }
  function setZoom(range) {
    var s = span();
    if (range) {
      var width = Math.max((s.to - s.from) / 48, Math.min(range[1] - range[0], s.to - s.from));
      var from = Math.max(s.from, Math.min(range[0], s.to - width));
      range = width >= s.to - s.from ? null : [from, from + width];
    }
    zoom = range;
    charts.forEach(function (chart) { chart.plot.setScale('x', { min: range ? range[0] : s.from, max: range ? range[1] : s.to }); });
    all('.tools button').forEach(function (b) { b.disabled = !range && b.getAttribute('data-do') !== 'in'; });
  }
  function move(what) {
    var s = span(), range = zoom || [s.from, s.to], width = range[1] - range[0], middle = (range[0] + range[1]) / 2;
    var cursor = charts.length && charts[0].plot.cursor;
    if (cursor && cursor.left >= 0 && cursor.idx !== null) middle = charts[0].plot.data[0][cursor.idx];
    if (what === 'in') setZoom([middle - width / 4, middle + width / 4]);
    if (what === 'out') setZoom([middle - width, middle + width]);
    if (what === 'earlier') setZoom([range[0] - width / 3, range[1] - width / 3]);
    if (what === 'later') setZoom([range[0] + width / 3, range[1] + width / 3]);
    if (what === 'all') setZoom(null);
  }
  function step(chart, event) {
    var plot = chart.plot, keys = { ArrowLeft: -1, ArrowRight: 1, PageUp: -12, PageDown: 12 }, by = keys[event.key];
    var what = { '+': 'in', '=': 'in', '-': 'out', '−': 'out', '0': 'all', Escape: 'all' }[event.key];
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (what) move(what);
    else if (by || event.key === 'Home' || event.key === 'End') {
      var first = plot.valToIdx(plot.scales.x.min), last = plot.valToIdx(plot.scales.x.max), index = plot.cursor.left >= 0 ? plot.cursor.idx : last;
      index = event.key === 'Home' ? first : event.key === 'End' ? last : Math.max(first, Math.min(last, index + by * (event.shiftKey ? 6 : 1)));
      plot.setCursor({ left: plot.valToPos(plot.data[0][index], 'x'), top: 1 }, true, true);
    } else return;
    event.preventDefault();
  }
  function build(figure, s) {
    var plot = figure.querySelector('.plot.in-' + s.id), lines = plot ? all('.l', plot) : [];
    if (!lines.length) return;
    var get = function (name) { return Number(plot.getAttribute('data-' + name)); };
    var max = get('max'), decimals = get('decimals'), perUnit = Math.pow(10, decimals), svg = plot.querySelector('svg');
    var bottom = max - svg.viewBox.baseVal.height / perUnit, times = [];
    for (var i = 0; i < s.width; i++) times.push(s.from + (i + 0.5) / s.width * (s.to - s.from));
    var columns = [times].concat(lines.map(function (line) { return values(line.getAttribute('d'), s.width, max, perUnit); }));
    var soft = colour('soft'), rows = all('tbody tr', figure);
    var host = document.createElement('div');
    host.className = 'live-plot';
    host.tabIndex = 0;
    host.id = figure.id + '-live';
    var names = { role: 'slider', 'aria-label': figure.getAttribute('data-title') + ' in ' + figure.getAttribute('data-unit') + ', read at a time', 'aria-valuemin': 0, 'aria-valuemax': s.width - 1, 'aria-valuenow': s.width - 1, 'aria-valuetext': svg.getAttribute('aria-label') };
    Object.keys(names).forEach(function (name) { host.setAttribute(name, names[name]); });
    figure.insertBefore(host, figure.querySelector('table'));
    var steps = [];
    for (var power = -decimals; power < 13; power++) [1, 2, 5].forEach(function (digit) { steps.push(digit * Math.pow(10, power)); });
    var axis = function (more) { return Object.assign({ stroke: soft, font: font(1), grid: { stroke: colour('grid'), width: 1 }, ticks: { stroke: colour('line'), width: 1, size: 4 } }, more); };
    var chart = { host: host, figure: figure, decimals: decimals, table: figure.querySelector('.figures'), head: figure.querySelector('.at') };
    chart.cells = lines.map(function (line, index) {
      var row = rows[Number(line.classList[1].slice(1)) - 1], cell = row.querySelector('.last');
      row.addEventListener('pointerenter', function () { if (columns.length > 2) chart.plot.setSeries(index + 1, { focus: true }); });
      row.addEventListener('pointerleave', function () { if (columns.length > 2) chart.plot.setSeries(null, { focus: true }); });
      return { element: cell, last: cell.textContent, label: row.querySelector('th').textContent, column: index + 1 };
    });
    chart.plot = new uPlot({
      width: host.clientWidth, height: host.clientHeight, legend: { show: false }, pxAlign: 0, padding: [8, 1.8 * small(), 0, 0], focus: { alpha: 0.2 },
      tzDate: function (t) { return uPlot.tzDate(new Date(t * 1000), page.getAttribute('data-zone')); },
      cursor: { y: false, lock: false, sync: { key: 'trends', setSeries: false, scales: ['x', null] }, drag: { x: true, y: false, setScale: false }, points: { size: 6 }, dataIdx: function (u, series, index) { return index; } },
      scales: {
        x: { time: true, range: function (u, low, high) { return [low, high]; } },
        y: { range: function (u, low, high) { if (!zoom || low === null) return [bottom, max]; var room = Math.max((high - low) * 0.1, 2 / perUnit); return [Math.max(bottom, low - room), Math.min(max, high + room)]; } }
      },
      axes: [axis({ values: xTicks, space: 4.6 * small(), size: 2.4 * small() }), axis({ size: 4 * small(), space: 34, incrs: steps, values: function (u, ticks, axis, space, step) { var places = Math.max(0, -Math.floor(Math.log10(step) + 1e-9)); return ticks.map(function (v) { return v.toFixed(places); }); } })],
      series: [{}].concat(lines.map(function (line, index) {
        var style = getComputedStyle(line), dash = style.strokeDasharray === 'none' ? [] : style.strokeDasharray.split(/,? +/).map(parseFloat);
        return { label: chart.cells[index].label, stroke: style.stroke, width: 1.6, dash: dash, points: { show: false }, spanGaps: false };
      })),
      hooks: {
        drawClear: [shade], draw: [limits], setCursor: [function () { if (chart.plot) read(chart); }],
        setSelect: [function (u) { if (u.select.width > 4) setZoom([u.posToVal(u.select.left, 'x'), u.posToVal(u.select.left + u.select.width, 'x')]); u.setSelect({ left: 0, width: 0 }, false); }],
        init: [function (u) {
          var path = plot.querySelector('.shade');
          u.shade = path ? path.getAttribute('d') : '';
          u.span = s;
          u.limits = all('.limit', plot).map(function (line) { return { value: max - Number(line.getAttribute('d').match(/M0 (\d+)/)[1]) / perUnit, text: line.textContent }; });
        }]
      }
    }, columns, host);
    chart.plot.setScale('x', { min: zoom ? zoom[0] : s.from, max: zoom ? zoom[1] : s.to });
    chart.plot.over.addEventListener('dblclick', function () { setZoom(null); });
    // uPlot follows a mouse; a finger that slides sideways reads as well.
    chart.plot.over.addEventListener('pointermove', function (event) {
      if (event.pointerType === 'mouse') return;
      var box = chart.plot.over.getBoundingClientRect();
      chart.plot.setCursor({ left: Math.max(0, Math.min(box.width, event.clientX - box.left)), top: 1 }, true, true);
    });
    host.addEventListener('keydown', function (event) { step(chart, event); });
    host.addEventListener('blur', function () { chart.plot.setCursor({ left: -10, top: -10 }, true, true); });
    figure.classList.add('live');
    charts.push(chart);
  }
  function wipe() {
    charts.forEach(function (chart) {
      chart.plot.destroy();
      chart.host.remove();
      chart.figure.classList.remove('live');
      chart.table.classList.remove('reading');
      chart.head.textContent = 'Last';
      chart.cells.forEach(function (cell) { cell.element.textContent = cell.last; });
    });
    charts = [];
  }
  function draw() {
    wipe();
    var s = page.querySelector('.pick[name=span]') && span();
    if (!s) return;
    // A zoom that lies outside of what is shown now is none.
    if (zoom && (zoom[0] < s.from || zoom[1] > s.to)) zoom = null;
    all('.chart').forEach(function (figure) { build(figure, s); });
    setZoom(zoom);
  }

  // Events ----------------------------------------------------------------------------------------------------------

  function find() {
    var input = document.getElementById('find'), box = page.querySelector('.events-box');
    if (!input || !box) return;
    var wanted = input.value.trim().toLowerCase(), shown = 0;
    all('.events li', box).forEach(function (line) {
      line.hidden = wanted !== '' && line.textContent.toLowerCase().indexOf(wanted) < 0;
      if (getComputedStyle(line).display !== 'none') shown += 1;
    });
    box.querySelector('.no-match').hidden = shown > 0;
  }
  function enhance() {
    all('.with-script, .tools').forEach(function (element) { element.hidden = false; });
    draw();
    find();
  }

  document.addEventListener('change', function (event) {
    if (event.target.name === 'span') { zoom = null; draw(); }
    if (event.target.name === 'show') find();
  });
  document.addEventListener('input', function (event) { if (event.target.id === 'find') find(); });
  document.addEventListener('click', function (event) {
    var button = event.target.closest && event.target.closest('.tools button');
    if (button) move(button.getAttribute('data-do'));
  });
  document.addEventListener('pointerdown', function (event) { held = !!(event.target.closest && event.target.closest('.live-plot')); });
  ['pointerup', 'pointercancel'].forEach(function (name) { document.addEventListener(name, function () { held = false; }); });
  var width = innerWidth;
  addEventListener('resize', function () { if (innerWidth !== width) { width = innerWidth; draw(); } });
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', draw);
  document.addEventListener('visibilitychange', function () { showAge(); refresh(); });
  setInterval(function () { showAge(); refresh(); }, 1000);
  var kept = null;
  try { kept = JSON.parse(sessionStorage.getItem('kept')); sessionStorage.removeItem('kept'); } catch (e) { /* Private mode. */ }
  if (kept) restore(kept); else enhance();
  showAge();
})();
