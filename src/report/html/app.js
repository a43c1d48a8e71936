// The page: its charts, the way from a picture to the records, keys, light and dark, and paper.

const charts = [];
// The time line that keys are for: the one that was looked at last.
let current = null;

const draw = (section) => {
  const number = section.dataset.number, source = byId('data-' + number);
  if (!source) return null;
  const data = JSON.parse(source.textContent);
  if (!data) return null;
  const line = new TimeLine(section.querySelector('.timeline'), data);
  charts.push(line, new Latencies(section.querySelector('.latencies'), data));
  const positions = (card) => [...card.querySelectorAll('.operations [data-at]')].map((op) => Number(op.dataset.at));
  line.mark(positions(section));
  const finding = section.querySelector('.finding');
  if (finding) line.frame(positions(finding));
  line.draw();
  // From a picture or a record to the time line, and to the record's text.
  section.addEventListener('click', (event) => {
    const from = event.target.closest('[data-at]');
    if (!from || event.target.closest('.timeline')) return;
    const at = Number(from.dataset.at), i = line.at.get(at), j = line.seenAt.get(at), card = from.closest('.finding');
    line.frame(positions(card));
    if (i !== undefined) line.show(i); else if (j !== undefined) line.chooseSeen(j);
    const link = from.matches('a') ? from : from.querySelector('a');
    for (const details of card.querySelectorAll('.operations details')) {
      const mine = link ? link.getAttribute('href') === '#' + details.id : details === from;
      details.classList.toggle('chosen', mine);
      if (mine && link) details.open = true;
    }
    if (event.target.closest('a')) event.preventDefault();
  });
  section.addEventListener('mouseover', (event) => {
    const from = event.target.closest('a[data-at], tr[data-at]');
    if (!from || from.hasAttribute('title')) return;
    const i = line.at.get(Number(from.dataset.at)), j = line.seenAt.get(Number(from.dataset.at));
    if (i !== undefined) from.setAttribute('title', line.words(i));
    else if (j !== undefined) from.setAttribute('title', line.seenWords(j));
  });
  return line;
};

const redraw = () => { palette = null; for (const chart of charts) chart.draw(); };
const sections = [...document.querySelectorAll('section.history')];
if (sections.length === 1) {
  current = draw(sections[0]);
} else {
  // Of many histories, each is drawn when it comes into sight.
  const watch = new IntersectionObserver((seen) => {
    for (const one of seen) if (one.isIntersecting) { watch.unobserve(one.target); current = draw(one.target) || current; }
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
// To the next witness: its first operation has the focus, from which the Tab key leads on.
const visit = (findings, by) => {
  if (!findings.length) return;
  witness = witness < 0 && by < 0 ? findings.length - 1 : (witness + by + findings.length) % findings.length;
  findings[witness].scrollIntoView({ block: 'start' });
  const first = findings[witness].querySelector('.picture a[href], .operations summary');
  if (first) first.focus({ preventScroll: true });
};
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
    w: () => visit(findings, 1),
    W: () => visit(findings, -1),
  };
  const act = keys[event.key];
  if (act) { event.preventDefault(); act(); }
});
// Paper is light, can't be clicked, and shows the records of each witness.
let before = null;
window.addEventListener('beforeprint', () => {
  if (before) return;
  const closed = [...document.querySelectorAll('.operations details:not([open]), .rules:not([open])')];
  before = { theme: root.dataset.theme, closed };
  for (const details of closed) details.open = true;
  root.dataset.theme = 'light';
  palette = null;
  for (const chart of charts) if (chart.canvas) chart.paint();
});
window.addEventListener('afterprint', () => {
  if (!before) return;
  for (const details of before.closed) details.open = false;
  if (before.theme) root.dataset.theme = before.theme; else delete root.dataset.theme;
  before = null;
  redraw();
});
root.dataset.ready = String(Math.round(performance.now()));
