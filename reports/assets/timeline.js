'use strict';
// One scenario's events in lanes, and the world as it was at a chosen instant.
const TAGS = { '4F': 'application identifier', 50: 'application label', 57: 'track 2 equivalent data', '5A': 'application PAN', '6F': 'FCI template', 70: 'record template', 71: 'issuer script 1', 72: 'issuer script 2', 77: 'response template 2', 80: 'response template 1', 82: 'application interchange profile', 83: 'command template', 84: 'DF name', 87: 'application priority indicator', 88: 'short file identifier', '8A': 'authorisation response code', '8C': 'CDOL1', '8D': 'CDOL2', '8E': 'CVM list', '8F': 'CA public key index', 90: 'issuer public key certificate', 91: 'issuer authentication data', 92: 'issuer public key remainder', 93: 'signed static data', 94: 'application file locator', 95: 'terminal verification results', '9A': 'transaction date', '9B': 'transaction status information', '9C': 'transaction type', A5: 'FCI proprietary template', BF0C: 'FCI issuer discretionary data', 61: 'application template', E1: 'template', '5F20': 'cardholder name', '5F24': 'application expiry', '5F25': 'application effective date', '5F28': 'issuer country', '5F2A': 'transaction currency', '5F2D': 'language preference', '5F30': 'service code', '5F34': 'PAN sequence number', '5F36': 'currency exponent', '9F02': 'amount, authorised', '9F03': 'amount, other', '9F06': 'terminal application identifier', '9F07': 'application usage control', '9F08': 'card application version', '9F09': 'terminal application version', '9F0D': 'issuer action code, default', '9F0E': 'issuer action code, denial', '9F0F': 'issuer action code, online', '9F10': 'issuer application data', '9F11': 'issuer code table', '9F12': 'preferred name', '9F15': 'merchant category', '9F1A': 'terminal country', '9F1B': 'floor limit', '9F1E': 'interface device serial', '9F1F': 'track 1 discretionary data', '9F20': 'track 2 discretionary data', '9F21': 'transaction time', '9F26': 'application cryptogram', '9F27': 'cryptogram information', '9F32': 'issuer public key exponent', '9F33': 'terminal capabilities', '9F34': 'CVM results', '9F35': 'terminal type', '9F36': 'application transaction counter', '9F37': 'unpredictable number', '9F38': 'PDOL', '9F40': 'additional terminal capabilities', '9F41': 'transaction sequence counter', '9F42': 'application currency', '9F44': 'currency exponent', '9F45': 'data authentication code', '9F46': 'ICC public key certificate', '9F47': 'ICC public key exponent', '9F48': 'ICC public key remainder', '9F49': 'DDOL', '9F4A': 'SDA tag list', '9F4B': 'signed dynamic data', '9F4C': 'ICC dynamic number', '9F4D': 'log entry', '9F4E': 'merchant name', '9F4F': 'log format', '9F66': 'terminal transaction qualifiers', '9F6B': 'track 2 data', '9F6C': 'card transaction qualifiers', DF31: 'issuer script results' };
const INS = { A4: 'SELECT', B2: 'READ RECORD', A8: 'GET PROCESSING OPTIONS', AE: 'GENERATE AC', 82: 'EXTERNAL AUTHENTICATE', 88: 'INTERNAL AUTHENTICATE', CA: 'GET DATA', 20: 'VERIFY', 84: 'GET CHALLENGE', 16: 'CARD BLOCK', 18: 'APPLICATION UNBLOCK', '1E': 'APPLICATION BLOCK', 24: 'PIN CHANGE/UNBLOCK', C0: 'GET RESPONSE' };
const SW = { 9000: 'ok', '6A82': 'file not found', '6A83': 'record not found', '6A81': 'function not supported', 6985: 'conditions of use not satisfied', 6983: 'method blocked', 6984: 'data invalidated', 6300: 'no information given', 6700: 'wrong length', 6283: 'selected file invalidated', '6A88': 'data not found', '6D00': 'instruction not supported', '6E00': 'class not supported' };
const MTI = { '0100': 'authorisation request', '0110': 'authorisation response', '0200': 'financial request', '0210': 'financial response', '0220': 'financial advice', '0230': 'advice response', '0320': 'file action advice', '0330': 'file action response', '0400': 'reversal request', '0410': 'reversal response', '0420': 'reversal advice', '0430': 'reversal advice response', '0500': 'settlement request', '0510': 'settlement response', '0800': 'network management request', '0810': 'network management response' };
const mtiName = mti => nameOf(MTI[mti] || (mti && mti[0] === '1' && MTI['0' + mti.slice(1)]) || '');
// breadth is about how many pixels a label takes: Chinese characters are wider.
const breadth = label => [...label].reduce((n, c) => n + (c > '\u2e80' ? 11 : 6.4), 0);
// VALUES are fields of events whose values are words; SAID those that are sentences.
const VALUES = ['direction', 'effect', 'fate', 'state'], SAID = ['cause', 'error', 'missing', 'step', 'uplink', 'what', 'why'];
const LANES = [['steps', 30], ['finger', 34], ['card', 34], ['screen', 44], ['receipt', 26], ['network', 52], ['host', 44], ['power', 22]];
const SHORT = { ENTER: '⏎', CANCEL: '✕', CLEAR: '⌫', FUNC: 'ƒ' };
const LANE_OF = { keypad: 'finger', card: 'card', display: 'screen', printer: 'receipt', network: 'network', issuer: 'host', power: 'power', harness: 'steps' };

