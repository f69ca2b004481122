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

const WORDS = {
  run: ['Run', '运行'], latency: ['Latency', '时延'], guide: ['Guide', '处置指南'], back: ['← Run', '← 运行'],
  pass: ['pass', '通过'], marginal: ['marginal', '临界'], fail: ['fail', '失败'], inconclusive: ['inconclusive', '无法判定'], skipped: ['skipped', '跳过'], 'not-run': ['not run', '未运行'],
  planned: ['planned', '计划'], passed: ['passed', '通过'], failed: ['failed', '失败'],
  terminal: ['terminal', '终端'], rig: ['rig', '测试台'], issuer: ['issuer', '发卡行'], network: ['network', '网络'], config: ['configuration', '配置'], harness: ['harness', '测试系统'],
  cause: ['cause', '原因'], profile: ['profile', '终端型号'], firmware: ['firmware', '固件'], family: ['family', '类别'], label: ['label', '标签'], article: ['proves', '验证项'], verdict: ['verdict', '判定'], language: ['language', '语言'], version: ['assay', 'assay'], duration: ['took', '用时'], started: ['begun', '开始'], seed: ['seed', '种子'],
  all: ['all', '全部'], expected: ['Expected', '应为'], observed: ['Observed', '实际'], phase: ['phase', '阶段'], why: ['Why', '原因'],
  failures: ['What failed, by first difference', '失败（按首个差异归类）'], marginals: ['Only just within budget', '勉强在时限内'], skips: ['Skipped, and why', '跳过及原因'], rigs: ['Rig health', '测试台状况'], slowest: ['Slowest', '最慢'], flaky: ['Flaky', '时好时坏'], prompts: ['Prompts × codes × latency', '提示 × 应答码 × 时延'], scenarios: ['All scenarios', '全部用例'],
  nothing: ['none', '无'], search: ['Search id, title, reason', '搜索编号、标题、原因'], of: ['of', '/'], clear: ['Clear', '清除'],
  'keys.list': ['to search, to move, to open', '搜索，移动，打开'],
  rule: ['Rule', '规则'], passes: ['passed', '通过次数'], fails: ['failed', '失败次数'], count: ['n', '次数'], wrong: ['wrong', '错误'], max: ['max', '最大'], limit: ['limit', '时限'], budget: ['budget', '时限项'], prompt: ['prompt', '提示'], code: ['code', '应答码'],
  planted: ['Planted on purpose, so this certifies nothing', '人为植入，本次运行不作任何认证'], leaks: ['Card data in clear was found in this folder. Keep it to yourself.', '运行目录中发现明文卡数据，请勿外传。'],
  recovery: ['recovery', '恢复'], ledger: ['ledger', '账务'], time: ['time', '时间'], bench: ['bench', '台架'],
  compare: ['Expected against observed', '应为与实际'], timeline: ['Timeline', '时间线'], budgets: ['Budgets', '时限'], since: ['Since when', '自何时起'], diff: ['First difference from the last passing run', '与上次通过的首个差异'], replay: ['Run it again', '重新运行'], whose: ['Whose fault', '谁的问题'], evidence: ['Evidence', '证据'], checks: ['Every check', '全部检查'], copy: ['Copy', '复制'], copied: ['Copied', '已复制'], attempts: ['Attempts', '尝试'], attempt: ['attempt', '第几次'],
  finger: ['finger', '手指'], card: ['card', '卡片'], screen: ['screen', '屏幕'], receipt: ['receipt', '凭条'], host: ['host', '主机'], power: ['power', '电源'], steps: ['steps', '步骤'],
  'at.cursor': ['At this instant', '此刻'], keys: ['keys', '按键'], slot: ['card', '卡片'], on: ['on', '接通'], off: ['off', '断开'], empty: ['none', '无'], in: ['in the slot', '在卡槽中'], printed: ['Printed so far', '已打印'], event: ['event', '事件'], events: ['events', '个事件'], faults: ['faults', '故障'],
  before: ['then', '当时'], now: ['now', '现在'], after: ['after', '之后'], field: ['field', '域'], message: ['message', '报文'], shift: ['shift', '变化'], value: ['value', '值'],
  'no.past': ['No earlier run of this scenario lies beside this one.', '同一目录下没有该用例的更早运行。'],
  'no.pass': ['It has passed in none of the earlier runs that lie beside this one.', '同一目录下更早的运行中没有通过记录。'],
  'no.diff': ['Screens, messages, card commands and receipts came in the same order.', '屏幕、报文、卡片指令和凭条的顺序相同。'],
  calm: ['no fault at work', '无故障生效'], faulty: ['a fault at work', '故障生效期间'], 'few': ['a percentile is told only from enough samples: p95 from 20, p99 from 100', '样本足够才给出百分位：p95 至少 20 个，p99 至少 100 个'],
  'latency.sub': ['Measured against each budget, over the time of the run as the terminal had it. Shaded: a fault was at work. Dashed: the limit. Bars: uncertainty of the measurement.', '各时限项的测量值，横轴为终端经历的运行时间。阴影：故障生效期间；虚线：时限；竖线：测量不确定度。'],
  left: ['points are not drawn', '个点未绘出'], 'guide.sub': ['What the cashier sees, why, and what to do, for each failure mode of this run.', '本次运行涉及的每种故障：收银员看到什么、为什么、怎么办。'],
  theme: ['Theme', '主题'], auto: ['auto', '自动'], light: ['light', '浅色'], dark: ['dark', '深色'], nomeasure: ['nothing was measured', '没有测量值'], unread: ['Not all of the timeline could be read', '时间线未能完整读取'],
  step: ['step through events', '逐个事件'], zoom: ['zoom', '缩放'], command: ['Command', '指令'], response: ['Response', '应答'], scaled: ["the terminal's timers were divided by", '终端定时器已除以'], spoiled: ['spoiled by the rig', '因测试台作废'], decided: ['decided', '已判定'], noguide: ['The guide has no page for this scenario.', '指南中没有该用例。'],
};
// CHECKS are phases and kinds of checks, as the judge calls them.
const CHECKS = {
  act: ['act', '操作'], recover: ['recover', '恢复'], audit: ['audit', '核账'], idle: ['idle', '空闲'], drain: ['drain', '清空'], arrange: ['arrange', '准备'], heal: ['heal', '恢复网络'],
  prompt: ['prompt', '提示'], code: ['code', '应答码'], host: ['host', '主机'], ledger: ['ledger', '账务'], receipt: ['receipt', '凭条'], receipts: ['receipts', '凭条'], reversal: ['reversal', '冲正'], charges: ['charges', '扣款'], customer: ['customer ID', '客户ID'], trace: ['trace', '流水号'], order: ['order', '顺序'], totals: ['totals', '总额'], settlement: ['settlement', '结算'],
  unanswered: ['unanswered request', '未应答的请求'], approval: ['approval', '批准'], protocol: ['protocol', '协议'], leak: ['card data', '卡数据'], injector: ['injector', '故障注入器'], issuer: ['issuer', '发卡行'], fault: ['network fault', '网络故障'], rule: ['issuer rule', '发卡行规则'], run: ['run', '运行'], step: ['step', '步骤'], teardown: ['teardown', '收尾'],
};
const kind = key => (CHECKS[key] || [key, key])[lang === 'zh' ? 1 : 0];
const t = key => (WORDS[key] || [key, key])[lang === 'zh' ? 1 : 0];

