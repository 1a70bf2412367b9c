// The run's facts: whatever its manifest holds, as lists and tables.

const words = (name) => name.replaceAll('_', ' ');
const isMap = (value) => value !== null && typeof value === 'object' && !Array.isArray(value);

function plain(value) {
  if (typeof value === 'number') return value.toLocaleString('en-US', { maximumFractionDigits: 20 });
  if (typeof value === 'boolean') return value ? 'yes' : 'no';
  if (Array.isArray(value)) return value.map((one) => (isMap(one) ? Object.values(one).map(plain).join(' ') : plain(one))).join(', ');
  if (isMap(value)) return Object.entries(value).map(([key, one]) => `${words(key)} ${plain(one)}`).join(', ');
  return String(value);
}

function cell(value) {
  const text = plain(value);
  return el('td', { class: typeof value === 'number' ? 'number' : text.length > 32 ? 'long' : null }, own(text));
}

/** Entries that are all mappings become a table, one row each; others a list of names and values. */
function factsOf(name, value) {
  const entries = Object.entries(value);
  if (entries.length && entries.every(([, one]) => isMap(one))) {
    const columns = [...new Set(entries.flatMap(([, one]) => Object.keys(one)))];
    const head = el('tr', {}, el('th', { scope: 'col' }, words(name)), ...columns.map((column) => el('th', { scope: 'col' }, words(column))));
    const rows = entries.map(([key, one]) => el('tr', {}, el('th', { scope: 'row' }, own(key)),
      ...columns.map((column) => cell(column in one ? one[column] : ''))));
    const table = el('table', {}, el('caption', { class: 'hidden' }, words(name)), el('thead', {}, head), el('tbody', {}, ...rows));
    return el('div', { class: 'scroll wide', role: 'region', 'aria-label': words(name), tabindex: 0 }, table);
  }
  const pairs = entries.map(([key, one]) => el('div', {}, el('dt', {}, words(key)), el('dd', {}, own(plain(one)))));
  return el('div', { class: 'fact' }, el('h3', {}, words(name)), el('dl', {}, ...pairs));
}

function showFacts(host, facts) {
  const [lists, tables] = [[], []];
  const single = {};
  for (const [name, value] of Object.entries(facts)) {
    if (!isMap(value)) single[name] = value;
    else {
      const made = factsOf(name, value);
      (made.classList.contains('scroll') ? tables : lists).push(made);
    }
  }
  host.replaceChildren(el('div', { class: 'facts' }, factsOf('run', single), ...lists), ...tables);
}
