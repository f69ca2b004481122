'use strict';
// How a text is found among the formats of chinese.js. Arguments are looked up in the same way.
const QUOTED = '"(?:[^"\\\\]|\\\\.)*"';
const PART = `(?:${QUOTED}|(?!; )[^"\\n])*`; // "; " stands between two findings, the end of a line between two errors
const VERB = /%[-+# 0-9.]*([a-z])/gi;
const GROUPS = { d: '(-?\\d+)', i: '([^\\s;,:"]+)', k: `(${PART}?)`, l: '([\\d., ]+)', q: '"((?:[^"\\\\]|\\\\.)*)"' };
const escaped = text => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');

// compile makes of a format the pattern that finds it, with a verb for each group of it. before and after say that something stands there that the
// format does not name; needs is its longest literal part, which is looked for first.
function compile([format, words]) {
  const line = format.includes('\n') ? '[^]*' : '.*', any = format.includes('; ') ? line : PART, before = /^[^\w%[]/.test(format), after = before && format.endsWith(' ');
  const literals = format.split(/%[-+# 0-9.]*[a-z]/i), verbs = [...format.matchAll(VERB)].map(m => m[1]);
  if (format.endsWith(': %s')) verbs[verbs.length - 1] = 'v'; // anything, as an error
  const group = v => GROUPS[v] || (v === 's' ? `(${any}?)` : `(${line}?)`);
  const subject = /^%[sv]: /.test(format) ? '([^:,]*?)' : null; // the first of several colons
  const body = literals.map((text, i) => escaped(text) + (i < verbs.length ? !i && subject || group(verbs[i]) : '')).join('');
  return {
    pattern: new RegExp(`^${before ? `(${any}${after ? '?' : ''})` : ''}${body}${after ? '(.+)' : ''}$`),
    verbs: [...before ? ['s'] : [], ...verbs, ...after ? ['s'] : []], before, after, words,
    letters: literals.join('').replace(/[^a-z]/gi, '').length,
    needs: literals.reduce((a, b) => a.length < b.length ? b : a),
  };
}
// What has more letters of its own comes first; of as many, what is composed.
const FORMATS = [COMPOSED, SAY, DRIVERS].flatMap(Object.entries).map(compile).sort((a, b) => b.letters - a.letters);

// Formats of fewer letters than these also match texts that are somebody else's: then an argument is one word, or in the tables.
const ENOUGH = 8, ENOUGH_FOR_ERROR = 4;
function plausible(f, arg, i) {
  const verb = f.verbs[i];
  if (verb === 'k') return chinese(arg) !== null;
  if (verb === 'd' || verb === 'q' || !/\s/.test(arg)) return true;
  if (verb !== 's') return f.letters >= ENOUGH_FOR_ERROR || !f.letters || chinese(arg) !== null;
  if (f.before && !f.after && i) return Object.hasOwn(SAY, arg); // else it has swallowed what comes after it
  return f.letters >= ENOUGH || chinese(arg) !== null;
}
function filled(f, args) {
  const own = f.before ? args.slice(1) : args;
  const how = { $: arg => arg, '~': say, '#': arg => arg.replaceAll(' or ', SAY[' or ']) };
  const middle = f.words.replace(/([$~#])(\d)/g, (_, mark, n) => how[mark](own[n - 1]));
  return (f.before ? say(args[0]) : '') + middle + (f.after ? say(args[1]) : '');
}
function matched(text) {
  for (const f of FORMATS) {
    const m = text.includes(f.needs) && f.pattern.exec(text);
    if (m && m.slice(1).every((arg, i) => plausible(f, arg, i))) return filled(f, m.slice(1));
  }
  return null;
}
// listed is several findings in one sentence, of which each is known.
function listed(text) {
  for (let i = text.lastIndexOf('; '); i > 0; i = text.lastIndexOf('; ', i - 1)) {
    const first = chinese(text.slice(0, i)), rest = first === null ? null : chinese(text.slice(i + 2));
    if (rest !== null) return `${first}；${rest}`;
  }
  return null;
}
function lookUp(text) {
  for (const table of [SAY, DRIVERS, COMPOSED, TERMS]) if (Object.hasOwn(table, text)) return table[text];
  if (Object.hasOwn(CHECKS, text)) return CHECKS[text][1];
  if (new RegExp(`^${QUOTED}$`).test(text)) return `“${text.slice(1, -1)}”`;
  return matched(text) ?? listed(text);
}
// chinese is a text in Chinese; null when the tables don't have it. What was looked up is kept, and what is longer than any sentence not looked up.
const known = new Map(), MOST = 5000, LONGEST = 4000;
function chinese(text) {
  if (known.has(text)) return known.get(text);
  const found = text.length > LONGEST ? null : lookUp(text);
  if (known.size < MOST) known.set(text, found);
  return found;
}
// said is a text in Chinese as far as the tables have it: of several findings those that are known.
function said(text) {
  const whole = chinese(text), i = text.indexOf('; ');
  if (whole === null && text.includes('\n')) return text.split('\n').map(said).join('；');
  if (whole !== null || i < 0) return whole ?? text;
  const first = chinese(text.slice(0, i)), rest = said(text.slice(i + 2));
  return first === null && rest === text.slice(i + 2) ? text : `${first ?? text.slice(0, i)}；${rest}`;
}
// say gives what judge, harness, rungs and issuer said in the language of the page; what the tables don't have stays as it was written.
const say = text => lang === 'zh' && text ? said(text) : text || '';
