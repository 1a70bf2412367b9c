// One server's windows over time: a chart for each metric, all with the same time, thresholds and alerts marked.

const HEIGHT = 168;
const ZOOM = 2;

/** A pattern of lines for alerts of a label: what the colour says, said without it. */
function hatch(context, place, ink) {
  const tile = el('canvas', { width: 8, height: 8 });
  const pen = tile.getContext('2d');
  pen.strokeStyle = ink;
  pen.lineWidth = 1;
  const lines = [[[0, 8, 8, 0]], [[0, 0, 8, 8]], [[4, 0, 4, 8]]];
  for (const [x0, y0, x1, y1] of place === 0 ? [...lines[0], ...lines[1]] : lines[1 + ((place - 1) % 2)]) {
    pen.moveTo(x0, y0);
    pen.lineTo(x1, y1);
  }
  pen.stroke();
  return context.createPattern(tile, 'repeat');
}

class Charts {
  constructor(host, data, times, changed) {
    Object.assign(this, { host, data, times, changed, plots: [] });
    this.view = [data.time.first, data.time.last];
    this.sized = new ResizeObserver(() => this.resize());
    this.sized.observe(host);
  }

  /** Show a server: `groups` is its unpacked block. */
  show(groups, name) {
    this.groups = groups.map((group) => ({ ...group, starts: this.starts(group) }));
    this.name = name;
    this.build();
  }

  starts({ first, steps, values }) {
    if (!values.length || !values[0].length) return [];
    const starts = [first];
    for (const step of steps) starts.push(starts[starts.length - 1] + step);
    return starts;
  }

  build() {
    this.plots.forEach((plot) => plot.destroy());
    this.plots = [];
    this.readouts = [];
    this.host.replaceChildren();
    this.groups.forEach((group, place) => {
      const about = this.data.groups[place];
      this.host.append(this.heading(about));
      about.metrics.forEach((metric, column) => this.chart(group, about, metric, column));
    });
    this.setView(...this.view);
  }

  heading(about) {
    const keys = about.labels.map(({ text }, place) => {
      const swatch = el('canvas', { width: 22, height: 12, class: 'swatch', 'aria-hidden': 'true' });
      this.shade(swatch.getContext('2d'), place, 0, 0, 22, 12);
      return el('li', {}, swatch, own(text));
    });
    return el('div', { class: 'group' }, el('h3', {}, own(about.name)), el('ul', { class: 'keys', 'aria-label': 'How alerts are marked' }, ...keys));
  }

  shade(context, place, left, top, width, height) {
    context.save();
    context.fillStyle = colour('shade');
    context.fillRect(left, top, width, height);
    context.translate(left, top);
    // Lines in a narrow mark would only be noise.
    if (width >= 6) {
      context.fillStyle = hatch(context, place, colour('hatch'));
      context.fillRect(0, 0, width, height);
    }
    context.restore();
  }

  chart(group, about, metric, column) {
    const readout = el('p', { class: 'readout' });
    const area = el('div', { class: 'plot', role: 'img', 'aria-label': this.describe(group, metric, column) });
    this.host.append(el('div', { class: 'chart' }, el('div', { class: 'chart-head' }, el('h4', {}, own(metric.name)), readout), area));
    const points = this.points(group, column);
    const entry = { group, about, metric, column, readout, points };
    entry.plot = new uPlot(this.options(entry, area), [points.starts, points.values], area);
    this.plots.push(entry.plot);
    this.readouts.push(entry);
    this.read(entry, null);
  }

  /** The windows as a line, with a break at each gap. */
  points(group, column) {
    const starts = [];
    const values = [];
    const gaps = group.gaps.slice();
    group.starts.forEach((start, i) => {
      while (gaps.length && gaps[0][1] <= start) {
        starts.push(gaps.shift()[0]);
        values.push(null);
      }
      starts.push(start);
      values.push(group.values[column][i]);
    });
    return { starts, values };
  }

  describe(group, metric, column) {
    const values = group.values[column];
    if (!values.length) return `${metric.name}: no windows`;
    let [low, high] = [0, 0];
    values.forEach((value, i) => {
      if (value < values[low]) low = i;
      if (value > values[high]) high = i;
    });
    const at = (i) => `${values[i]} at ${this.times.full(group.starts[i])}`;
    return `${metric.name}: lowest ${at(low)}, highest ${at(high)}; threshold ${metric.threshold}; above it in ${plural(group.spans.filter(([, , , metrics]) => metrics.includes(column)).length, 'incident')}`;
  }

