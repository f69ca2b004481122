'use strict';
// A list of thousands of rows, of which only those in view exist.
class VirtualList {
  constructor(rowHeight, make) {
    this.size = rowHeight; this.make = make; this.items = []; this.at = -1; this.shown = new Map();
    this.space = h('div.space', { role: 'list' });
    this.box = h('div.vlist', { tabindex: '0', role: 'region' }, this.space);
    this.box.addEventListener('scroll', () => this.paint());
    this.box.addEventListener('keydown', e => this.key(e));
    addEventListener('beforeprint', () => this.paint(true));
    addEventListener('afterprint', () => this.paint());
    new ResizeObserver(() => this.paint()).observe(this.box);
  }
  set(items) {
    this.items = items; this.at = -1; this.box.scrollTop = 0;
    this.space.style.height = items.length * this.size + 'px';
    this.box.style.height = `min(62vh, 640px, ${Math.max(items.length, 2) * this.size + 2}px)`;
    for (const e of this.shown.values()) e.remove();
    this.shown.clear();
    this.paint();
  }
  paint(all) {
    const from = all ? 0 : Math.max(0, Math.floor(this.box.scrollTop / this.size) - 6);
    const to = Math.min(this.items.length, all ? 2000 : Math.ceil((this.box.scrollTop + this.box.clientHeight) / this.size) + 6);
    for (const [i, e] of this.shown) if (i < from || i >= to) { e.remove(); this.shown.delete(i) }
    for (let i = from; i < to; i++) {
      if (this.shown.has(i)) continue;
      const e = this.make(this.items[i], i);
      e.style.top = i * this.size + 'px';
      e.classList.toggle('at', i === this.at);
      this.shown.set(i, e); this.space.append(e);
    }
  }
  go(i) {
    if (!this.items.length) return;
    this.at = Math.max(0, Math.min(this.items.length - 1, i));
    const top = this.at * this.size;
    if (top < this.box.scrollTop) this.box.scrollTop = top;
    if (top + this.size > this.box.scrollTop + this.box.clientHeight) this.box.scrollTop = top + this.size - this.box.clientHeight;
    this.paint();
    for (const [n, e] of this.shown) e.classList.toggle('at', n === this.at);
  }
  key(e) {
    const page = Math.max(1, Math.floor(this.box.clientHeight / this.size) - 1);
    const to = { ArrowDown: this.at + 1, j: this.at + 1, ArrowUp: this.at - 1, k: this.at - 1, PageDown: this.at + page, PageUp: this.at - page, Home: 0, End: this.items.length - 1 }[e.key];
    if (to !== undefined) { e.preventDefault(); this.go(to) }
    if (e.key === 'Enter' && this.shown.get(this.at)) this.shown.get(this.at).click();
  }
}
