// Texts of times, spans and numbers, and small helpers for elements. Run-given text is only ever set as text.

const byId = (id) => document.getElementById(id);

/** Make an element: `attributes` are set as attributes (functions as listeners), children appended as nodes or text. */
function el(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === 'function') made.addEventListener(name, value);
    else if (value !== null && value !== false) made.setAttribute(name, value === true ? '' : value);
  }
  made.append(...children.filter((child) => child !== null));
  return made;
}

/** A text with whatever would break its line or turn its direction round written out, so that nothing looks like another name. */
const visible = (text) => text.replace(/[\u0000-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/g,
  (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`);

/** A text of the run, kept apart from the direction of the text around it. */
const own = (text) => el('bdi', {}, visible(text));

/** Unpack base64 of deflated JSON. */
async function unpack(text) {
  const bytes = Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream('deflate'));
  return JSON.parse(await new Response(stream).text());
}

const count = (n) => n.toLocaleString('en-US');
const plural = (n, one, many = `${one}s`) => `${count(n)} ${n === 1 ? one : many}`;
const two = (n) => String(n).padStart(2, '0');

/** Seconds as words: 40 s, 7 min 10 s, 2 h 5 min. */
function duration(seconds) {
  const [d, h, m, s] = [Math.floor(seconds / 86400), Math.floor(seconds / 3600) % 24, Math.floor(seconds / 60) % 60, seconds % 60];
  const parts = [[d, 'd'], [h, 'h'], [m, 'min'], [s, 's']].filter(([n]) => n > 0).slice(0, 2);
  return parts.map(([n, unit]) => `${n} ${unit}`).join(' ') || '0 s';
}

/** Writes times as the run's tables do: HH:mm:ss, or a date before it and the run's own zone after. */
class Times {
  constructor({ clock, zone, offset }) {
    this.clock = clock;
    this.zone = zone;
    this.offset = offset;
  }

  day(second) {
    return this.clock ? '' : new Date((second + this.offset) * 1000).toISOString().slice(0, 10);
  }

  hour(second) {
    const of_day = (((second + this.offset) % 86400) + 86400) % 86400;
    return `${two(Math.floor(of_day / 3600))}:${two(Math.floor(of_day / 60) % 60)}:${two(Math.floor(of_day % 60))}`;
  }

  full(second) {
    const later = this.clock && second >= 86400 ? ' next day' : '';
    return this.clock ? `${this.hour(second)}${later}` : `${this.day(second)} ${this.hour(second)}`;
  }

  /** From start to end; the end's date only where it is another day. */
  span(start, end) {
    return `${this.full(start)} – ${!this.clock && this.day(start) === this.day(end) ? this.hour(end) : this.full(end)}`;
  }

  /** A short text for an axis whose marks are `step` seconds apart. */
  tick(second, step) {
    if (!this.clock && step >= 86400) return this.day(second).slice(5);
    const text = step >= 60 ? this.hour(second).slice(0, 5) : this.hour(second);
    return !this.clock && text === '00:00' ? this.day(second).slice(5) : text;
  }
}

/** Round steps, in seconds, that marks on a time axis may be apart. */
const STEPS = [1, 5, 10, 30, 60, 300, 600, 1800, 3600, 7200, 10800, 21600, 43200, 86400, 172800, 604800, 2592000, 31536000];

/** The marks of a time axis from `first` to `last`: at most `most`, on round times of the run's own zone. */
function ticks(first, last, most, offset) {
  const step = STEPS.find((s) => (last - first) / s <= most) || STEPS[STEPS.length - 1];
  const marks = [];
  for (let at = Math.ceil((first + offset) / step) * step - offset; at <= last; at += step) marks.push(at);
  return { step, marks };
}

/** How far above its threshold a peak is, as words. */
const above = (percent) => (percent === null ? 'above 0' : `+${percent < 10 ? percent.toFixed(1) : Math.round(percent).toLocaleString('en-US')} %`);

/** A value, given as the tables write it, shortened to six digits; the element holds all of them. */
function value(text) {
  const shorter = Number(text).toLocaleString('en-US', { maximumSignificantDigits: 6, useGrouping: false });
  return el('data', { value: text, title: text }, text.length <= shorter.length + 1 ? text : shorter);
}

const level = (percent, bounds) => 1 + bounds.filter((bound) => percent === null || percent >= bound * 100).length;

/** A colour of the style sheet, as it is now. */
const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
