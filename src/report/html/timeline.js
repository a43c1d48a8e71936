// A history's operations in time on a canvas, a lane for each process: zoom, search, filters, and what one is about.

const LANE = 18, GUTTER = 84, VIEW = 400;

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
    this.chosenSeen = -1;
    this.byTime = data.timed;
    // Above the lanes: the scale, the names of faults where there are some, and the marks of observers.
    this.head = data.bands.length || data.gaps.length ? 34 : 22;
    this.prepare();
    this.controls();
    this.pointer();
    box.hidden = false;
    this.resize();
    this.all();
  }

  // Each lane's operations in order, and each operation's beginning and end on both axes. `until` is where its bar ends:
  // at the next one of its lane at the latest, so that the ends of a lane's bars grow as their beginnings do.
  prepare() {
    const d = this.data, n = d.process.length;
    this.lanes = d.lanes.map(() => []);
    for (let i = 0; i < n; i++) this.lanes[d.lane[i]].push(i);
    this.axes = {};
    for (const axis of ['order', 'time']) {
      const from = new Float64Array(n), to = new Float64Array(n);
      const [a, b, end] = axis === 'order' ? [d.invoked, d.completed, d.end] : [d.invoked_ns, d.completed_ns, d.end_ns];
      for (let i = 0; i < n; i++) {
        from[i] = a[i] >= 0 ? a[i] : b[i];
        to[i] = b[i] >= 0 ? b[i] : end;
      }
      const until = Float64Array.from(to);
      for (const lane of this.lanes) {
        for (let k = 0; k + 1 < lane.length; k++) until[lane[k]] = Math.min(to[lane[k]], from[lane[k + 1]]);
      }
      this.axes[axis] = { from, to, until, end: Math.max(1, end) };
    }
    this.shown = this.lanes.map(() => []);
    this.found = null;
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
    this.found = this.matching && this.lanes.map((lane) => lane.filter((i) => this.matching[i]));
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
      if (active.delete(event.pointerId) && event.type === 'pointerup' && moved < 5) this.pick(event.offsetX, event.offsetY);
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
    const width = Math.max(200, this.view.clientWidth), rows = this.lanes.length * LANE + this.head;
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

  // The first of a lane's operations, from the k-th on, whose bar ends at this value or later.
  first(lane, value, k = 0) {
    const { until } = this.axis;
    // In steps that double, then by halves: nearly always it is near.
    let low = k, step = 1;
    while (low + step < lane.length && until[lane[low + step]] < value) { low += step; step *= 2; }
    let high = Math.min(lane.length, low + step);
    while (low < high) {
      const middle = (low + high) >> 1;
      if (until[lane[middle]] < value) low = middle + 1; else high = middle;
    }
    return low;
  }

  // Some operations of a lane, in order. What would fall on a pixel that is painted already is not looked at, and narrow
  // neighbours that touch are one box: zoomed out, a lane costs as much as it is wide, however many operations it has.
  strip(ops, y, paint, alpha) {
    const c = this.context, d = this.data, { from, until } = this.axis, tones = colors();
    const scale = (this.width - GUTTER) / (this.right - this.left), shift = GUTTER - this.left * scale;
    let tone = '', begin = 0, end = -1;
    const flush = () => {
      if (end < 0) return;
      c.fillStyle = paint || tones[tone];
      c.fillRect(begin, y + 3, end - begin, LANE - 7);
      end = -1;
    };
    c.globalAlpha = alpha;
    for (let k = this.first(ops, this.left), drawn = -1; k < ops.length; k++) {
      if (drawn >= 0) k = this.first(ops, (drawn + 1 - shift) / scale, k);
      if (k >= ops.length || from[ops[k]] > this.right) break;
      const i = ops[k], status = STATUS[d.status[i]];
      const a = Math.max(from[i] * scale + shift, GUTTER - 4), b = Math.min(until[i] * scale + shift, this.width + 4);
      drawn = Math.max(a, b);
      const width = Math.max(1.5, b - a - 0.5);
      if (width < 4) {
        if (end >= 0 && (status !== tone || a > end + 1)) flush();
        if (end < 0) { tone = status; begin = a; }
        end = a + width;
        continue;
      }
      flush();
      c.fillStyle = paint || tones[status];
      c.fillRect(a, y + 3, width, LANE - 7);
      if (status === 'fail') { c.fillStyle = tones.paper; c.fillRect(a + 1, y + 4, width - 2, LANE - 9); }
      if (width > 34) this.write(d.text[i], a + 4, y + LANE / 2, width - 6, status === 'fail' ? tones.ink : tones.paper);
    }
    flush();
    c.globalAlpha = 1;
  }

  // As much of a text as there is room for.
  write(text, x, y, room, tone) {
    const c = this.context;
    c.fillStyle = tone;
    if (text.length * 9 < room) { c.fillText(text, x, y); return; }
    c.save();
    c.beginPath();
    c.rect(x - 4, y - LANE / 2, room + 4, LANE);
    c.clip();
    c.fillText(text.slice(0, Math.ceil(room / 3)), x, y);
    c.restore();
  }

  paint() {
    const began = performance.now();
    const c = this.context, d = this.data, { from, until } = this.axis, top = this.view.scrollTop, tones = colors();
    c.fillStyle = tones.paper;
    c.fillRect(0, 0, this.width, this.height);
    c.save();
    c.beginPath();
    c.rect(GUTTER, 0, this.width - GUTTER, this.height);
    c.clip();
    c.font = '11px system-ui, sans-serif';
    c.textBaseline = 'middle';
    for (const gap of d.gaps) this.stretch(gap, tones.soft, 0.09, (GUTTER + this.width) / 2);
    for (const band of d.bands) this.stretch(band, tones.bad, 0.13, GUTTER);
    const firstLane = Math.max(0, Math.floor(top / LANE)), lastLane = Math.min(this.lanes.length, Math.ceil((top + this.height - this.head) / LANE) + 1);
    for (let lane = firstLane; lane < lastLane; lane++) {
      const y = this.head + lane * LANE - top;
      c.fillStyle = tones.line;
      c.fillRect(GUTTER, y + LANE - 1, this.width, 0.5);
      this.strip(this.lanes[lane], y, null, this.found ? 0.15 : 1);
      if (this.found) this.strip(this.found[lane], y, null, 1);
      const marked = this.found ? this.shown[lane].filter((i) => this.matching[i]) : this.shown[lane];
      if (marked.length) this.strip(marked, y, tones.bad, 1);
      if (this.chosen >= 0 && d.lane[this.chosen] === lane) {
        const a = Math.max(this.x(from[this.chosen]), GUTTER - 4), b = Math.min(this.x(until[this.chosen]), this.width + 4);
        c.strokeStyle = tones.accent;
        c.lineWidth = 2;
        if (b > GUTTER && a < this.width) c.strokeRect(a - 1, y + 2, Math.max(1.5, b - a - 0.5) + 2, LANE - 5);
      }
    }
    let mark = -9;
    for (let j = 0; j < d.seen.length; j++) {
      const x = this.seenX(j), chosen = j === this.chosenSeen;
      if (x < GUTTER || x > this.width || x - mark < 3 && !chosen) continue;
      mark = x;
      c.fillStyle = chosen ? tones.accent : tones.so;
      c.fillRect(x - 1, this.head - (chosen ? 9 : 6), chosen ? 3 : 2, chosen ? 9 : 6);
    }
    c.restore();
    c.fillStyle = tones.paper;
    c.fillRect(0, 0, GUTTER, this.height);
    c.fillRect(0, 0, this.width, 13);
    c.fillStyle = tones.soft;
    for (let lane = firstLane; lane < lastLane; lane++) {
      const y = this.head + lane * LANE - top + LANE / 2;
      if (y > this.head) c.fillText(this.label(d.lanes[lane]), 6, y);
    }
    c.fillRect(GUTTER - 1, this.head - 1, 1, this.height);
    const span = this.right - this.left, rough = span / Math.max(2, (this.width - GUTTER) / 110);
    const scale = 10 ** Math.floor(Math.log10(rough)), tick = [1, 2, 5, 10].map((k) => k * scale).find((k) => k >= rough);
    for (let value = Math.ceil(this.left / tick) * tick; value < this.right; value += tick) {
      const x = this.x(value);
      if (x < GUTTER) continue;
      if (x + 50 < this.width) c.fillText(this.byTime ? moment(value, tick) : String(Math.round(value)), x + 3, 7);
      c.fillRect(x, 1, 0.5, 12);
    }
    // What a frame costs: a test reads it.
    this.cost = performance.now() - began;
  }

  // A stretch of time with a name: a fault, or what is not drawn.
  stretch(band, tone, alpha, at) {
    const c = this.context, x = (value) => Math.min(this.width + 9, Math.max(GUTTER - 9, this.x(value)));
    const a = x(this.byTime ? band.from_ns : band.from), b = x(this.byTime ? band.to_ns : band.to);
    if (b < GUTTER || a > this.width) return;
    c.globalAlpha = alpha;
    c.fillStyle = tone;
    c.fillRect(a, 0, Math.max(2, b - a), this.height);
    c.globalAlpha = 1;
    if (at === GUTTER || b - a > 60) c.fillText(band.name, Math.max(GUTTER + 2, a + 2), 20);
  }

  seenX(j) { return this.x(this.byTime ? this.data.seen[j].ns : this.data.seen[j].at); }

  label(text) { return text.length > 12 ? text.slice(0, 11) + '…' : text; }

  hit(x, y) {
    const lane = this.lanes[Math.floor((y - this.head + this.view.scrollTop) / LANE)], { from, until } = this.axis;
    if (!lane || x < GUTTER || y < this.head) return -1;
    let best = -1, distance = 6;
    for (let k = this.first(lane, this.value(x - 6)); k < lane.length && from[lane[k]] <= this.value(x + 6); k++) {
      const i = lane[k], off = Math.max(this.x(from[i]) - x, x - this.x(until[i]), 0);
      if (off < distance || (off === 0 && this.witness.has(i))) { best = i; distance = off; }
    }
    return best;
  }

  // Which of the observers' records, whose marks stand above the lanes.
  hitSeen(x, y) {
    if (y >= this.head || x < GUTTER) return -1;
    let best = -1, distance = 6;
    for (let j = 0; j < this.data.seen.length; j++) {
      const off = Math.abs(this.seenX(j) - x);
      if (off < distance) { best = j; distance = off; }
    }
    return best;
  }

  hover(event) {
    const i = this.hit(event.offsetX, event.offsetY), j = this.hitSeen(event.offsetX, event.offsetY);
    this.canvas.style.cursor = i >= 0 || j >= 0 ? 'pointer' : 'grab';
    this.canvas.title = i >= 0 ? this.words(i) : j >= 0 ? this.seenWords(j) : '';
  }

  pick(x, y) {
    const j = this.hitSeen(x, y);
    if (j >= 0) this.chooseSeen(j); else this.choose(this.hit(x, y));
  }

  seenWords(j) {
    const seen = this.data.seen[j];
    return seen.who + ' recorded, record ' + seen.at + (seen.ns >= 0 ? ', at ' + duration(seen.ns) : '') + ': ' + seen.text;
  }

  chooseSeen(j) {
    this.choose(-1);
    this.chosenSeen = j;
    this.detail.textContent = this.seenWords(j);
    const value = this.byTime ? this.data.seen[j].ns : this.data.seen[j].at;
    if (value < this.left || value > this.right) this.pan(this.seenX(j) - (GUTTER + this.width) / 2);
  }

  words(i) {
    const d = this.data, records = [d.invoked[i], d.completed[i]].filter((at) => at >= 0);
    const status = STATUS[d.status[i]];
    let words = 'process ' + d.processes[d.process[i]] + (d.node[i] >= 0 ? ' on ' + d.nodes[d.node[i]] : '') + ', ' + status + ', ';
    words += records.length === 2 ? 'records ' + records.join(' and ') : 'record ' + records[0];
    if (d.invoked_ns[i] >= 0) words += ', at ' + duration(d.invoked_ns[i]);
    if (d.invoked_ns[i] >= 0 && d.completed_ns[i] >= 0) words += ', took ' + duration(d.completed_ns[i] - d.invoked_ns[i]);
    return words + ': ' + d.text[i];
  }

  choose(i) {
    current = this;
    this.chosen = i;
    this.chosenSeen = -1;
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
    if (y < this.view.scrollTop || y > this.view.scrollTop + this.height - this.head - LANE) this.view.scrollTop = y - this.height / 2;
    this.choose(i);
  }

  // So near that the operations of a witness, and what observers saw of it, fill the view.
  frame(positions) {
    const { from, to } = this.axis;
    let least = Infinity, most = -Infinity;
    const take = (a, b) => { least = Math.min(least, a); most = Math.max(most, b); };
    for (const at of positions) {
      const i = this.at.get(at), j = this.seenAt.get(at);
      if (i !== undefined) take(from[i], this.data.status[i] === 'i' ? from[i] : to[i]);
      else if (j !== undefined) { const seen = this.data.seen[j], x = this.byTime ? seen.ns : seen.at; take(x, x); }
    }
    if (least > most) return;
    const room = Math.max((most - least) * 0.3, this.byTime ? 2000 : 3);
    this.left = least - room;
    this.right = most + room;
  }

  // Marks the operations of witnesses.
  mark(positions) {
    for (const at of positions) {
      const i = this.at.get(at);
      if (i !== undefined) this.witness.add(i);
    }
    for (const i of [...this.witness].sort((a, b) => a - b)) this.shown[this.data.lane[i]].push(i);
  }

  step(by) {
    const n = this.data.process.length;
    for (let k = 1, i = this.chosen; k <= n; k++) {
      i = (i + by + n) % n;
      if (!this.matching || this.matching[i]) { this.show(i); return; }
    }
  }
}
