'use strict';
// One scenario: what was expected, what was seen, since when, whose fault, how to run it again.
DATA.events = jsonLines('events'); DATA.journal = jsonLines('journal');
if (DATA.events.bad && !DATA.head.unread) DATA.head.unread = `${DATA.head.result.timeline}:${DATA.events.bad}`;
const R = DATA.head.result, ITEM = DATA.head.item, RUN = DATA.head.run;
const KINDS = [['prompt', c => c.what === 'prompt' && c.phase !== 'recover'], ['code', c => (c.what === 'code' || c.what === 'host') && c.phase !== 'recover'], ['recovery', c => c.phase === 'recover'], ['budget', c => c.budget], ['ledger', c => !(c.phase === 'recover' && c.what === 'reversal') && ['ledger', 'charges', 'receipts', 'totals', 'unanswered', 'approval', 'settlement', 'reversal', 'order', 'receipt', 'customer', 'trace'].includes(c.what)], ['bench', c => ['injector', 'issuer', 'fault', 'rule', 'run', 'teardown', 'step'].includes(c.what)]];
const checks = R.checks || [];
const worst = list => { const d = decides(); return list.includes(d) ? d : [...list].sort((a, b) => rank(a.verdict) - rank(b.verdict))[0] };
function decides() {
  const bad = checks.filter(c => c.verdict === R.verdict);
  return bad.find(c => (R.why || '').startsWith(`${c.phase}: expected ${c.expected}; observed ${c.observed}`)) || bad[0];
}
const pairOf = (key, value) => value ? h('span', {}, t(key), ' ', h('b', {}, value)) : null;
function verdictCard() {
  const d = decides(), bad = rank(R.verdict) < 3, zh = lang === 'zh';
  return h(`section.card.verdict.${RANK.includes(R.verdict) ? R.verdict : 'inconclusive'}`, {}, h('div.big', {}, MARK[R.verdict] || '?', ' ', t(R.verdict)), h('h1', {}, zh && R.title_zh || R.title_en),
    bad ? h('dl.answers', {}, [['whose', R.cause ? [h('b', {}, t(R.cause)), d ? h('span.soft', {}, ` · ${kind(d.phase)} / ${kind(d.what)}`) : null] : null], ['expected', d ? say(d.expected) : null], ['observed', h('b', {}, d ? say(d.observed) : say(R.why))], ['since', h('span.when', {}, sinceWords(DATA.head.past || []))], ['replay', command(DATA.head.replay[0])]].filter(x => x[1]).map(([k, v]) => [h('dt', {}, t(k)), h('dd', {}, v)])) : null,
    h('p.sub', {}, h('span', {}, h('code', {}, ITEM.name)), pairOf('firmware', R.firmware || '?'), pairOf('rig', R.rig), pairOf('profile', R.profile), pairOf('language', R.lang), (DATA.head.attempts || []).length > 1 ? pairOf('attempt', `${R.attempt || 1}/${DATA.head.attempts.length}`) : null, pairOf('article', R.article), pairOf('started', date(R.rig === 'virtual' ? RUN.started : R.started)), pairOf('duration', span(R.terminal_seconds * 1e6))));
}
function compare() {
  return h('section.card', { id: 'compare' }, h('h2', {}, t('compare')), h('div.scroll', {}, h('table.compare', {}, h('colgroup', {}, h('col', {}), h('col.half', {}), h('col.half', {}), h('col', {})), h('thead', {}, h('tr', {}, h('th', {}, ''), h('th', {}, t('expected')), h('th', {}, t('observed')), h('th', {}, t('verdict')))), h('tbody', {}, KINDS.map(([name, is]) => {
    const list = checks.filter(is); let c = worst(list);
    if (name === 'budget') c = worst(list.filter(x => rank(x.verdict) < 3)) || [...list].sort((a, b) => (b.measured_us || 0) / b.limit_us - (a.measured_us || 0) / a.limit_us)[0];
    if (name === 'bench' && (!c || c.verdict === 'pass')) return null;
    if (!c) return h('tr.none', {}, h('td', {}, t(name)), h('td', { colspan: '3' }, '–'));
    const wrong = rank(c.verdict) < 3, more = list.length - 1;
    const observed = name === 'budget' ? `${span(c.measured_us || 0)}${c.uncertainty_us ? ' ± ' + span(c.uncertainty_us) : ''}` : say(c.observed);
    return h(`tr.${c.verdict}${wrong ? '.wrong' : ''}`, { 'data-kind': name }, h('td', {}, t(name)), h('td', {}, name === 'budget' ? `${c.budget} ≤ ${span(c.limit_us)}` : say(c.expected), more > 0 ? h('span.more', { title: lang === 'zh' ? `另有 ${more} 项，见“全部检查”` : `${more} more: see every check, below` }, ` +${more}`) : null), h('td', {}, h('span.seen', {}, observed), c.why ? h('span.more', {}, ` (${say(c.why)})`) : null, c.at_us ? h('span.more', {}, ' ', h('a', { href: '#timeline', onclick(e) { e.preventDefault(); T.goTime(c.at_us); T.root.scrollIntoView({ block: 'start' }); T.view.focus({ preventScroll: true }) } }, seconds(c.at_us))) : null), h('td', {}, badge(c.verdict)));
  })))));
}
// sinceWords says since when the verdict is what it is. What could not be decided tells nothing about a terminal.
function sinceWords(past) {
  if (!past.length) return t('no.past');
  const zh = lang === 'zh', good = v => v === 'pass' || v === 'marginal', decided = past.filter(e => good(e.verdict) || e.verdict === 'fail');
  const at = e => zh ? `${date(e.started)}（固件 ${e.firmware || '?'}，${e.rig}）` : `${date(e.started)} (firmware ${e.firmware || '?'}, ${e.rig})`;
  const n = decided.findIndex(e => good(e.verdict) !== good(R.verdict)), passed = decided.find(e => good(e.verdict));
  if (good(R.verdict)) { const k = n < 0 ? decided.length : n; return [zh ? `此前已连续通过 ${k} 次` : `Passed ${k} ${k === 1 ? 'time' : 'times'} in a row before`, n < 0 ? '' : (zh ? `；最近一次失败：${at(decided[n])}` : `; last failed ${at(decided[n])}`), zh ? '。' : '.']; }
  if (R.verdict !== 'fail') return passed ? [zh ? '最后通过：' : 'Last good: ', h('b', {}, at(passed)), zh ? '。' : '.'] : t('no.pass');
  if (n === 0) return [h('b', {}, zh ? '自本次运行起。' : 'Since this run.'), zh ? ` 上次通过：${at(decided[0])}。` : ` It passed in the one before: ${at(decided[0])}.`];
  if (n < 0) return decided.length ? (zh ? `此前已知的 ${decided.length} 次运行全部失败，最早 ${at(decided[decided.length - 1])}。` : `It fails in all ${decided.length} earlier runs that are known, the first ${at(decided[decided.length - 1])}.`) : t('no.pass');
  return [zh ? '自 ' : 'Since ', h('b', {}, at(decided[n - 1])), zh ? ` 起，连续 ${n + 1} 次失败。最后通过：` : `, ${n + 1} times in a row. Last good: `, h('b', {}, at(decided[n])), zh ? '。' : '.'];
}
function since() {
  const past = DATA.head.past || [], cells = [...past].reverse().concat([{ verdict: R.verdict, firmware: R.firmware, started: RUN.started, rig: R.rig, now: true }]);
  let fw = null;
  return h('section.card', { id: 'since' }, h('h2', {}, t('since')), past.length ? h('div.since', {}, cells.map(c => { const mark = fw !== null && c.firmware !== fw ? h('span.fw', { title: c.firmware }) : null; fw = c.firmware; return [mark, h(`i.${c.verdict}${c.now ? '.now' : ''}`, { title: `${t(c.verdict)} · ${date(c.started)} · ${c.firmware || '?'} · ${c.rig}` })] })) : null, h('p', {}, sinceWords(past)));
}
function difference() {
  const d = DATA.head.diff;
  if (rank(R.verdict) > 2) return null;
  const body = !d ? h('p.soft', {}, t((DATA.head.past || []).length ? 'no.pass' : 'no.past')) : [
    h('p.soft', { style: 'margin-bottom:8px' }, `${date(d.started)} · ${t('firmware')} ${d.firmware || '?'} · ${d.rig}`),
    d.first ? h('dl.eo.fail', {}, d.first.after ? [h('dt', {}, t('after')), h('dd', {}, `${t(d.first.lane)}: ${d.first.after}`)] : null, h('dt', {}, t('before')), h('dd', {}, `${t(d.first.lane)}: ${d.first.then}`), h('dt', {}, t('now')), h('dd.seen', {}, `${t(d.first.lane)}: ${d.first.now} `, h('a', { href: '#timeline', onclick(e) { e.preventDefault(); T.goTime(d.first.at_us); T.root.scrollIntoView() } }, seconds(d.first.at_us)))) : h('p', {}, t('no.diff')),
    (d.fields || []).length ? h('table', { style: 'margin-top:10px' }, h('thead', {}, h('tr', {}, ['message', 'field', 'before', 'now'].map(k => h('th', {}, t(k))))), h('tbody', {}, d.fields.map(f => h('tr', {}, h('td', {}, `${f.message} · ${f.mti}`), h('td', {}, f.field, ' ', h('span.soft', {}, nameOf((((window.HOSTS || {})[DATA.head.host] || {}).fields || {})[f.field] || ''))), h('td', {}, h('code', {}, f.then || '–')), h('td', {}, h('code', {}, f.now || '–')))))) : null,
    (d.times || []).length ? h('table', { style: 'margin-top:10px' }, h('thead', {}, h('tr', {}, ['budget', 'before', 'now', 'shift'].map(k => h('th', {}, t(k))))), h('tbody', {}, d.times.map(x => h('tr', {}, h('td', {}, x.budget), h('td', {}, span(x.then_us)), h('td', {}, span(x.now_us)), h('td', {}, (x.now_us > x.then_us ? '+' : '') + span(x.now_us - x.then_us), x.uncertainty_us ? ' ± ' + span(x.uncertainty_us) : ''))))) : null];
  return h('section.card', { id: 'diff' }, h('h2', {}, t('diff')), body);
}
function budgets() {
  const all = checks.filter(c => c.budget && c.limit_us);
  return h('section.card', { id: 'budgets' }, h('h2', {}, t('budgets')), all.length ? all.map(c => budgetBar(`${c.budget} · ${kind(c.phase)}`, c.measured_us || 0, c.limit_us, c.uncertainty_us, c.verdict, c.floor_us)) : h('p.soft', {}, t('nomeasure')));
}
// command breaks where a flag begins.
const command = cmd => h('code', {}, cmd.split(/ (?=--)/).map((part, i) => [i ? ' ' : '', h('span.flag', {}, part)]));
function replay() {
  return h('section.card', { id: 'replay' }, h('h2', {}, t('replay')), DATA.head.replay.map(cmd => h('div.cmd', {}, command(cmd), h('button', { type: 'button', onclick(e) { const b = e.target; (navigator.clipboard ? navigator.clipboard.writeText(cmd) : Promise.reject()).then(() => { b.textContent = t('copied') }, () => { getSelection().selectAllChildren(b.previousSibling) }) } }, t('copy')))));
}
function evidence() {
  const list = R.evidence || [];
  return h('section.card', { id: 'evidence' }, h('h2', {}, t('evidence')), h('table', {}, h('tbody', {}, R.timeline ? h('tr', {}, h('td', {}, h('a', { href: '../' + R.timeline }, R.timeline)), h('td.num', {}, ''), h('td', {}, '')) : null, list.map(e => h('tr', {}, h('td', {}, h('a', e.kind === 'pcap' ? { href: DATA.head.blobs[e.sha256], download: `${ITEM.name}.pcapng` } : { href: DATA.head.blobs[e.sha256], type: 'text/plain' }, e.name)), h('td.num.nowrap', {}, `${e.bytes} B`), h('td', {}, h('code.faint', { title: e.sha256 }, e.sha256.slice(0, 16) + '…')))))));
}
function guidePage() {
  const g = DATA.head.guide;
  return h('section.card', { id: 'guide' }, h('h2', {}, t('guide')), g ? h('p.prose', { lang: lang === 'zh' ? 'zh-CN' : 'en' }, lang === 'zh' ? g.zh || g.en : g.en || g.zh) : h('p.soft', {}, t('noguide')));
}
function allChecks() {
  const sorted = [...checks].sort((a, b) => rank(a.verdict) - rank(b.verdict));
  return h('section.card', {}, h('details', {}, h('summary', {}, `${t('checks')} (${checks.length})`), h('div.scroll', {}, h('table.compare', {}, h('tbody', {}, sorted.map(c => h(`tr.${c.verdict}${rank(c.verdict) < 3 ? '.wrong' : ''}`, {}, h('td', {}, `${kind(c.phase)} · ${kind(c.what)}`), h('td', {}, say(c.expected)), h('td', {}, h('span.seen', {}, say(c.observed)), c.why ? h('span.more', {}, ` (${say(c.why)})`) : null), h('td', {}, badge(c.verdict)))))))));
}
function attempts() {
  const list = DATA.head.attempts || [];
  return list.length > 1 ? h('p', {}, t('attempts'), ': ', list.map(a => [h('a', { href: a.page, style: 'margin-right:10px' }, badge(a.verdict), ` ${a.attempt}`)])) : null;
}
const T = new Timeline(DATA.events, DATA.journal, DATA.head.host);
{ const d = decides(); const us = d && d.at_us; T.at = T.hits.length ? T.hits[T.hits.length - 1] : 0; let best = T.hits[0]; const stop = T.events.find(e => e.kind === 'stop'); const fired = T.events.find(e => e.kind === 'fired'); const want = us || (stop && stop.us); if (!want && fired && rank(R.verdict) < 3) T.at = T.events.indexOf(fired); else if (want) { for (const i of T.hits) if (T.events[i].us <= want) best = i; T.at = best } else if (rank(R.verdict) > 2) { const k = [...T.hits].reverse().find(i => T.events[i].kind === 'screen' && /approved/.test(T.events[i].fields.prompts || '')); if (k !== undefined) T.at = k } }
draw = () => {
  document.title = `${MARK[R.verdict] || '?'} ${ITEM.name} · assay`;
  document.getElementById('app').replaceChildren(h('header.bar', {}, h('div', {}, h('a.brand', { href: '../index.html' }, 'assay'), h('nav', {}, h('a', { href: '../index.html#run' }, t('back')), h('a', { href: '../index.html#latency' }, t('latency')), h('a', { href: '../index.html#guide/' + ITEM.scenario }, t('guide'))), h('span.where', {}, `${RUN.name} · ${ITEM.name}`), tools())),
    h('main', {}, h('div.stack', {}, verdictCard(), attempts(), (RUN.planted || []).length ? h('div.notice', {}, t('planted'), lang === 'zh' ? '：' : ': ', h('b', {}, RUN.planted.join(', '))) : null, DATA.head.unread ? h('div.notice.bad', {}, t('unread'), ': ', DATA.head.unread) : null, compare(), h('div.cols', {}, since(), replay(), difference() ? h('div.wide', {}, difference()) : null), T.render(), h('div.cols', {}, budgets(), guidePage(), h('div.wide', {}, evidence())), allChecks())));
  T.paint();
};
addEventListener('keydown', e => { if (/INPUT|SELECT|BUTTON/.test(document.activeElement.tagName) || e.metaKey || e.ctrlKey || e.altKey) return; if ((e.key === 'ArrowRight' || e.key === 'ArrowLeft') && document.activeElement !== T.view) { e.preventDefault(); T.step(e.key === 'ArrowRight' ? 1 : -1) } });
draw();
document.documentElement.dataset.ready = Math.round(performance.now());
