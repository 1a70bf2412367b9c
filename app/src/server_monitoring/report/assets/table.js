// A table that sorts by its headings, filters, and shows a page of rows at a time.

/**
 * Columns: {title, key(row) to sort by, cell(row) to show, numeric, descending (which way first), fixed (does not sort)}.
 * Rows are whatever the columns understand. `sizes` are the choices of rows a page, `first` is the
 * column to sort by at first.
 */
class Table {
  constructor(host, { caption, columns, rows, sizes = [10, 50, 500], empty, first = null, lead = null, drawn = () => {} }) {
    Object.assign(this, { host, columns, rows, sizes, empty, lead, drawn });
    this.size = sizes[0];
    this.page = 0;
    this.order = null;
    this.keep = () => true;
    this.body = el('tbody', { role: 'rowgroup' });
    this.headings = columns.map((column, place) => this.heading(column, place));
    const head = el('thead', { role: 'rowgroup' }, el('tr', { role: 'row' }, ...this.headings));
    const table = el('table', { role: 'table' }, el('caption', { class: 'hidden' }, caption), head, this.body);
    this.scroll = el('div', { class: 'scroll', role: 'region', 'aria-label': caption, tabindex: 0 }, table);
    this.status = el('p', { role: 'status', class: 'muted' });
    this.before = el('button', { type: 'button', click: () => this.turn(-1) }, 'Previous');
    this.after = el('button', { type: 'button', click: () => this.turn(1) }, 'Next');
    this.choice = el('select', { change: () => this.resize(Number(this.choice.value)) },
      ...sizes.map((size) => el('option', { value: size }, count(size))));
    this.pager = el('div', { class: 'pager' }, this.status, this.before, this.after,
      el('label', { class: 'field' }, 'Rows ', this.choice));
    host.replaceChildren(this.scroll, this.pager);
    if (first === null) this.sort();
    else this.sortBy(first);
  }

  heading(column, place) {
    const attributes = { role: 'columnheader', scope: 'col', class: column.class || (column.numeric ? 'number' : null) };
    if (column.fixed) return el('th', attributes, ...[].concat(column.title));
    const arrow = el('span', { class: 'arrow', 'aria-hidden': 'true' });
    return el('th', { ...attributes, 'aria-sort': 'none' },
      el('button', { type: 'button', click: () => this.sortBy(place) }, column.title, arrow));
  }

  /** Sort by a column; again, the other way round. */
  sortBy(place) {
    const column = this.columns[place];
    const down = this.order && this.order.place === place ? !this.order.down : Boolean(column.descending);
    this.order = { place, down };
    this.headings.forEach((th, i) => {
      if (th.hasAttribute('aria-sort')) {
        th.setAttribute('aria-sort', i !== place ? 'none' : down ? 'descending' : 'ascending');
      }
    });
    this.page = 0;
    this.sort();
  }

  filter(keep) {
    this.keep = keep;
    this.page = 0;
    this.sort();
  }

  sort() {
    this.found = this.rows.filter(this.keep);
    if (this.order) {
      const { key } = this.columns[this.order.place];
      const sign = this.order.down ? -1 : 1;
      const keyed = this.found.map((row, place) => [key(row), place, row]);
      keyed.sort(([a, i], [b, j]) => sign * (a < b ? -1 : a > b ? 1 : 0) || i - j);
      this.found = keyed.map(([, , row]) => row);
    }
    this.draw();
  }

  turn(by) {
    this.page += by;
    this.draw();
    // A button that was disabled under the keyboard loses it: give it to the other one.
    const left = by > 0 ? this.after : this.before;
    if (left.disabled) (by > 0 ? this.before : this.after).focus();
  }

  resize(size) {
    this.page = Math.floor((this.page * this.size) / size);
    this.size = size;
    this.draw();
  }

  draw() {
    const first = this.page * this.size;
    const shown = this.found.slice(first, first + this.size);
    const rows = shown.map((row) => this.row(row));
    if (this.lead) rows.unshift(this.lead);
    if (!shown.length) rows.push(el('tr', { role: 'row' }, el('td', { role: 'cell', colspan: this.columns.length, class: 'empty' }, this.empty)));
    this.body.replaceChildren(...rows);
    const last = Math.max(this.found.length - first <= this.size ? this.found.length : first + this.size, 0);
    const of = this.found.length === this.rows.length ? '' : ` (of ${count(this.rows.length)})`;
    this.status.textContent = this.found.length ? `${count(first + 1)}–${count(last)} of ${count(this.found.length)}${of}` : `none${of}`;
    this.before.disabled = first === 0;
    this.after.disabled = last >= this.found.length;
    this.pager.hidden = this.rows.length <= this.sizes[0] && this.found.length === this.rows.length;
    this.drawn();
  }

  row(row) {
    const cells = this.columns.map((column, place) => el(place ? 'td' : 'th', {
      role: place ? 'cell' : 'rowheader', scope: place ? null : 'row', class: column.class || (column.numeric ? 'number' : null),
    }, ...[].concat(column.cell(row))));
    return el('tr', { role: 'row' }, ...cells);
  }

  /** For paper: as many rows as `most`, all of them if they are fewer; `restore` afterwards. */
  spread(most) {
    this.kept = { size: this.size, page: this.page };
    Object.assign(this, { size: most, page: 0 });
    this.draw();
  }

  restore() {
    Object.assign(this, this.kept);
    this.draw();
  }
}
