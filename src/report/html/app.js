'use strict';
// Draws each history's time line and latencies from the columns that stand in the page. Texts go through textContent or
// fillText alone: nothing of a history is ever markup.
(() => {
  const LANE = 18, HEAD = 22, GUTTER = 84, VIEW = 400;
  const root = document.documentElement;
  const byId = (id) => document.getElementById(id);
  const color = (name) => getComputedStyle(root).getPropertyValue(name).trim();
  const charts = [];
  let current = null;

  const duration = (ns) => {
    for (const [unit, size] of [['s', 1e9], ['ms', 1e6], ['µs', 1e3]]) {
      if (Math.abs(ns) >= size) return Number((ns / size).toPrecision(3)) + ' ' + unit;
    }
    return Math.round(ns) + ' ns';
  };

  class TimeLine {
    constructor(box, data) {
      this.box = box;
      this.data = data;
      this.view = box.querySelector('.lanes-view');
      this.spacer = box.querySelector('.spacer');
      this.canvas = box.querySelector('canvas');
      this.detail = box.querySelector('.detail');
      this.witness = new Set();
      this.chosen = -1;
      this.byTime = data.timed;
      this.prepare();
      this.controls();
      this.pointer();
      box.hidden = false;
      this.resize();
      this.all();
    }

    // Each operation's beginning and end on both axes, and each lane's operations in order.
    prepare() {
      const d = this.data, n = d.process.length;
      this.axes = {};
      for (const axis of ['order', 'time']) {
        const from = new Float64Array(n), to = new Float64Array(n);
        const [a, b, end] = axis === 'order' ? [d.invoked, d.completed, d.end] : [d.invoked_ns, d.completed_ns, d.end_ns];
        for (let i = 0; i < n; i++) {
          from[i] = a[i] >= 0 ? a[i] : b[i];
          to[i] = b[i] >= 0 ? b[i] : end;
        }
        this.axes[axis] = { from, to, end: Math.max(1, end) };
      }
      this.lanes = d.lanes.map(() => []);
      for (let i = 0; i < n; i++) this.lanes[d.lane[i]].push(i);
      this.at = new Map();
      for (let i = 0; i < n; i++) {
        if (d.invoked[i] >= 0) this.at.set(d.invoked[i], i);
        if (d.completed[i] >= 0) this.at.set(d.completed[i], i);
      }
      this.seenAt = new Map(d.seen.map((seen, i) => [seen.at, i]));
      this.matching = null;
    }

    get axis() { return this.axes[this.byTime ? 'time' : 'order']; }

    fill(select, names) {
      names.forEach((name, i) => {
        if (i >= 5000) return;
        const option = document.createElement('option');
        option.value = String(i);
        option.textContent = name;
        select.append(option);
      });
    }

    controls() {
      const find = (name) => this.box.querySelector('.' + name);
      this.find = find('find');
      this.filters = { function: find('by-function'), key: find('by-key'), process: find('by-process'), status: find('by-status') };
      this.fill(this.filters.function, this.data.functions);
      this.fill(this.filters.key, this.data.keys);
      this.fill(this.filters.process, this.data.processes);
      this.matches = find('matches');
      const filter = () => this.filter();
      this.find.addEventListener('input', filter);
      for (const select of Object.values(this.filters)) select.addEventListener('change', filter);
      this.box.querySelector('form').addEventListener('submit', (event) => { event.preventDefault(); this.step(1); });
      find('in').addEventListener('click', () => this.zoom(0.5));
      find('out').addEventListener('click', () => this.zoom(2));
      find('all').addEventListener('click', () => this.all());
      const axis = find('axis');
      axis.hidden = !this.data.timed;
      axis.addEventListener('click', () => {
        this.byTime = !this.byTime;
        axis.setAttribute('aria-pressed', String(!this.byTime));
        this.all();
        if (this.chosen >= 0) this.show(this.chosen);
      });
    }

    filter() {
      const d = this.data, value = (name) => this.filters[name].value;
      const text = this.find.value.trim().toLowerCase();
      const [f, k, p, s] = ['function', 'key', 'process', 'status'].map(value);
      if (!text && !f && !k && !p && !s) {
        this.matching = null;
      } else {
        this.matching = new Uint8Array(d.process.length);
        const record = /^\d+$/.test(text) ? Number(text) : -1;
        for (let i = 0; i < this.matching.length; i++) {
          if (f && d.function[i] !== Number(f) || p && d.process[i] !== Number(p) || s && d.status[i] !== s) continue;
          if (k && !d.key[i].includes(Number(k))) continue;
          if (text && d.invoked[i] !== record && d.completed[i] !== record && !d.text[i].toLowerCase().includes(text)) continue;
          this.matching[i] = 1;
        }
      }
      const count = this.matching ? this.matching.reduce((sum, one) => sum + one, 0) : 0;
      this.matches.textContent = this.matching ? count + (count === 1 ? ' operation' : ' operations') : '';
      this.draw();
    }

    pointer() {
      const canvas = this.canvas, active = new Map();
      let moved = 0, pinch = 0;
      canvas.addEventListener('pointerdown', (event) => {
        active.set(event.pointerId, event);
        canvas.setPointerCapture(event.pointerId);
        moved = pinch = 0;
      });
      canvas.addEventListener('pointermove', (event) => {
        const before = active.get(event.pointerId);
        if (!before) { this.hover(event); return; }
        active.set(event.pointerId, event);
        if (active.size === 2) {
          const [a, b] = [...active.values()];
          const apart = Math.abs(a.clientX - b.clientX);
          if (pinch > 10 && apart > 10) this.zoom(pinch / apart, (a.offsetX + b.offsetX) / 2);
          pinch = apart;
          moved = 99;
          return;
        }
        moved += Math.abs(event.clientX - before.clientX) + Math.abs(event.clientY - before.clientY);
        if (event.pointerType !== 'touch') this.view.scrollTop -= event.clientY - before.clientY;
        this.pan(-(event.clientX - before.clientX));
      });
      const up = (event) => {
        if (active.delete(event.pointerId) && event.type === 'pointerup' && moved < 5) this.choose(this.hit(event.offsetX, event.offsetY));
      };
      canvas.addEventListener('pointerup', up);
      canvas.addEventListener('pointercancel', up);
      this.view.addEventListener('wheel', (event) => {
        if (event.ctrlKey || event.shiftKey) {
          event.preventDefault();
          this.zoom(Math.exp((event.deltaY || event.deltaX) / 300), event.offsetX);
        } else if (Math.abs(event.deltaX) > Math.abs(event.deltaY)) {
          event.preventDefault();
          this.pan(event.deltaX);
        }
      }, { passive: false });
      this.view.addEventListener('scroll', () => this.draw());
      this.view.addEventListener('keydown', (event) => {
        const keys = {
          ArrowLeft: () => this.pan(-80), ArrowRight: () => this.pan(80),
          ArrowUp: () => { this.view.scrollTop -= LANE * 3; }, ArrowDown: () => { this.view.scrollTop += LANE * 3; },
          '+': () => this.zoom(0.6), '=': () => this.zoom(0.6), '-': () => this.zoom(1 / 0.6),
        };
        const act = !event.ctrlKey && !event.metaKey && !event.altKey && keys[event.key];
        if (act) { event.preventDefault(); act(); }
      });
    }

    resize() {
      const width = Math.max(200, this.view.clientWidth), rows = this.lanes.length * LANE + HEAD;
      const height = Math.min(VIEW, rows + 4), ratio = window.devicePixelRatio || 1;
      this.width = width;
      this.height = height;
      this.spacer.style.height = rows + 4 + 'px';
      this.canvas.style.width = width + 'px';
      this.canvas.style.height = height + 'px';
      this.canvas.width = Math.round(width * ratio);
      this.canvas.height = Math.round(height * ratio);
      this.context = this.canvas.getContext('2d');
      this.context.setTransform(ratio, 0, 0, ratio, 0, 0);
      this.draw();
    }

    all() {
      const { from, to } = this.axis;
      let least = Infinity, most = 0;
      for (let i = 0; i < from.length; i++) { least = Math.min(least, from[i]); most = Math.max(most, to[i]); }
      const room = (most - least) * 0.01 || 1;
      this.left = least - room;
      this.right = most + room;
      this.draw();
    }

    x(value) { return GUTTER + (value - this.left) / (this.right - this.left) * (this.width - GUTTER); }
    value(x) { return this.left + (x - GUTTER) / (this.width - GUTTER) * (this.right - this.left); }

    zoom(factor, at = (GUTTER + this.width) / 2) {
      const pivot = this.value(Math.max(GUTTER, at)), least = this.byTime ? 1000 : 4;
      if (factor < 1 && (this.right - this.left) * factor < least) return;
      if (factor > 1 && this.right - this.left > this.axis.end * 3) return;
      this.left = pivot - (pivot - this.left) * factor;
      this.right = pivot + (this.right - pivot) * factor;
      this.draw();
    }

    pan(pixels) {
      const by = pixels / (this.width - GUTTER) * (this.right - this.left);
      this.left += by;
      this.right += by;
      this.draw();
    }

    draw() {
      if (this.waiting || !this.context) return;
      this.waiting = true;
      requestAnimationFrame(() => { this.waiting = false; this.paint(); });
    }

    // The first operation of a lane that may reach into the view: ends grow with beginnings, as a process does one at a time.
    first(lane, value) {
      const { to } = this.axis;
      let low = 0, high = lane.length;
      while (low < high) {
        const middle = (low + high) >> 1;
        if (to[lane[middle]] < value) low = middle + 1; else high = middle;
      }
      return Math.max(0, low - 1);
    }

    paint() {
      const c = this.context, d = this.data, { from, to } = this.axis, top = this.view.scrollTop;
      const ink = color('--ink'), soft = color('--soft'), line = color('--line'), paper = color('--paper'), accent = color('--accent');
      const fills = { o: color('--rt'), f: color('--none'), i: color('--maybe') }, bad = color('--bad');
      c.fillStyle = paper;
      c.fillRect(0, 0, this.width, this.height);
      c.save();
      c.beginPath();
      c.rect(GUTTER, 0, this.width - GUTTER, this.height);
      c.clip();
      for (const band of d.bands) {
        const a = this.x(this.byTime ? band.from_ns : band.from), b = this.x(this.byTime ? band.to_ns : band.to);
        if (b < GUTTER || a > this.width) continue;
        c.globalAlpha = 0.13;
        c.fillStyle = bad;
        c.fillRect(a, 0, Math.max(2, b - a), this.height);
        c.globalAlpha = 1;
        c.font = '11px system-ui, sans-serif';
        c.fillText(band.name, Math.max(GUTTER + 2, a + 2), HEAD + 10);
      }
      const firstLane = Math.max(0, Math.floor(top / LANE)), lastLane = Math.min(this.lanes.length, Math.ceil((top + this.height - HEAD) / LANE) + 1);
      c.font = '11px system-ui, sans-serif';
      c.textBaseline = 'middle';
      for (let lane = firstLane; lane < lastLane; lane++) {
        const y = HEAD + lane * LANE - top, ops = this.lanes[lane];
        c.fillStyle = line;
        c.fillRect(GUTTER, y + LANE - 1, this.width, 0.5);
        let drawn = -1;
        for (let k = this.first(ops, this.left); k < ops.length; k++) {
          const i = ops[k];
          if (from[i] > this.right) break;
          const next = k + 1 < ops.length ? from[ops[k + 1]] : Infinity;
          const a = Math.max(this.x(from[i]), GUTTER - 4), b = Math.min(this.x(Math.min(to[i], next)), this.width + 4);
          const marked = this.witness.has(i), chosen = i === this.chosen, dim = this.matching && !this.matching[i];
          // What would fall on the pixel that is painted already is not seen: zoomed out, this is nearly all.
          if (b < drawn + 1 && !marked && !chosen && !(this.matching && !dim)) continue;
          const width = Math.max(1.5, b - a - 0.5);
          c.globalAlpha = dim ? 0.15 : 1;
          c.fillStyle = marked ? bad : fills[d.status[i]];
          c.fillRect(a, y + 3, width, LANE - 7);
          if (d.status[i] === 'f' && width > 4) { c.fillStyle = paper; c.fillRect(a + 1, y + 4, width - 2, LANE - 9); }
          if (chosen) { c.strokeStyle = accent; c.lineWidth = 2; c.strokeRect(a - 1, y + 2, width + 2, LANE - 5); }
          if (width > 34) {
            c.save();
            c.beginPath();
            c.rect(a, y, width, LANE);
            c.clip();
            c.fillStyle = d.status[i] === 'f' ? ink : paper;
            c.fillText(d.text[i], a + 4, y + LANE / 2);
            c.restore();
          }
          c.globalAlpha = 1;
          drawn = b;
        }
      }
      let mark = -9;
      for (const seen of d.seen) {
        const x = this.x(this.byTime ? seen.ns : seen.at);
        if (x < GUTTER || x > this.width || x - mark < 3) continue;
        mark = x;
        c.fillStyle = color('--so');
        c.fillRect(x - 1, HEAD - 6, 2, 6);
      }
      c.restore();
      c.fillStyle = paper;
      c.fillRect(0, 0, GUTTER, this.height);
      c.fillRect(0, 0, this.width, HEAD - 7);
      c.fillStyle = soft;
      c.font = '11px system-ui, sans-serif';
      for (let lane = firstLane; lane < lastLane; lane++) {
        const y = HEAD + lane * LANE - top + LANE / 2;
        if (y > HEAD) c.fillText(this.label(d.lanes[lane]), 6, y);
      }
      c.fillRect(GUTTER - 1, HEAD - 1, 1, this.height);
      const span = this.right - this.left, rough = span / Math.max(2, (this.width - GUTTER) / 110);
      const scale = 10 ** Math.floor(Math.log10(rough)), tick = [1, 2, 5, 10].map((k) => k * scale).find((k) => k >= rough);
      for (let value = Math.ceil(this.left / tick) * tick; value < this.right; value += tick) {
        const x = this.x(value);
        if (x < GUTTER) continue;
        c.fillText(this.byTime ? duration(value) : String(Math.round(value)), x + 3, 8);
        c.fillRect(x, 2, 0.5, HEAD - 8);
      }
    }

    label(text) { return text.length > 12 ? text.slice(0, 11) + '…' : text; }

    hit(x, y) {
      const lane = this.lanes[Math.floor((y - HEAD + this.view.scrollTop) / LANE)], { from, to } = this.axis;
      if (!lane || x < GUTTER || y < HEAD) return -1;
      let best = -1, distance = 6;
      for (let k = this.first(lane, this.value(x - 6)); k < lane.length && from[lane[k]] <= this.value(x + 6); k++) {
        const i = lane[k], next = k + 1 < lane.length ? from[lane[k + 1]] : Infinity;
        const off = Math.max(this.x(from[i]) - x, x - this.x(Math.min(to[i], next)), 0);
        if (off < distance || (off === 0 && this.witness.has(i))) { best = i; distance = off; }
      }
      return best;
    }

    hover(event) {
      const i = this.hit(event.offsetX, event.offsetY);
      this.canvas.style.cursor = i >= 0 ? 'pointer' : 'grab';
      this.canvas.title = i >= 0 ? this.words(i) : '';
    }

    words(i) {
      const d = this.data, records = [d.invoked[i], d.completed[i]].filter((at) => at >= 0);
      const status = { o: 'ok', f: 'fail', i: 'info' }[d.status[i]];
      let words = 'process ' + d.processes[d.process[i]] + (d.node[i] >= 0 ? ' on ' + d.nodes[d.node[i]] : '') + ', ' + status + ', ';
      words += records.length === 2 ? 'records ' + records.join(' and ') : 'record ' + records[0];
      if (d.invoked_ns[i] >= 0) words += ', at ' + duration(d.invoked_ns[i]);
      if (d.invoked_ns[i] >= 0 && d.completed_ns[i] >= 0) words += ', took ' + duration(d.completed_ns[i] - d.invoked_ns[i]);
      return words + ': ' + d.text[i];
    }

    choose(i) {
      current = this;
      this.chosen = i;
      this.detail.textContent = i >= 0 ? this.words(i) : 'Choose an operation to see it.';
      this.draw();
    }

    // Brings an operation into view, and shows it.
    show(i) {
      const { from, to } = this.axis, d = this.data;
      const middle = (from[i] + Math.min(to[i], from[i] + (this.right - this.left))) / 2;
      if (from[i] < this.left || from[i] > this.right) {
        const half = (this.right - this.left) / 2;
        this.left = middle - half;
        this.right = middle + half;
      }
      const y = d.lane[i] * LANE;
      if (y < this.view.scrollTop || y > this.view.scrollTop + this.height - HEAD - LANE) this.view.scrollTop = y - this.height / 2;
      this.choose(i);
    }

    // So near that the operations of a witness fill the view.
    frame(positions) {
      const { from, to } = this.axis, ops = positions.map((at) => this.at.get(at)).filter((i) => i !== undefined);
      if (!ops.length) return;
      let least = Infinity, most = -Infinity;
      for (const i of ops) { least = Math.min(least, from[i]); most = Math.max(most, this.data.status[i] === 'i' ? from[i] : to[i]); }
      const room = Math.max((most - least) * 0.3, this.byTime ? 2000 : 3);
      this.left = least - room;
      this.right = most + room;
    }

    step(by) {
      const n = this.data.process.length;
      for (let k = 1, i = this.chosen; k <= n; k++) {
        i = (i + by + n) % n;
        if (!this.matching || this.matching[i]) { this.show(i); return; }
      }
    }
  }

  // Durations over time, on a scale of tens, with quantiles a function.
  class Latencies {
    constructor(box, data) {
      const spans = [];
      for (let i = 0; i < data.process.length; i++) {
        if (data.invoked_ns[i] >= 0 && data.completed_ns[i] > data.invoked_ns[i]) spans.push([data.completed_ns[i], data.completed_ns[i] - data.invoked_ns[i], i]);
      }
      if (spans.length < 2) return;
      this.spans = spans;
      this.data = data;
      this.canvas = box.querySelector('canvas');
      box.hidden = false;
      this.table(box.querySelector('table'));
      this.resize();
    }

    table(table) {
      const groups = new Map();
      for (const [, took, i] of this.spans) {
        const name = this.data.functions[this.data.function[i]] + ' ' + { o: 'ok', f: 'fail', i: 'info' }[this.data.status[i]];
        if (!groups.has(name)) groups.set(name, []);
        groups.get(name).push(took);
      }
      const row = (cells, tag) => {
        const tr = document.createElement('tr');
        for (const text of cells) { const cell = document.createElement(tag); cell.textContent = text; tr.append(cell); }
        table.append(tr);
      };
      row(['', 'count', 'p50', 'p99', 'max'], 'th');
      for (const [name, all] of [...groups].sort((a, b) => b[1].length - a[1].length).slice(0, 30)) {
        all.sort((a, b) => a - b);
        const at = (q) => duration(all[Math.min(all.length - 1, Math.ceil(q * all.length) - 1)]);
        row([name, all.length, at(0.5), at(0.99), duration(all[all.length - 1])], 'td');
      }
    }

    resize() {
      const ratio = window.devicePixelRatio || 1, width = this.canvas.clientWidth, height = this.canvas.clientHeight;
      this.canvas.width = Math.round(width * ratio);
      this.canvas.height = Math.round(height * ratio);
      const c = this.canvas.getContext('2d');
      c.setTransform(ratio, 0, 0, ratio, 0, 0);
      let least = Infinity, most = 0, start = Infinity, end = 0;
      for (const [at, took] of this.spans) { least = Math.min(least, took); most = Math.max(most, took); start = Math.min(start, at); end = Math.max(end, at); }
      const low = Math.floor(Math.log10(least)), high = Math.max(low + 1, Math.ceil(Math.log10(most)));
      const x = (at) => 64 + (at - start) / (end - start || 1) * (width - 72), y = (took) => height - 18 - (Math.log10(took) - low) / (high - low) * (height - 30);
      c.font = '11px system-ui, sans-serif';
      for (let k = low; k <= high; k++) {
        c.fillStyle = color('--line');
        c.fillRect(64, y(10 ** k), width, 0.5);
        c.fillStyle = color('--soft');
        c.fillText(duration(10 ** k), 6, y(10 ** k) + 4);
      }
      c.fillText(duration(start), 64, height - 4);
      c.textAlign = 'right';
      c.fillText(duration(end), width - 6, height - 4);
      const fills = { o: color('--rt'), f: color('--none'), i: color('--maybe') };
      c.globalAlpha = this.spans.length > 5000 ? 0.4 : 0.8;
      for (const [at, took, i] of this.spans) {
        c.fillStyle = fills[this.data.status[i]];
        c.fillRect(x(at) - 1, y(took) - 1, 2, 2);
      }
    }

    draw() { if (this.spans) this.resize(); }
  }

  const open = (section) => {
    const number = section.dataset.number, source = byId('data-' + number);
    if (!source) return null;
    const data = JSON.parse(source.textContent);
    if (!data) return null;
    const line = new TimeLine(section.querySelector('.timeline'), data);
    charts.push(line, new Latencies(section.querySelector('.latencies'), data));
    for (const op of section.querySelectorAll('.operations [data-at]')) {
      const i = line.at.get(Number(op.dataset.at));
      if (i !== undefined) line.witness.add(i);
    }
    const finding = section.querySelector('.finding');
    if (finding) line.frame([...finding.querySelectorAll('.operations [data-at]')].map((op) => Number(op.dataset.at)));
    line.draw();
    // From a picture or a record to the time line, and to the record's text.
    section.addEventListener('click', (event) => {
      const from = event.target.closest('[data-at]');
      if (!from || event.target.closest('.timeline')) return;
      const at = Number(from.dataset.at), i = line.at.get(at), card = from.closest('.finding');
      if (i !== undefined) {
        line.frame([...card.querySelectorAll('.operations [data-at]')].map((op) => Number(op.dataset.at)));
        line.show(i);
      }
      for (const details of card ? card.querySelectorAll('.operations details') : []) {
        const mine = Number(details.dataset.at) === at || i !== undefined && line.at.get(Number(details.dataset.at)) === i;
        details.classList.toggle('chosen', mine);
        if (mine && !from.closest('details')) details.open = true;
      }
      if (from.matches('a')) event.preventDefault();
    });
    section.addEventListener('mouseover', (event) => {
      const from = event.target.closest('a[data-at], tr[data-at]');
      if (!from || from.title) return;
      const i = line.at.get(Number(from.dataset.at)), seen = line.seenAt.get(Number(from.dataset.at));
      if (i !== undefined) from.setAttribute('title', line.words(i));
      else if (seen !== undefined) from.setAttribute('title', data.seen[seen].who + ': ' + data.seen[seen].text);
    });
    return line;
  };

  const redraw = () => { for (const chart of charts) chart.draw(); };
  const sections = [...document.querySelectorAll('section.history')];
  if (sections.length === 1) {
    current = open(sections[0]);
  } else {
    // Of many histories, each is drawn when it comes into sight.
    const watch = new IntersectionObserver((seen) => {
      for (const one of seen) if (one.isIntersecting) { watch.unobserve(one.target); current = open(one.target) || current; }
    });
    for (const section of sections) watch.observe(section);
  }

  let delay = 0;
  window.addEventListener('resize', () => {
    clearTimeout(delay);
    delay = setTimeout(() => { for (const chart of charts) if (chart.resize && chart.canvas) chart.resize(); }, 80);
  });
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', redraw);

  const theme = byId('theme'), help = byId('help'), ask = byId('help-open');
  const turn = () => {
    const dark = root.dataset.theme ? root.dataset.theme === 'dark' : matchMedia('(prefers-color-scheme: dark)').matches;
    root.dataset.theme = dark ? 'light' : 'dark';
    redraw();
  };
  theme.hidden = ask.hidden = false;
  theme.addEventListener('click', turn);
  ask.addEventListener('click', () => help.showModal());
  let witness = -1;
  document.addEventListener('keydown', (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.target.matches('input, select') || help.open) return;
    const findings = [...document.querySelectorAll('.finding')];
    const keys = {
      t: turn,
      '?': () => help.showModal(),
      '0': () => current && current.all(),
      n: () => current && current.step(1),
      p: () => current && current.step(-1),
      '/': () => current && current.find.focus(),
      w: () => {
        if (!findings.length) return;
        witness = (witness + 1) % findings.length;
        findings[witness].scrollIntoView({ block: 'start' });
        const first = findings[witness].querySelector('a[data-at], tr[data-at]');
        if (first) first.focus({ preventScroll: true });
      },
    };
    const act = keys[event.key];
    if (act) { event.preventDefault(); act(); }
  });
  window.addEventListener('beforeprint', redraw);
  root.dataset.ready = String(Math.round(performance.now()));
})();