// op is a transaction, or what became of its money, in Chinese.
const OPS = { purchase: '消费', sale: '消费', void: '撤销', refund: '退货', authorisation: '预授权', completion: '预授权完成', balance: '余额查询', 'sign-on': '签到', 'batch-upload': '批上送', 'batch-end': '批上送结束', 'script-result': '脚本结果', parameters: '参数下载', echo: '线路测试', settlement: '结算', reversal: '冲正', charged: '扣款', voided: '已撤销', held: '已冻结', refunded: '已退货', released: '已释放', copy: '重印', approved: '批准', 'pre-authorisation': '预授权', charge: '扣款' };
const op = word => OPS[word] || word;

// SAY turns the judge's sentences into Chinese; what is not here stays as it was written.
const SAY = [
  [/^the card is told that bit ([\d.]+) of the verification results is set$/, '告知卡片：终端验证结果（TVR）的 $1 位已置位'], [/^TVR ([0-9A-F]+)$/, '终端验证结果（TVR）为 $1'], [/^the card's application ([0-9A-F]+) is used$/, '使用卡上应用 $1'], [/^the application ([0-9A-F]+) was used$/, '使用了应用 $1'], [/^the card (is|was) asked first for the cryptogram to approve$/, '首先向卡片请求批准密文（TC）'], [/^the card (is|was) asked first for the cryptogram to go online$/, '首先向卡片请求联机密文（ARQC）'], [/^the card (is|was) asked first for the cryptogram to decline$/, '首先向卡片请求拒绝密文（AAC）'], [/^the reversal of trace (\d+) was given up, and no slip says so$/, '流水号 $1 的冲正已放弃，但没有任何单据注明'],
  [/^prompt ([\w-]+) within ([\w-]+): "([^]*)"$/, '提示“$3”（$1），时限项 $2'], [/^prompt ([\w-]+): "([^]*)"$/, '提示“$2”（$1）'], [/^never the prompt (.*)$/, '不得出现提示 $1'], [/^none of them was shown$/, '均未出现'],
  [/^it was not shown$/, '未出现'], [/^shown at last: (.*)$/, '最后依次显示 $1'], [/^the terminal shows (.*)$/, '终端显示 $1'], [/^(\S+) was shown: (.*)$/, '出现了 $1：$2'], [/^"([^]*)" ([\d.µmsh]+) after the host's answer(.*)$/, '“$1”，主机应答后 $2$3'], [/^"([^]*)" ([\d.µmsh]+) after the request(.*)$/, '“$1”，请求后 $2$3'], [/^"([^]*)" ([\d.µmsh]+) after (.*)$/, '“$1”，$3 之后 $2'], [/^response code (.*)$/, '应答码 $1'], [/^no reversal$/, '无冲正'], [/^reversal × (\d+) with reason (\w+) within ([\w-]+)$/, '冲正 $1 次，原因 $2，时限项 $3'], [/^reversal (.*)$/, '冲正 $1'],
  [/^receipt none$/, '无凭条'], [/^receipt approved$/, '批准凭条'], [/^receipt (.*)$/, '凭条 $1'], [/^(\d+) approved receipts(.*)$/, '$1 张批准凭条$2'], [/^ledger (.*)$/, '账务 $1'], [/^(\d+) charges(.*)$/, '$1 笔扣款$2'], [/^host silent$/, '主机未收到任何报文'], [/^nothing was sent$/, '没有发送'],
  [/^at most one net charge for each sale$/, '每笔交易至多一笔净扣款'], [/^(\d+) sales, (\d+) net charges$/, '$1 笔交易，$2 笔净扣款'], [/^every request without an answer is reversed$/, '每个未应答的请求都被冲正'], [/^none is left over$/, '无遗留'], [/^a pending reversal goes before the next sale$/, '待冲正先于下一笔交易'], [/^none was overtaken$/, '没有被超越'],
  [/^approved is shown and printed only after the host approved that sale$/, '主机批准后才显示并打印批准'], [/^each had its answer$/, '每笔均有应答'], [/^each charge carries the customer ID that was typed$/, '每笔扣款带有所输入的客户ID'], [/^they do$/, '符合'], [/^each request has a trace number of its own$/, '每个请求有各自的流水号'], [/^they have$/, '符合'],
  [/^the terminal keeps to the host's protocol$/, '终端遵守主机协议'], [/^a reversal has nothing of the card that may not be stored$/, '冲正报文不含不得保存的卡数据'], [/^none has$/, '均不含'], [/^the reversal of trace (\d+) has field (\d+) (.*)$/, '流水号 $1 的冲正含域 $2：$3'], [/^an (\d{4}) has the trace number (0+); they go from 1 to 999999$/, '$1 的流水号为 $2，应为 1 至 999999'], [/^no violation$/, '无违规'], [/^no card number and no PIN in clear on screen or receipt$/, '屏幕与凭条上无明文卡号或密码'], [/^none was seen$/, '未发现'], [/^a charge for each approved receipt and a receipt for each charge$/, '每张批准凭条对应一笔扣款，每笔扣款对应一张凭条'], [/^they agree$/, '一致'],
  [/^the totals of terminal and host agree, nothing pending$/, '终端与主机总额一致，无待处理'], [/^the injector does to messages what was arranged, and nothing else$/, '故障注入器只做所安排的事'], [/^the issuer hears, answers and books what reaches it$/, '发卡行对收到的报文接收、应答并记账'], [/^it did$/, '符合'], [/^the network fault (.*) fires$/, '网络故障 $1 触发'], [/^the (tls|dns|packet) fault (.*) fires$/, '$1 故障 $2 触发'], [/^the issuer rule (.*) fires$/, '发卡行规则 $1 触发'], [/^it fired (\d+) ×$/, '触发 $1 次'], [/^it did not fire: the terminal never sent what it waits for$/, '未触发：终端从未发出它所等待的报文'], [/^it did not fire(.*)$/, '未触发$1'],
  [/^the sale with trace (\d+) got no answer and was never reversed$/, '流水号 $1 的交易没有得到应答，也从未冲正'], [/^(\d{4}) × (\d+)(.*)$/, '$1 共 $2 次$3'], [/^host receives (\d{4}) × (\d+)$/, '主机收到 $1 共 $2 次'], 
  [/^nothing reaches the host$/, '没有报文到达主机'], [/^messages were sent$/, '发出了报文'], [/^the terminal sent (.*)$/, '终端发出了 $1'], [/^no answer to a sale reached the terminal$/, '没有任何消费的应答到达终端'], [/^prompt ([\w-]+) within ([\w-]+)$/, '提示 $1，时限项 $2'], [/^prompt ([\w-]+)$/, '提示 $1'],
  [/^settlement in-balance$/, '结算平账'], [/^settlement (.*)$/, '结算 $1'], [/^no settlement reached the host$/, '没有结算到达主机'], [/^in balance: terminal (\d+) sales?, ([\d.]+)$/, '平账：终端 $1 笔，$2'], [/^out of balance: terminal (\d+) sales?, ([\d.]+)$/, '不平：终端 $1 笔，$2'], [/^host (\d+) sales?, ([\d.]+)$/, '主机 $1 笔，$2'],
  [/^the sale with trace (\d+) went out before the reversal of trace (\d+) was acknowledged$/, '流水号 $1 的交易在流水号 $2 的冲正得到确认之前就已发出'], [/^the charge of ([\d.]+) \(trace (\d+)\) has (\d+) approved receipts$/, '流水号 $2、金额 $1 的扣款有 $3 张批准凭条'],
  [/^(.*) on rig (.*): packet fault ([\w-]+): a kernel's network is needed, and in virtual time lines are in memory$/, '测试台 $2 上的 $1：包级故障 $3 需要内核网络，而虚拟时间中的线路在内存里'], [/^use --rig sim$/, '请用 --rig sim'], [/^step (\d+), (.*)$/, '第 $1 步，$2'],
  [/^host receives ([a-z-]+) × (\d+)$/, (_, a, n) => `主机收到${op(a)} ${n} 次`], [/^([a-z-]+) × (\d+)$/, (_, a, n) => `${op(a)} ${n} 次`], [/^on the books: (\w+) (.*)$/, (_, a, sums) => `账上：${op(a)} ${sums}`], [/^(charged|voided|held|refunded|released) ([\d., ]+)$/, (_, a, sums) => `${op(a)} ${sums}`],
  [/^(\d+) (\w+) receipts?, the last for ([\d.]+)$/, (_, n, a, sum) => `${n} 张${op(a)}凭条，最后一张 ${sum}`], [/^the ([\w-]+) of ([\d.]+) \(trace (\d+)\) has (\d+) (\w+) receipts$/, (_, a, sum, trace, n, b) => `流水号 ${trace}、金额 ${sum} 的${op(a)}有 ${n} 张${op(b)}凭条`],
  [/^a card that asked for the host is told what came of it$/, '请求联机的卡片须被告知结果'], [/^each was$/, '均已告知'], [/^a card that asked for the host got no second GENERATE AC$/, '请求联机的卡片未收到第二次 GENERATE AC'],
  [/^every refund, void and pre-authorisation is one that the cashier began$/, '每笔退货、撤销和预授权都由收银员发起'], [/^they are$/, '符合'], [/^(void|refund ([\d.]+)|complete ([\d.]+)) of the transaction of ([\d.]+)$/, (_, a, back, full, sum) => `${full ? `预授权完成 ${full}` : back ? `退货 ${back}` : '撤销'}，原交易 ${sum}`], [/^authorise ([\d.]+)$/, '预授权 $1'], [/^(balance|sign-on|echo)$/, (_, a) => op(a)], [/^break the paper$/, '让打印纸断开'], [/^mend the paper$/, '接好打印纸'], [/^reprint$/, '重印'],
  [/^sale of ([\d.]+)$/, '消费 $1'], [/^type a valid customer-id$/, '输入有效的客户ID'], [/^type an? (\S+) customer-id$/, '输入客户ID（$1）'], [/^type (.*)$/, '输入 $1'], [/^correct PIN$/, '输入正确密码'], [/^wrong PIN$/, '输入错误密码'], [/^insert card (.*)$/, '插卡 $1'], [/^swipe card (.*)$/, '刷卡 $1'], [/^tap card (.*)$/, '挥卡 $1'], [/^remove the card$/, '取卡'], [/^settle$/, '结算'],
  [/^power on$/, '上电'], [/^power off$/, '断电'], [/^press (.*)$/, '按 $1'], [/^wait for the prompt (.*)$/, '等待提示 $1'], [/^wait until the request (\d+) is on its way$/, '等待请求 $1 发出'],
  [/^the scenario runs to its end$/, '用例运行到底'], [/^the terminal goes on$/, '终端继续运行'], [/^not evaluated: (.*)$/, '未评估：$1'], [/^it lacks (.*)$/, '缺少 $1'], [/^the run ended before$/, '运行提前结束'], [/^(.*) on rig (.*) lacks (.*)$/, '测试台 $2 上的 $1 缺少 $3'],
];
function say(text) {
  if (lang !== 'zh' || !text) return text || '';
  const phase = /^(act|recover|audit): expected ([^]*); observed ([^]*)$/.exec(text);
  if (phase) return `${kind(phase[1])}：应为 ${say(phase[2])}；实际 ${say(phase[3])}`;
  for (const [pattern, words] of SAY) if (pattern.test(text)) return text.replace(pattern, words);
  const parts = text.split('; '); // several findings in one sentence
  return parts.length > 1 ? parts.map(say).join('；') : text;
}

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
