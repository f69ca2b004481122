'use strict';
// The run's page: what happened in ten seconds of looking, then everything.
const F = { name: 0, en: 1, zh: 2, profile: 3, lang: 4, verdict: 5, cause: 6, family: 7, article: 8, labels: 9, terminal: 10, wall: 11, why: 12, page: 13, attempts: 14, faults: 15, rig: 16, scenario: 17 };
const NUMBERS = new Set([F.terminal, F.wall, F.attempts]);
const get = (row, f) => NUMBERS.has(f) ? row[f] : DATA.strings[row[f]];
const title = row => lang === 'zh' && get(row, F.zh) || get(row, F.en);
const S = DATA.summary;
// on says where something was, with the rig where the run had several.
const RIGS = new Set(DATA.rows.map(row => get(row, F.rig)));
const on = (profile, rig) => RIGS.size > 1 ? `${profile} · ${rig}` : profile;
const filter = { text: '', verdict: '', family: '', cause: '', label: '', profile: '', rig: '' };
let list;

const COUNTS = [['planned', S.planned, ''], ['passed', S.passed, 'pass'], ['marginal', S.marginal, 'marginal'], ['failed', S.failed, 'fail'], ['inconclusive', S.inconclusive, 'inconclusive'], ['skipped', S.skipped, 'skipped'], ['not-run', S.not_run, 'not-run']];

function tone() {
  if (S.failed) return 'fail';
  if ((S.leaks || []).length || S.not_run || S.inconclusive) return 'inconclusive';
  if (S.planned === S.skipped) return 'skipped';
  return S.marginal ? 'marginal' : 'pass';
}
function words() {
  const zh = lang === 'zh', n = (k, one, many) => `${k} ${k === 1 ? one : many}`;
  if (S.failed) return zh ? `终端有 ${S.failed} 个用例失败。` : `The terminal failed ${n(S.failed, 'scenario', 'scenarios')}.`;
  if ((S.leaks || []).length) return t('leaks');
  if (S.not_run) return zh ? `运行提前结束：${S.not_run} 个用例未运行${S.inconclusive ? `，${S.inconclusive} 个无法判定` : ''}。` : `The run ended early: ${n(S.not_run, 'scenario', 'scenarios')} not run${S.inconclusive ? `, ${S.inconclusive} undecided` : ''}.`;
  if (S.inconclusive) return zh ? `${S.inconclusive} 个用例无法判定：问题在测试台，不在终端。` : `${n(S.inconclusive, 'scenario', 'scenarios')} could not be decided: the bench, not the terminal.`;
  if (S.planned === S.skipped) return zh ? '没有运行任何用例。' : 'Nothing was run.';
  if (S.marginal) return zh ? `终端通过，其中 ${S.marginal} 个用例勉强。` : `The terminal passed, ${n(S.marginal, 'scenario', 'scenarios')} only just.`;
  return zh ? '终端通过。' : 'The terminal passed.';
}
function ended() {
  if (S.complete) return null;
  const done = S.planned - S.not_run;
  return lang === 'zh' ? `进程在 ${done} / ${S.planned} 之后中断${DATA.during ? `，当时正在运行 ${DATA.during}` : ''}。` : DATA.ended;
}
const pair = (key, value) => value ? h('span', {}, t(key), ' ', h('b', {}, value)) : null;

function hero() {
  return h(`section.hero.${tone()}`, {}, h('h1', {}, words()), h('p.sub', {}, pair('rig', (S.rig || '').replaceAll(',', ', ')), pair('profile', (S.profile || '').replaceAll(',', ', ')), pair('firmware', (S.firmware || []).join(', ')), pair('started', date(S.started)), pair('duration', span(S.wall_seconds * 1e6)), S.version ? h('span', {}, h('b', {}, S.version)) : null, S.seed ? pair('seed', String(S.seed)) : null));
}
function notices() {
  const planted = [...(S.defects || []), ...(S.bench_faults || [])], out = [];
  if ((S.leaks || []).length) out.push(h('div.notice.bad', { role: 'alert' }, h('b', {}, t('leaks')), h('ul', {}, S.leaks.map(l => h('li', {}, h('code', {}, l.file + (l.line ? ':' + l.line : '')), ' ', l.what)))));
  if (ended()) out.push(h('div.notice', { id: 'ended' }, ended()));
  if (planted.length) out.push(h('div.notice', {}, t('planted'), lang === 'zh' ? '：' : ': ', h('b', {}, planted.join(', '))));
  for (const [id, p] of Object.entries(DATA.environment.profiles || {})) if (p.scale > 1) out.push(h('div.notice', {}, id, ': ', t('scaled'), ' ', h('b', {}, String(p.scale))));
  return out;
}
function counts() {
  return h('section.card.counts', { 'aria-label': t('verdict') },
    h('div.strip', { 'aria-hidden': 'true' }, COUNTS.slice(1).filter(c => c[1]).map(c => h(`i.${c[2]}`, { style: `flex:${c[1]}` }))),
    h('ul', {}, COUNTS.map(([name, n, v]) => h('li', {}, h(`button${v ? '.' + v : ''}${n ? '' : '.zero'}`, { type: 'button', 'data-verdict': v, 'aria-pressed': String(filter.verdict === v && v !== ''), onclick() { filter.verdict = filter.verdict === v ? '' : v; draw(); document.getElementById('all').scrollIntoView({ block: 'nearest' }) } }, h('b', {}, String(n)), h('span', {}, t(name)))))));
}
const link = i => { const row = DATA.rows[i], page = get(row, F.page); return page ? h('a', { href: page, title: title(row) }, get(row, F.name)) : h('span', {}, get(row, F.name)) };
const some = (rows, n = 12) => [...rows.slice(0, n).map(link), rows.length > n ? h('button.more', { type: 'button', onclick(e) { e.target.replaceWith(...rows.slice(n, n + MORE).map(link)) } }, `+${rows.length - n}`) : null];
const MORE = 500; // links that one press adds