class Timeline {
  constructor(events, journal, host) {
    this.events = events.filter(e => e && typeof e.us === 'number').map((e, i) => ({ ...e, fields: e.fields || {}, i })).sort((a, b) => a.us - b.us || a.i - b.i);
    this.journal = journal; this.host = host; this.zoom = 1; this.at = 0;
    this.hits = this.events.map((e, i) => i).filter(i => this.events[i].kind !== 'phase');
    this.scaleTime(); this.joinJournal();
  }
  // scaleTime gives every moment a place: a pause of a minute is not sixty times as wide as one of a second, but wider.
  scaleTime() {
    this.x0 = []; let x = 8, last = null;
    for (const e of this.events) { if (last !== null) { const gap = e.us - last; x += gap <= 0 ? 0 : 2 + 9 * Math.pow(gap / 1000, .3) } this.x0.push(x); last = e.us }
    this.natural = x;
  }
  x(i) { return this.x0[i] * this.scale }
  // joinJournal finds the decoded message behind each event that tells of one: the so-manieth with its direction, type and trace.
  joinJournal() {
    const by = new Map(), count = new Map();
    for (const e of this.journal) { const k = [e.in ? 1 : 0, e.mti, e.stan || ''].join(); by.set(k, [...(by.get(k) || []), e]) }
    for (const e of this.events) {
      let way = null;
      if (e.source === 'issuer' && e.kind === 'received') way = 1;
      else if (e.source === 'issuer' && (e.kind === 'sent' || e.kind === 'undelivered')) way = 0;
      else if (e.source === 'network' && (e.kind === 'message' || e.kind === 'delivered' || e.kind === 'fired') && e.fields.mti) way = e.fields.direction === 'terminal>host' ? 1 : 0;
      if (way === null) continue;
      const k = [way, e.fields.mti, e.fields.stan || ''].join(), c = e.source + e.kind + k, n = count.get(c) || 0;
      count.set(c, n + 1);
      const list = by.get(k) || [];
      e.message = list[Math.min(n, list.length - 1)];
    }
  }
  // windows are the faults: from firing to healing, and the power that was off.
  windows() {
    const open = new Map(), out = [], end = this.events.length - 1;
    this.events.forEach((e, i) => {
      const k = e.fields.fault || e.fields.rule;
      if (e.source === 'network' && e.kind === 'fired' && !open.has(k)) open.set(k, [i, e.fields.kind || k]);
      if (e.source === 'network' && e.kind === 'healed' && open.has(k)) { const [from, name] = open.get(k); open.delete(k); out.push({ from, to: i, name, lanes: 'network' }) }
    });
    for (const [from, name] of open.values()) out.push({ from, to: end, name });
    let off = -1;
    this.events.forEach((e, i) => { if (e.source === 'power' && e.kind === 'off') off = i; if (e.source === 'power' && e.kind === 'on' && off >= 0) { out.push({ from: off, to: i, off: true }); off = -1 } });
    return out;
  }
  phases() {
    const out = []; let open = null;
    this.events.forEach((e, i) => { if (e.kind !== 'phase') return; if (e.fields.edge === 'begin') open = { name: e.fields.name, from: i, to: this.events.length - 1 }; else if (open) { open.to = i; out.push(open); open = null } });
    if (open) out.push(open);
    return out;
  }
  render() {
    this.view = h('div.view', { tabindex: '0', role: 'application', 'aria-label': `${t('timeline')}: ← → ${t('step')}` });
    const names = h('div.names', { 'aria-hidden': 'true' }, h('div', { style: 'height:22px' }), LANES.map(([n, px]) => h('div', { style: `height:${px}px` }, t(n))), h('div', { style: 'height:22px' }));
    this.clock = h('output', { id: 'clock' });
    const button = (text, label, f) => h('button', { type: 'button', 'aria-label': label, title: label, onclick: f }, text);
    this.panel = h('div.instant', { 'aria-live': 'off' });
    this.root = h('section.card.tl', { id: 'timeline' }, h('div.head', {}, h('h2', {}, t('timeline'), ' ', h('span.soft', { style: 'font-weight:400' }, `${this.events.length} ${t('events')}`)), this.clock, button('←', t('step'), () => this.step(-1)), button('→', t('step'), () => this.step(1)), button('−', t('zoom'), () => this.setZoom(this.zoom / 1.5)), button('+', t('zoom'), () => this.setZoom(this.zoom * 1.5))), h('div.lanes', {}, names, this.view),
      h('p.keys', {}, h('kbd', {}, '←'), ' ', h('kbd', {}, '→'), ' ', t('step'), ' · ', h('kbd', {}, '+'), ' ', h('kbd', {}, '−'), ' ', t('zoom')), this.panel);
    this.view.addEventListener('keydown', e => this.key(e));
    this.view.addEventListener('pointermove', e => { if (e.pointerType === 'mouse' && !e.buttons) this.hover(e) });
    this.view.addEventListener('click', e => this.hover(e, true));
    new ResizeObserver(() => { if (this.width !== this.view.clientWidth) this.paint() }).observe(this.view);
    return this.root;
  }
  key(e) {
    const f = { ArrowRight: () => this.step(1), ArrowLeft: () => this.step(-1), Home: () => this.go(this.hits[0]), End: () => this.go(this.hits[this.hits.length - 1]), '+': () => this.setZoom(this.zoom * 1.5), '=': () => this.setZoom(this.zoom * 1.5), '-': () => this.setZoom(this.zoom / 1.5) }[e.key];
    if (f) { e.preventDefault(); f() }
  }
  setZoom(z) { this.zoom = Math.max(1, Math.min(24, z)); this.paint(); this.reveal() }
  step(by) { const k = this.hits.indexOf(this.at), next = this.hits[Math.max(0, Math.min(this.hits.length - 1, (k < 0 ? 0 : k) + by))]; if (next !== undefined) this.go(next) }
  hover(e) {
    const x = (e.clientX - this.view.getBoundingClientRect().left + this.view.scrollLeft) / this.scale;
    let best = -1; for (const i of this.hits) if (best < 0 || Math.abs(this.x0[i] - x) <= Math.abs(this.x0[best] - x)) best = i;
    if (best >= 0 && best !== this.at) this.go(best, true);
  }
  go(i, quiet) {
    this.at = i; if (i === undefined || !this.events[i]) return;
    this.cursor && this.cursor.setAttribute('transform', `translate(${this.x(i)} 0)`);
    this.clock.textContent = seconds(this.events[i].us);
    this.root.dataset.us = this.events[i].us; this.root.dataset.kind = this.events[i].source + ' ' + this.events[i].kind;
    this.drawInstant(); if (!quiet) this.reveal();
  }
  reveal() { const x = this.x(this.at), v = this.view; if (x < v.scrollLeft + 60 || x > v.scrollLeft + v.clientWidth - 60) v.scrollLeft = x - v.clientWidth / 2 }
  goTime(us) { let best = this.hits[0]; for (const i of this.hits) if (this.events[i].us <= us) best = i; this.go(best) }
  paint() {
    if (!this.events.length) { this.view.replaceChildren(h('p.soft', { style: 'padding:20px' }, t('nothing'))); return }
    this.width = this.view.clientWidth || 900;
    this.scale = Math.max(200, this.width - 64) / this.natural * this.zoom;
    const W = Math.max(this.width, this.natural * this.scale + 64), y = {}; let top = 22;
    for (const [n, px] of LANES) { y[n] = top; top += px }
    const H = top + 22, g = s('svg', { width: W, height: H });
    for (const w of this.windows()) { const x = this.x(w.from), width = Math.max(this.x(w.to) - x, 3); g.append(s('rect', { class: w.off ? 'off' : 'fault', x, y: 22, width, height: top - 22, fill: w.off ? 'var(--off)' : 'var(--fault-wash)', stroke: w.off ? 'none' : 'var(--fault)', 'stroke-width': .6, 'stroke-dasharray': '3 3' }, s('title', {}, w.off ? t('power') + ' ' + t('off') : w.name))); if (w.name) g.append(s('text', { x: x + 4, y: y.network + 12, style: 'fill:var(--fault);font-weight:600' }, w.name)) }
    for (const [n] of LANES) g.append(s('line', { x1: 0, x2: W, y1: y[n], y2: y[n], stroke: 'var(--line)' }));
    this.phases().forEach(p => { const name = kind(p.name), x = this.x(p.from), width = Math.max(this.x(p.to) - x, 2); g.append(s('rect', { x, y: 3, width, height: 16, rx: 3, fill: 'var(--band)' })); if (width > 26) g.append(s('text', { x: x + 5, y: 15, style: 'font-weight:600' }, width > name.length * (lang === 'zh' ? 12 : 7) + 8 ? name : name[0])) });
    this.ticks(g, W, top); this.drawLanes(g, y, W);
    this.cursor = s('g', { class: 'cursor' }, s('line', { y1: 0, y2: H, stroke: 'var(--focus)', 'stroke-width': 1.5 }), s('path', { d: 'M-5 0h10l-5 7z', fill: 'var(--focus)' }));
    g.append(this.cursor); this.view.replaceChildren(g); this.go(this.at, true);
  }
  ticks(g, W, top) {
    let last = -1e9;
    this.events.forEach((e, i) => { const x = this.x(i); if (x - last < 74 || x > W - 30) return; last = x; g.append(s('g', { class: 'tick' }, s('line', { x1: x, x2: x, y1: top, y2: top + 4, stroke: 'var(--rule)' }), s('text', { x, y: top + 15, 'text-anchor': i ? 'middle' : 'start' }, (e.us / 1e6).toFixed(2) + ' s'))) });
  }
  drawLanes(g, y, W) {
    const text = (x, yy, str, room, attrs) => { if (room > 9) { const n = Math.floor(room / 6.4); const wide = [...str].reduce((a, c) => a + (c > '\u2e80' ? 1.7 : 1), 0); const cut = wide > n ? [...str].slice(0, Math.max(1, Math.floor(n * str.length / wide) - 1)).join('') + '…' : str; if (cut.length > 1 || str.length === 1) g.append(s('text', { x, y: yy, ...attrs }, cut)) } };
    const next = (i, test) => { for (let j = i + 1; j < this.events.length; j++) if (test(this.events[j])) return j; return -1 };
    let inserted = -1, keyEnd = -99, hostEnd = -99, netEnd = [-99, -99], paperFrom = -1;
    this.events.forEach((e, i) => {
      const x = this.x(i), f = e.fields;
      switch (e.source + ' ' + e.kind) {
        case 'harness step': { const j = next(i, n => n.source === 'harness' && (n.kind === 'step' || n.kind === 'phase')); g.append(s('line', { x1: x, x2: x, y1: y.steps + 4, y2: y.steps + 26, stroke: 'var(--soft)' })); text(x + 4, y.steps + 19, say(f.step), (j < 0 ? W : this.x(j)) - x - 6, { style: 'fill:var(--soft)' }); break }
        case 'harness stop': g.append(s('path', { d: `M${x - 5} ${y.steps + 6}l10 10m0 -10l-10 10`, stroke: 'var(--fail)', 'stroke-width': 2.2 }, s('title', {}, say(f.why)))); break;
        case 'keypad press': { g.append(s('line', { x1: x, x2: x, y1: y.finger + 7, y2: y.finger + 27, stroke: 'var(--lane)', 'stroke-width': 1.6 })); const label = SHORT[f.key] || f.key || '', w = label.length * 6.8 + 5; if (x > keyEnd) { g.append(s('text', { x: x + 3, y: y.finger + 21 }, label, s('title', {}, f.key || ''))); keyEnd = x + w } break }
        case 'card insert': inserted = i; break;
        case 'card remove': if (inserted >= 0) { const from = this.x(inserted); g.append(s('rect', { x: from, y: y.card + 8, width: Math.max(x - from, 2), height: 18, rx: 4, fill: 'var(--lane)', opacity: .16 })); text(from + 6, y.card + 21, this.events[inserted].fields.card || '', Math.min(x - from - 8, 60)); inserted = -1 } break;
        case 'card swipe': g.append(s('rect', { x, y: y.card + 8, width: 8, height: 18, rx: 2, fill: 'var(--lane)' }, s('title', {}, f.card || ''))); break;
        case 'card exchange': g.append(s('circle', { cx: x, cy: y.card + 27, r: 2.3, fill: f.status === '9000' ? 'var(--lane)' : 'var(--fault)' })); break;
        case 'display screen': { const j = next(i, n => n.source === 'display' && n.kind === 'screen'), to = j < 0 ? W - 2 : this.x(j), lines = (f.text || '').split('\n').filter(Boolean), room = to - x; if (room < 1.2) break; g.append(s('rect', { x: x + .5, y: y.screen + 6, width: Math.max(room - 1, 1), height: 32, rx: 3, fill: f.text ? 'var(--lcd)' : 'var(--off)', stroke: f.prompts ? 'var(--rule)' : 'none', 'stroke-width': .7 })); text(x + 5, y.screen + 19, lines[0] || '', room - 9, { style: 'fill:var(--lcd-ink)' }); text(x + 5, y.screen + 33, lines[1] || '', room - 9, { style: 'fill:var(--lcd-ink);opacity:.7' }); break }
        case 'display noise': g.append(s('line', { x1: x, x2: x, y1: y.screen + 34, y2: y.screen + 42, stroke: 'var(--faint)' })); break;
        case 'printer line': if (paperFrom < 0) paperFrom = x; break;
        case 'printer cut': if (paperFrom >= 0) { g.append(s('rect', { x: paperFrom, y: y.receipt + 5, width: Math.max(x - paperFrom, 5), height: 16, fill: '#fffdf6', stroke: 'var(--rule)' })); paperFrom = -1 } break;
        case 'network message': { const up = f.direction === 'terminal>host', k = up ? 0 : 1, colour = f.fate === 'passed' ? 'var(--lane)' : 'var(--fault)', yy = y.network + (up ? 30 : 44); g.append(s('path', { d: up ? `M${x - 4} ${yy - 7}h7l4 3.5l-4 3.5h-7z` : `M${x + 7} ${yy - 7}h-7l-4 3.5l4 3.5h7z`, fill: colour }, s('title', {}, `${nameOf(f.direction)} ${f.mti} ${nameOf(f.fate)}`))); const label = f.mti + (f.fate !== 'passed' ? ' ' + nameOf(f.fate) : ''), j = next(i, n => n.source === 'network' && n.kind === 'message' && n.fields.direction === f.direction); if (x > netEnd[k] && (j < 0 || this.x(j) - x > breadth(label) + 14)) { g.append(s('text', { x: x + 10, y: yy, style: f.fate === 'passed' ? null : 'fill:var(--fault);font-weight:600' }, label)); netEnd[k] = x + 14 + breadth(label) } break }
        case 'network fired': g.append(s('path', { d: `M${x} ${y.network + 1}l5 9h-10z`, fill: 'var(--fault)' }, s('title', {}, f.kind || ''))); break;
        case 'issuer received': case 'issuer sent': case 'issuer undelivered': case 'issuer violation': { const bad = e.kind === 'undelivered' || e.kind === 'violation', inn = e.kind === 'received', yy = y.host + (inn ? 18 : 34); g.append(s('circle', { cx: x, cy: yy - 4, r: 3, fill: bad ? 'var(--fail)' : inn ? 'var(--lane)' : 'var(--soft)' })); const j = next(i, n => n.source === 'issuer' && n.fields.mti && (n.kind === 'received') === inn), more = inn ? nameOf(f.effect) : f.code, full = (f.mti || nameOf(e.kind)) + (more ? ' ' + more : ''), room = (j < 0 ? W : this.x(j)) - x, label = room < breadth(full) + 12 ? f.mti || nameOf(e.kind) : full; if (x > hostEnd && room > breadth(label) + 8) { g.append(s('text', { x: x + 6, y: yy, style: bad ? 'fill:var(--fail)' : null }, label)); hostEnd = x + 10 + breadth(label) } break }
        case 'power off': case 'power on': g.append(s('text', { x: x + 3, y: y.power + 15 }, t(e.kind))); g.append(s('line', { x1: x, x2: x, y1: y.power + 3, y2: y.power + 19, stroke: 'var(--ink)', 'stroke-width': 1.5 })); break;
      }
    });
    if (inserted >= 0) g.append(s('rect', { x: this.x(inserted), y: y.card + 8, width: W - this.x(inserted), height: 18, rx: 4, fill: 'var(--lane)', opacity: .16 }));
  }
  // world is everything as it was at an event.
  world(at) {
    const w = { screen: null, prompts: '', keys: [], card: '', power: true, paper: [], step: '', phase: '', faults: new Map(), wires: new Set(), charges: '' };
    for (let i = 0; i <= at; i++) {
      const e = this.events[i], f = e.fields;
      switch (e.source + ' ' + e.kind) {
        case 'display screen': w.screen = f.text || ''; w.prompts = f.prompts || ''; break;
        case 'keypad press': w.keys.push(f.key); break;
        case 'card insert': w.card = f.card || '?'; break;
        case 'card remove': w.card = ''; break;
        case 'power off': w.power = false; break;
        case 'power on': w.power = true; break;
        case 'printer line': if (w.cut) { w.paper = []; w.cut = false } w.paper.push(f.text || ''); break;
        case 'printer cut': w.cut = true; break;
        case 'harness step': w.step = f.step; break;
        case 'harness phase': w.phase = f.edge === 'begin' ? f.name : w.phase; break;
        case 'network fired': w.faults.set(f.fault, f.kind); break;
        case 'network healed': w.faults.delete(f.fault); break;
        case 'network opened': w.wires.add(f.uplink + ' ' + f.connection); break;
        case 'network closed': w.wires.delete(f.uplink + ' ' + f.connection); break;
      }
    }
    return w;
  }
  drawInstant() {
    const e = this.events[this.at], w = this.world(this.at), row = (k, v) => [h('dt', {}, t(k)), h('dd', {}, v)];
    this.panel.replaceChildren(
      h('div', {}, h('h3', {}, t('screen')), h(`div.lcd${w.power ? '' : '.off'}`, { id: 'lcd', lang: DATA.head.result.lang }, w.power ? (w.screen === null ? '' : w.screen) : t('off')),
        h('dl.state', {}, row('prompt', w.prompts || '–'), row('phase', w.phase ? kind(w.phase) : '–'), row('steps', say(w.step) || '–'), row('keys', w.keys.length ? h('span', {}, w.keys.slice(-8).map(k => [h('kbd', {}, k), ' '])) : '–'), row('slot', w.card || t('empty')), row('network', w.wires.size ? [...w.wires].map(x => say(x.split(' ')[0])).join(', ') : '–'), row('faults', w.faults.size ? h('b', { style: 'color:var(--fault)' }, [...w.faults.values()].join(', ')) : '–'))),
      h('div.what', { id: 'what' }, h('h3', {}, `${seconds(e.us)} · ${t(LANE_OF[e.source] || e.source)} · ${nameOf(e.kind)}`), this.detail(e)),
      h('div', {}, h('h3', {}, t('printed')), w.paper.length ? h('div.paper', {}, w.paper.join('\n')) : h('p.faint', {}, t('nothing'))));
  }
  detail(e) {
    const f = { ...e.fields }, out = [];
    if (e.source === 'card' && e.kind === 'exchange') {
      const ins = (f.instruction || '').slice(2);
      out.push(h('p', {}, h('b', {}, INS[ins] || f.instruction), ' ', h('code', {}, f.instruction, ' ', f.parameters || ''), ' → ', h('code', {}, f.status), ' ', h('span.soft', {}, nameOf(SW[f.status] || ''))));
      if (f.command) out.push(h('h3', { style: 'margin-top:8px' }, t('command'), h('span.faint', {}, ` ${f.command_bytes} B`)), tree(f.command));
      if (f.response) out.push(h('h3', { style: 'margin-top:8px' }, t('response'), h('span.faint', {}, ` ${f.response_bytes} B`)), tree(f.response));
      if (f.took_us) out.push(h('p.faint', {}, span(+f.took_us)));
      return out;
    }
    const list = Object.entries(f).filter(([, v]) => v !== '').sort();
    if (e.source === 'display' || e.source === 'printer') out.push();
    out.push(h('table', {}, h('tbody', {}, list.map(([k, v]) => h('tr', {}, h('td', {}, nameOf(k.replace(/_us$/, ''))), h('td', {}, /_us$/.test(k) ? span(+v) : VALUES.includes(k) ? nameOf(v) : SAID.includes(k) || e.kind === 'violation' ? say(v) : k === 'mti' ? [v, ' ', h('span.soft', {}, mtiName(v))] : k === 'text' ? h('span', { style: 'white-space:pre-wrap' }, v) : v))))));
    if (e.message) out.push(this.iso(e.message));
    if (!list.length && !e.message) out.push(h('p.faint', {}, '–'));
    return out;
  }
  iso(m) {
    const names = ((window.HOSTS || {})[this.host] || {}).fields || {};
    return h('div', {}, h('h3', { style: 'margin-top:10px' }, `ISO 8583 · ${m.mti} ${mtiName(m.mti)}`), h('table', {}, h('tbody', {}, Object.keys(m.fields || {}).sort((a, b) => a - b).map(n => h('tr', {}, h('td.num', {}, n), h('td', {}, nameOf(names[n] || '')), h(`td${/^\[|\*/.test(m.fields[n]) ? '.masked' : ''}`, {}, h('code', {}, m.fields[n])))))),
      h('p.faint', {}, [say(m.operation), nameOf(m.effect || ''), say(m.reason), m.rule].filter(Boolean).join(' · ')));
  }
}
// tree writes decoded data objects with their names; printable values in letters too.
function tree(text) {
  return h('div.tree', {}, text.split('\n').map(line => {
    const m = /^( *)([0-9A-F]+) ?(.*)$/.exec(line);
    if (!m || /^\[/.test(line)) return h('div.masked', {}, line);
    const [, pad, tag, value] = m, bytes = value.replaceAll('/', '').match(/^([0-9A-F]{2})+$/) ? value.replaceAll('/', '').match(/../g).map(b => parseInt(b, 16)) : [];
    const letters = ['50', '9F12', '5F2D', '8A', '84', '4F'].includes(tag) && bytes.length && bytes.every(b => b >= 32 && b < 127) ? ' “' + String.fromCharCode(...bytes) + '”' : '';
    return h('div', { style: `padding-left:${pad.length * 14}px` }, tag, ' ', h('span.n', {}, nameOf(TAGS[tag] || '')), ' ', h(`span${/^\[|\*/.test(value) ? '.masked' : ''}`, {}, value, letters));
  }));
}