  options(entry, area) {
    const axis = { stroke: colour('muted'), grid: { stroke: colour('line'), width: 1 }, ticks: { stroke: colour('line'), width: 1 }, font: '12px system-ui, sans-serif' };
    const { threshold } = entry.metric;
    return {
      width: Math.max(area.clientWidth, 200),
      height: HEIGHT,
      legend: { show: false },
      padding: [8, 22, 0, 0],
      scales: {
        x: { time: false, range: () => this.view },
        y: { range: (_, low, high) => uPlot.rangeNum(Math.min(low ?? threshold, threshold), Math.max(high ?? threshold, threshold), 0.1, true) },
      },
      axes: [
        { ...axis, size: 28, splits: (plot) => this.marks(plot).marks, values: (plot, marks) => marks.map((mark) => this.times.tick(mark, this.marks(plot).step)) },
        { ...axis, size: 64, values: (_, marks) => marks.map((mark) => mark.toLocaleString('en-US', { maximumFractionDigits: 6 })) },
      ],
      series: [{}, { stroke: colour('accent'), width: 1.5, points: { size: 4 } }],
      cursor: { y: false, drag: { x: true, y: false, setScale: false }, sync: { key: 'run', filters: { pub: (type) => type === 'mousemove' || type === 'mouseleave' } }, bind: { dblclick: () => () => this.all() } },
      hooks: {
        drawClear: [(plot) => this.mark(plot, entry)],
        draw: [(plot) => this.limit(plot, threshold)],
        setCursor: [(plot) => this.read(entry, plot.cursor.idx)],
        setSelect: [(plot) => this.selected(plot)],
      },
    };
  }

  marks(plot) {
    const room = plot.bbox.width / (window.devicePixelRatio || 1) / 90;
    return ticks(this.view[0], this.view[1], Math.max(room, 2), this.times.offset);
  }

  /** Alerts behind the line, from their first window's start to their last one's end. */
  mark(plot, { group, about, column }) {
    const { left, top, width, height } = plot.bbox;
    const context = plot.ctx;
    const limits = (x) => Math.min(Math.max(x, left), left + width);
    context.save();
    context.font = `${11 * (window.devicePixelRatio || 1)}px system-ui, sans-serif`;
    context.textBaseline = 'top';
    context.textAlign = 'left';
    for (const [label, start, end, metrics] of group.spans) {
      if (!metrics.includes(column) || end < this.view[0] || start > this.view[1]) continue;
      const [from, to] = [limits(plot.valToPos(start, 'x', true)), limits(plot.valToPos(end, 'x', true))];
      this.shade(context, label, from, top, Math.max(to - from, 2), height);
      context.fillStyle = colour('level-3');
      context.fillRect(from, top, Math.max(to - from, 2), 3);
      const { text } = about.labels[label];
      if (context.measureText(text).width + 12 < to - from) {
        context.fillStyle = colour('text');
        context.fillText(text, from + 6, top + 7);
      }
    }
    context.restore();
  }

  limit(plot, threshold) {
    const { left, width } = plot.bbox;
    const y = Math.round(plot.valToPos(threshold, 'y', true));
    const ratio = window.devicePixelRatio || 1;
    const context = plot.ctx;
    context.save();
    context.strokeStyle = colour('level-4');
    context.lineWidth = ratio;
    context.setLineDash([6 * ratio, 4 * ratio]);
    context.beginPath();
    context.moveTo(left, y);
    context.lineTo(left + width, y);
    context.stroke();
    context.restore();
  }

  /** Say what is under the pointer, or what the chart is about. */
  read({ group, about, metric, column, readout, points }, place) {
    const value = place === null || place === undefined ? null : points.values[place];
    if (value === null || value === undefined) {
      readout.replaceChildren(`threshold ${metric.threshold}`);
      return;
    }
    const start = points.starts[place];
    const label = group.labels[group.starts.indexOf(start)];
    const what = value > metric.threshold ? ', above the threshold' : '';
    readout.replaceChildren(el('strong', {}, String(value)), ` ${this.times.span(start, start + this.data.window)}${what}`,
      ...(label ? [' · ', own(about.labels[label - 1].text)] : []));
  }

  selected(plot) {
    const { left, width } = plot.select;
    if (width < 4) return;
    const view = [plot.posToVal(left, 'x'), plot.posToVal(left + width, 'x')];
    plot.setSelect({ left: 0, width: 0, top: 0, height: 0 }, false);
    this.setView(...view);
  }

  all() {
    this.setView(this.data.time.first, this.data.time.last);
  }

  zoom(by) {
    const [from, to] = this.view;
    const half = Math.max((to - from) / by, this.data.window * 2) / 2;
    this.setView((from + to) / 2 - half, (from + to) / 2 + half);
  }

  pan(by) {
    const [from, to] = this.view;
    const { first, last } = this.data.time;
    const move = Math.min(Math.max((to - from) * by, first - from), last - to);
    this.setView(from + move, to + move);
  }

  setView(from, to) {
    const { first, last } = this.data.time;
    this.view = [Math.max(Math.round(from), first), Math.max(Math.min(Math.round(to), last), first + 1)];
    this.plots.forEach((plot) => plot.setScale('x', { min: this.view[0], max: this.view[1] }));
    this.changed(this.view);
  }

  resize() {
    for (const plot of this.plots) {
      const width = plot.root.parentElement.clientWidth;
      if (width && width !== plot.width) plot.setSize({ width, height: HEIGHT });
    }
  }
}
