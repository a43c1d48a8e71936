'use strict';
// What the page's scripts share. They draw each history's time line and latencies from the columns that stand in the page;
// texts go through textContent or fillText alone: nothing of a history is ever markup.

const root = document.documentElement;
const byId = (id) => document.getElementById(id);
// The colours of the style, read once until it changes: asking for them is slower than drawing.
let palette = null;
const colors = () => {
  if (palette) return palette;
  const style = getComputedStyle(root), of = (name) => style.getPropertyValue('--' + name).trim();
  palette = { ok: of('rt'), fail: of('none'), info: of('maybe') };
  for (const name of ['ink', 'soft', 'line', 'paper', 'accent', 'bad', 'so']) palette[name] = of(name);
  return palette;
};
const STATUS = { o: 'ok', f: 'fail', i: 'info' };

const duration = (ns) => {
  for (const [unit, size] of [['s', 1e9], ['ms', 1e6], ['µs', 1e3]]) {
    if (Math.abs(ns) >= size) return Number((ns / size).toPrecision(3)) + ' ' + unit;
  }
  return ns ? Math.round(ns) + ' ns' : '0 s';
};

// A moment on a scale: as many digits as tell it from its neighbours.
const moment = (ns, step) => {
  const [unit, size] = [['s', 1e9], ['ms', 1e6], ['µs', 1e3], ['ns', 1]].find(([, size]) => Math.abs(ns) >= size) || ['ns', 1];
  return ns ? (ns / size).toFixed(Math.min(9, Math.max(0, Math.ceil(-Math.log10(step / size) - 1e-9)))) + ' ' + unit : '0 s';
};
