'use strict';
// Measured times against their budgets, with the scenarios in which a fault had fired shaded.
// clock places every scenario on the time of the run as the terminal had it: one after the other.
const clock = (() => { let at = 0; return DATA.rows.map(row => { const from = at; at += get(row, F.terminal) || 0; return [from, at] }) })();
const runLength = Math.max(clock.length ? clock[clock.length - 1][1] : 0, 1e-3);
// shades are the times with a fault at work, as pairs of seconds; what overlaps on the drawing is one.
function shades(least) {
  const out = [];
  for (const [row, from, to] of DATA.windows) {
    const [begin, end] = clock[row], a = begin + from / 1e6, b = Math.max(to < 0 ? end : begin + to / 1e6, a + least), last = out[out.length - 1];
    if (last && a <= last[1]) last[1] = Math.max(last[1], b); else out.push([a, b]);
  }
  return out;
}
function plot(b) {
  const W = 1100, H = 170, L = 62, R = 12, T = 10, B = 22;
  const near = nearly(b.limit, b.floor), top = Math.max(b.limit * 1.12, ...b.points.map(p => p[1] + p[2])) || 1;
  const x = v => L + (W - L - R) * v / runLength, y = v => T + (H - T - B) * (1 - v / top), xOf = p => x(clock[p[0]][0] + p[4] / 1e6);
  const g = s('svg', { class: 'plot', viewBox: `0 0 ${W} ${H}`, role: 'img', 'aria-label': `${b.budget} ${b.profile}` });
  for (const [from, to] of shades(runLength / (W - L - R))) g.append(s('rect', { class: 'fault', x: x(from), y: T, width: Math.max(x(to) - x(from), 1), height: H - T - B, fill: 'var(--fault-wash)' }));
  for (const v of [0, b.limit / 2, b.limit]) g.append(s('line', { x1: L, x2: W - R, y1: y(v), y2: y(v), stroke: v === b.limit ? 'var(--fail)' : 'var(--line)', 'stroke-width': v === b.limit ? 1.5 : 1, 'stroke-dasharray': v === b.limit ? '6 4' : null }), s('text', { x: L - 8, y: y(v) + 4, 'text-anchor': 'end' }, v ? span(v) : '0'));
  g.append(s('rect', { x: L, y: y(b.limit), width: W - L - R, height: y(near) - y(b.limit), fill: 'var(--marginal)', opacity: .1 }));
  for (const p of b.points) {
    const [i, us, doubt, under] = p, row = DATA.rows[i], v = us > b.limit ? 'fail' : us > near ? 'marginal' : 'lane', page = get(row, F.page), kinds = get(row, F.faults);
    const mark = s('g', {}, doubt > 0 ? s('line', { x1: xOf(p), x2: xOf(p), y1: y(us + doubt), y2: y(Math.max(us - doubt, 0)), stroke: `var(--${v})`, opacity: .45 }) : null, s('circle', { cx: xOf(p), cy: y(us), r: b.points.length > 400 ? 1.8 : 3, fill: `var(--${v})`, 'fill-opacity': under ? 1 : .75 }), s('title', {}, `${get(row, F.name)}: ${span(us)} ± ${span(doubt)}${under && kinds ? ' · ' + kinds : ''}`));
    g.append(page ? s('a', { href: page }, mark) : mark);
  }
  g.append(s('text', { x: L, y: H - 6 }, '0'), s('text', { x: W - R, y: H - 6, 'text-anchor': 'end' }, span(runLength * 1e6)));
  return g;
}
function statRow(name, st, limit) {
  return h('tr', {}, h('td', {}, name), h('td.num', {}, String(st.n)), q(st.q, 0), q(st.q, 1), q(st.q, 2), h('td.num', {}, st.n ? span(st.max) : '–'), h('td.num', {}, st.n ? span(limit - st.max) : '–'));
}
function latencyView() {
  return h('div.stack', {}, h('section.hero', {}, h('h1', {}, t('latency')), h('p.sub', {}, t('latency.sub'))), DATA.budgets.length ? [...DATA.budgets].sort((a, b) => b.all.n - a.all.n).map(b => h('section.card', { 'data-budget': b.budget }, h('h2', {}, b.budget, ' ', h('span.soft', { style: 'font-weight:400' }, `${on(b.profile, b.rig)} · ${t('limit')} ${span(b.limit)}`)), plot(b), b.left ? h('p.keys', {}, `${b.left} ${t('left')}`) : null, h('div.scroll', {}, h('table.stats', {}, h('thead', {}, h('tr', {}, h('th', {}, ''), h('th.num', {}, t('count')), ['p50', 'p95', 'p99', t('max'), lang === 'zh' ? '余量' : 'margin'].map(k => h('th.num', {}, k)))), h('tbody', {}, statRow(t('all'), b.all, b.limit), statRow(t('calm'), b.calm, b.limit), statRow(t('faulty'), b.faulty, b.limit)))))) : h('section.card', {}, t('nomeasure')), h('p.keys', {}, t('few'), lang === 'zh' ? '。' : '.'));
}
