'use strict';
document.documentElement.dataset.begun = Math.round(performance.now());
// What every page of a report shares: words in two languages, colours, and how things are written.
const store = { // file:// may refuse storage: then a choice lasts as long as the page
  get(key) { try { return localStorage.getItem('assay.' + key) } catch { return null } },
  set(key, value) { try { localStorage.setItem('assay.' + key, value) } catch { /* no storage */ } },
};
const asked = new URLSearchParams(location.search);
let lang = asked.get('lang') || store.get('lang') || ((navigator.language || '').startsWith('zh') ? 'zh' : 'en');
let theme = asked.get('theme') || store.get('theme') || 'auto';

const kind = key => (CHECKS[key] || [key, key])[lang === 'zh' ? 1 : 0];
const t = key => (WORDS[key] || [key, key])[lang === 'zh' ? 1 : 0];

const MARK = { pass: '✓', marginal: '≈', fail: '✗', inconclusive: '?', skipped: '–', 'not-run': '·' };
const RANK = ['fail', 'inconclusive', 'marginal', 'pass', 'skipped', 'not-run'];
const rank = v => { const i = RANK.indexOf(v); return i < 0 ? 1 : i };

// h makes an element. Text is always text: nothing of a record is ever taken for markup.
function h(name, attrs, ...children) {
  const [tag, ...classes] = name.split('.');
  const e = document.createElement(tag || 'div');
  if (classes.length) e.className = classes.join(' ');
  for (const [k, v] of Object.entries(attrs || {})) {
    if (v === undefined || v === null || v === false) continue;
    if (k.startsWith('on')) e.addEventListener(k.slice(2), v);
    else if (k === 'style') e.style.cssText = v;
    else e.setAttribute(k, v === true ? '' : v);
  }
  e.append(...children.flat(3).filter(c => c !== null && c !== undefined && c !== false));
  return e;
}
function s(name, attrs, ...children) {
  const e = document.createElementNS('http://www.w3.org/2000/svg', name);
  for (const [k, v] of Object.entries(attrs || {})) if (v !== undefined && v !== null) e.setAttribute(k, v);
  e.append(...children.flat(2).filter(c => c !== null && c !== undefined && c !== false));
  return e;
}
const badge = v => h(`span.badge.${RANK.includes(v) ? v : 'inconclusive'}`, {}, MARK[v] || '?', ' ', t(v));
const seconds = us => (us / 1e6).toFixed(3) + ' s';
function span(us) {
  const a = Math.abs(us);
  if (a < 1000) return Math.round(us) + ' µs';
  if (a < 1e6) return (us / 1e3).toFixed(a < 1e4 ? 1 : 0) + ' ms';
  if (a < 12e7) return (us / 1e6).toFixed(a < 1e7 ? 2 : 1) + ' s';
  const s = Math.round(us / 1e6), m = Math.round(s / 60), and = (n, unit) => n ? ` ${n} ${unit}` : '';
  return s < 7200 ? `${Math.floor(s / 60)} min${and(s % 60, 's')}` : `${Math.floor(m / 60)} h${and(m % 60, 'min')}`;
}
const date = iso => iso ? iso.slice(0, 16).replace('T', ' ') + ' UTC' : '';

function dress() {
  document.documentElement.lang = lang === 'zh' ? 'zh-CN' : 'en';
  const dark = theme === 'dark' || theme === 'auto' && matchMedia('(prefers-color-scheme: dark)').matches;
  document.documentElement.dataset.theme = dark ? 'dark' : 'light';
}
function tools() {
  return h('div.tools', {},
    h('button', { type: 'button', id: 'lang', onclick() { lang = lang === 'zh' ? 'en' : 'zh'; store.set('lang', lang); dress(); draw() } }, lang === 'zh' ? 'English' : '中文'),
    h('button', { type: 'button', id: 'theme', onclick() { theme = { auto: 'light', light: 'dark', dark: 'auto' }[theme] || 'auto'; store.set('theme', theme); dress(); draw() } }, t('theme') + (lang === 'zh' ? '：' : ': ') + t(theme)));
}
matchMedia('(prefers-color-scheme: dark)').addEventListener('change', dress);
// Paper is light, and nothing can be unfolded on it.
addEventListener('beforeprint', () => { document.documentElement.dataset.theme = 'light'; for (const d of document.querySelectorAll('details')) d.open = true });
addEventListener('afterprint', dress);

// nearly is where the last tenth of a budget's allowance begins: of what is allowed above the terminal's own timer.
const nearly = (limit, floor) => (floor || 0) + .9 * (limit - (floor || 0));
// budgetBar shows a measured time within its budget: used, the last tenth of the allowance, the limit, and the uncertainty.
function budgetBar(name, us, limit, doubt, verdict, floor) {
  const scale = Math.max(limit * 1.08, us + (doubt || 0)) || 1, pc = v => (100 * v / scale).toFixed(2) + '%';
  return h(`div.budget.${verdict || 'pass'}`, {}, h('span', {}, name),
    h('div.track', { role: 'img', 'aria-label': `${span(us)} ${t('of')} ${span(limit)}` },
      h('i.near', { style: `left:${pc(nearly(limit, floor))};width:${pc(limit - nearly(limit, floor))}` }), h('i.used', { style: `width:${pc(us)}` }),
      doubt ? h('i.doubt', { style: `left:${pc(Math.max(us - doubt, 0))};width:max(2px,${pc(Math.min(2 * doubt, us + doubt))})` }) : null, h('i.limit', { style: `left:${pc(limit)}` })),
    h('span.figure', {}, h('b', {}, span(us)), doubt ? ' ± ' + span(doubt) : '', ` ${t('of')} ${span(limit)}`));
}
const DATA = JSON.parse(document.getElementById('data').textContent);
// jsonLines reads a record of a line each. A cut last line counts for nothing; bad is the number of the first other that can't be read.
function jsonLines(id) {
  const out = [], lines = document.getElementById(id).textContent.split('\n');
  lines.forEach((line, i) => { if (!line.trim()) return; try { out.push(JSON.parse(line)) } catch { if (i < lines.length - 1 && !out.bad) out.bad = i + 1 } });
  return out;
}
let draw = () => {};
dress();