// news says which failures of a group the last run did not have.
function news(g) {
  if (g.new) return h('span.tag.new', {}, lang === 'zh' ? `新出现 ${g.new} 个，上次均通过` : `${g.new === g.rows.length ? 'new' : g.new + ' new'}: passed last time`);
  return g.since ? h('span.tag', {}, lang === 'zh' ? `自 ${date(g.since)} 起` : `since ${date(g.since)}`) : null;
}
function groups() {
  if (!DATA.groups.length) return null;
  return h('section.card.wide', { id: 'failures' }, h('h2', {}, t('failures')), h('ul.groups', {}, DATA.groups.map(g => h(`li.${g.verdict}`, {},
    h('header', {}, badge(g.verdict), h('b', {}, g.rows.length + ' ×'), g.what ? h('span', {}, kind(g.what)) : null, g.phase ? h('span.soft', {}, kind(g.phase)) : null, g.cause ? h('span.tag', {}, t('cause'), lang === 'zh' ? '：' : ': ', t(g.cause)) : null, news(g)),
    h('dl.eo', {}, g.expected ? [h('dt', {}, t('expected')), h('dd', {}, say(g.expected))] : null, h('dt', {}, t('observed')), h('dd.seen', {}, say(g.observed))), h('div.links', {}, some(g.rows))))));
}
function marginal() {
  const all = [];
  for (const b of DATA.budgets) for (const p of b.points) if (get(DATA.rows[p[0]], F.verdict) === 'marginal' && (p[1] > nearly(b.limit, b.floor) || b.limit - p[1] < p[2])) all.push([p, b]);
  if (!all.length) return null;
  return h('section.card.wide', {}, h('h2', {}, t('marginals')), all.slice(0, 30).map(([p, b]) => { const bar = budgetBar('', p[1], b.limit, p[2], 'marginal', b.floor); bar.firstChild.append(link(p[0]), h('span.soft', {}, ' ' + b.budget)); return bar }));
}
function skips() {
  const by = new Map();
  DATA.rows.forEach((row, i) => { const v = get(row, F.verdict); if (v === 'skipped' || v === 'not-run') { const why = get(row, F.why) || t(v); by.has(why) ? by.get(why).push(i) : by.set(why, [i]) } });
  if (!by.size) return null;
  return h('section.card.wide', {}, h('h2', {}, t('skips')), h('table', {}, h('tbody', {}, [...by].sort((a, b) => b[1].length - a[1].length).slice(0, 40).map(([why, rows]) => h('tr', {}, h('td.num', { style: 'width:52px' }, String(rows.length)), h('td', {}, say(why), h('div.links', { style: 'margin-top:2px' }, some(rows, 6))))))));
}
function rigHealth() {
  const by = new Map();
  for (const row of DATA.rows) {
    const v = get(row, F.verdict); if (v === 'skipped' || v === 'not-run') continue;
    const r = by.get(get(row, F.rig)) || { n: 0, spoiled: 0, causes: {} }; r.n++;
    if (v === 'inconclusive') { const c = get(row, F.cause) || 'harness'; r.causes[c] = (r.causes[c] || 0) + 1; if (c === 'rig') r.spoiled++ }
    by.set(get(row, F.rig), r);
  }
  return h('section.card', {}, h('h2', {}, t('rigs')), by.size ? h('table', {}, h('thead', {}, h('tr', {}, h('th', {}, t('rig')), h('th.num', {}, t('count')), h('th', {}, t('inconclusive')))), h('tbody', {}, [...by].map(([name, r]) => h('tr', {}, h('td', {}, name), h('td.num', {}, String(r.n)), h(`td${r.spoiled ? '.inconclusive' : ''}`, {}, Object.keys(r.causes).length ? Object.entries(r.causes).map(([c, n]) => h('span.tag', { style: 'margin-right:6px' }, `${t(c)} ${n}`)) : h('span.badge.pass', {}, '✓ ', t('nothing'))))))) : h('p.soft', {}, t('nothing')));
}
function slowest() {
  const all = DATA.rows.map((row, i) => [i, get(row, F.terminal)]).filter(x => x[1] > 0).sort((a, b) => b[1] - a[1]).slice(0, 6);
  return h('section.card', {}, h('h2', {}, t('slowest')), all.length ? h('table', {}, h('tbody', {}, all.map(([i, n]) => h('tr', {}, h('td', {}, link(i)), h('td.num', {}, span(n * 1e6)))))) : h('p.soft', {}, t('nothing')));
}
function flaky() {
  return h('section.card', { id: 'flaky' }, h('h2', {}, t('flaky')), h('p.soft', { style: 'margin-bottom:8px' }, t('rule') + (lang === 'zh' ? '：同一固件、用例未变，最近 10 次中既有通过又有失败' : ': ' + DATA.flake_rule) + (lang === 'zh' ? '。' : '.')),
    DATA.flaky.length ? h('table', {}, h('thead', {}, h('tr', {}, h('th', {}, ''), h('th.num', {}, t('passes')), h('th.num', {}, t('fails')), h('th', {}, t('firmware')))), h('tbody', {}, DATA.flaky.slice(0, 50).map(f => h('tr', {}, h('td', {}, link(f.row)), h('td.num', {}, String(f.passed)), h('td.num', {}, String(f.failed)), h('td', {}, f.firmware || '–'))))) : h('p', {}, t('nothing')));
}
const q = (list, i) => h('td.num', {}, list[i] === undefined ? '–' : span(list[i]));
function prompts() {
  if (!DATA.prompts.length) return null;
  return h('section.card.wide', {}, h('h2', {}, t('prompts')), h('div.scroll', {}, h('table', {}, h('thead', {}, h('tr', {}, ['prompt', 'code', 'profile', 'budget'].map(k => h('th', {}, t(k))), ['count', 'wrong'].map(k => h('th.num', {}, t(k))), ['p50', 'p95', 'p99', t('max'), t('limit')].map(k => h('th.num', {}, k)))),
    h('tbody', {}, DATA.prompts.map(p => h('tr', {}, h('td', {}, p.prompt), h('td', {}, p.code || '–'), h('td', {}, on(p.profile, p.rig)), h('td', {}, p.budget || '–'), h('td.num', {}, String(p.n)), h(`td.num${p.wrong ? '.fail.c' : ''}`, {}, p.wrong ? h('b', {}, String(p.wrong)) : '0'), q(p.q, 0), q(p.q, 1), q(p.q, 2), p.budget ? h('td.num', {}, span(p.max)) : h('td.num', {}, '–'), p.limit ? h('td.num', {}, span(p.limit)) : h('td.num', {}, '–')))))), h('p.keys', {}, t('few'), lang === 'zh' ? '。' : '.'));
}
function matches(row) {
  if (filter.verdict && get(row, F.verdict) !== filter.verdict) return false;
  if (filter.family && get(row, F.family) !== filter.family || filter.cause && get(row, F.cause) !== filter.cause || filter.profile && get(row, F.profile) !== filter.profile || filter.rig && get(row, F.rig) !== filter.rig) return false;
  if (filter.label && !get(row, F.labels).split(' ').includes(filter.label)) return false;
  if (!filter.text) return true;
  const text = filter.text.toLowerCase();
  return [F.name, F.en, F.zh, F.why, F.article].some(f => get(row, f).toLowerCase().includes(text));
}
function apply() {
  const rows = DATA.rows.map((row, i) => i).filter(i => matches(DATA.rows[i]));
  rows.sort((a, b) => rank(get(DATA.rows[a], F.verdict)) - rank(get(DATA.rows[b], F.verdict)) || a - b);
  list.set(rows);
  document.getElementById('shown').textContent = `${rows.length} ${t('of')} ${DATA.rows.length}`;
}
function choices(key, f, split) {
  const all = new Set();
  for (const row of DATA.rows) for (const v of split ? get(row, f).split(' ') : [get(row, f)]) if (v) all.add(v);
  if (all.size < 2 && !filter[key]) return null; // nothing to choose
  return h('select', { 'aria-label': t(key), 'data-filter': key, onchange(e) { filter[key] = e.target.value; apply() } }, h('option', { value: '' }, `${t(key)}: ${t('all')}`), [...all].sort().map(v => h('option', { value: v, selected: filter[key] === v }, key === 'cause' ? t(v) : v)));
}
function table() {
  list = new VirtualList(38, i => {
    const row = DATA.rows[i], page = get(row, F.page);
    return h(page ? 'a.row' : 'div.row', { href: page || null, role: 'listitem', 'data-name': get(row, F.name) }, h('span', {}, badge(get(row, F.verdict))), h('b', { title: get(row, F.name) }, get(row, F.name)), h('span.soft', { title: get(row, F.why) ? say(get(row, F.why)) : title(row) }, title(row)), h('span.soft', { title: on(get(row, F.profile), get(row, F.rig)) }, on(get(row, F.profile), get(row, F.rig))), h('span.soft.num', {}, get(row, F.terminal) ? span(get(row, F.terminal) * 1e6) : '–'));
  });
  list.box.setAttribute('aria-label', t('scenarios'));
  if (RIGS.size > 1) list.box.style.setProperty('--where', '180px');
  const section = h('section.card.wide', { id: 'all' }, h('h2', {}, t('scenarios')), h('div.filters', {}, h('input', { type: 'search', id: 'search', placeholder: t('search'), 'aria-label': t('search'), value: filter.text, oninput(e) { filter.text = e.target.value; apply() }, onkeydown(e) { if (e.key === 'ArrowDown') { e.preventDefault(); list.box.focus(); list.go(0) } } }), choices('family', F.family), choices('cause', F.cause), choices('label', F.labels, true), choices('profile', F.profile), choices('rig', F.rig), h('output', { id: 'shown' })), list.box, h('p.keys', {}, h('kbd', {}, '/'), ' ', h('kbd', {}, '↑'), ' ', h('kbd', {}, '↓'), ' ', h('kbd', {}, 'Enter'), ' ', t('keys.list')));
  return section;
}
function runEvidence() {
  if (!(DATA.evidence || []).length) return null;
  return h('section.card.wide', {}, h('details', {}, h('summary', {}, `${t('evidence')} (${DATA.evidence.length})`), h('table', {}, h('tbody', {}, DATA.evidence.map(e => h('tr', {}, h('td', {}, h('a', { href: e.path }, e.path.replace(/^evidence./, ''))), h('td', {}, e.kind), h('td.num.nowrap', {}, `${e.bytes} B`), h('td', {}, h('code.faint', { title: e.sha256 }, e.sha256.slice(0, 16) + '…'))))))));
}
function guide() {
  const ids = Object.keys(DATA.guide).sort(), other = lang === 'zh' ? 'en' : 'zh';
  return h('div.stack', {}, h('section.hero', {}, h('h1', {}, t('guide')), h('p.sub', {}, t('guide.sub'))), h('div.twocol', {}, h('nav', { 'aria-label': t('guide') }, ids.map(id => h('a', { href: '#guide/' + id, title: DATA.guide[id].title[lang] || '' }, id))), h('section.card.guide', {}, ids.length ? ids.map(id => { const g = DATA.guide[id]; return h('article', { id: 'guide-' + id }, h('h3', {}, g.title[lang] || g.title[other]), h('p.faint', { style: 'margin-bottom:8px' }, h('code', {}, id)), h('p.prose', { lang: lang === 'zh' ? 'zh-CN' : 'en' }, g.why[lang] || g.why[other])) }) : h('p', {}, t('nothing')))));
}
const VIEWS = { run: () => h('div.stack', {}, hero(), notices(), counts(), h('div.cols', {}, groups(), marginal(), h('div.stack', {}, rigHealth(), flaky()), slowest(), table(), skips(), prompts(), runEvidence())), latency: () => latencyView(), guide };
const view = () => { const [name] = location.hash.slice(1).split('/'); return VIEWS[name] ? name : 'run' };
draw = () => {
  const name = view(), at = document.activeElement && document.activeElement.id;
  document.title = `${words()} · assay`;
  document.getElementById('app').replaceChildren(h('header.bar', {}, h('div', {}, h('a.brand', { href: '#run' }, 'assay'), h('nav', {}, Object.keys(VIEWS).map(v => h('a', { href: '#' + v, 'aria-current': v === name ? 'page' : null }, t(v)))), h('span.where', {}, DATA.name), tools())), h('main', {}, VIEWS[name]()));
  if (name === 'run') apply();
  if (at && document.getElementById(at)) document.getElementById(at).focus();
  const [, part] = location.hash.slice(1).split('/');
  if (part) { const e = document.getElementById('guide-' + decodeURIComponent(part)); if (e) e.scrollIntoView(); }
};
addEventListener('hashchange', () => { scrollTo(0, 0); draw() });
addEventListener('keydown', e => { if (e.key === '/' && !/INPUT|SELECT/.test(document.activeElement.tagName) && document.getElementById('search')) { e.preventDefault(); document.getElementById('search').focus() } });
addEventListener('DOMContentLoaded', () => { draw(); document.documentElement.dataset.ready = Math.round(performance.now()) });
