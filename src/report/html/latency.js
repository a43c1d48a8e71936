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
      const name = this.data.functions[this.data.function[i]] + ' ' + STATUS[this.data.status[i]];
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
    const tones = colors();
    c.font = '11px system-ui, sans-serif';
    for (const band of this.data.bands) {
      if (band.from_ns < 0 || band.to_ns < start || band.from_ns > end) continue;
      const a = Math.max(64, x(band.from_ns)), b = Math.min(width, x(band.to_ns));
      c.globalAlpha = 0.13;
      c.fillStyle = tones.bad;
      c.fillRect(a, 0, Math.max(2, b - a), height - 18);
      c.globalAlpha = 1;
      c.fillText(band.name, a + 2, height - 22);
    }
    for (let k = low; k <= high; k++) {
      c.fillStyle = tones.line;
      c.fillRect(64, y(10 ** k), width, 0.5);
      c.fillStyle = tones.soft;
      c.fillText(duration(10 ** k), 6, y(10 ** k) + 4);
    }
    c.fillText(duration(start), 64, height - 4);
    c.textAlign = 'right';
    c.fillText(duration(end), width - 6, height - 4);
    c.globalAlpha = this.spans.length > 5000 ? 0.4 : 0.8;
    for (const [at, took, i] of this.spans) {
      c.fillStyle = tones[STATUS[this.data.status[i]]];
      c.fillRect(x(at) - 1, y(took) - 1, 2, 2);
    }
  }

  paint() { this.resize(); }
  draw() { if (this.spans) this.resize(); }
}
