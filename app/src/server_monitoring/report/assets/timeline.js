// The heat strips: time from left to right, a lane for each metric group, taller and darker is further above the threshold.

const LANE = 15;
const LEVELS = 4;

class Timeline {
  constructor(data, times) {
    Object.assign(this, { data, times, canvases: new Map() });
    this.lanes = data.groups.length;
    this.seen = new IntersectionObserver((entries) => {
      for (const entry of entries) if (entry.isIntersecting) this.draw(entry.target);
    }, { rootMargin: '200px' });
    this.sized = new ResizeObserver((entries) => entries.forEach((entry) => this.draw(entry.target)));
  }

  /** A strip: `lanes` holds for each group either digits (levels) or shares from 0 to 1 (how many of all servers). */
  strip(lanes, label, open) {
    const canvas = el('canvas', { class: 'strip', role: 'img', 'aria-label': label, height: LANE * this.lanes });
    this.canvases.set(canvas, lanes);
    this.seen.observe(canvas);
    this.sized.observe(canvas);
    canvas.addEventListener('mousemove', (event) => { canvas.title = this.tell(lanes, this.place(canvas, event)); });
    if (open) canvas.addEventListener('click', (event) => open(this.second(this.place(canvas, event))));
    return canvas;
  }

  place(canvas, event) {
    const share = event.offsetX / canvas.clientWidth;
    return Math.min(Math.max(Math.floor(share * this.data.all[0].length), 0), this.data.all[0].length - 1);
  }

  second(place) {
    const { first, last } = this.data.time;
    return first + ((place + 0.5) * (last - first)) / this.data.all[0].length;
  }

  tell(lanes, place) {
    const at = this.times.full(Math.round(this.second(place)));
    const words = lanes.map((lane, i) => {
      const name = this.data.groups[i].name;
      if (typeof lane === 'string') return `${name}: ${Number(lane[place]) ? this.words(Number(lane[place])) : 'no alert'}`;
      return `${name}: ${plural(lane.counts[place], 'server')}`;
    });
    return `about ${at}\n${words.join('\n')}`;
  }

  words(n) {
    const bounds = [0, ...this.data.levels].map((bound) => `${bound * 100}`);
    return n < LEVELS ? `${bounds[n - 1]} to ${bounds[n]} % above the threshold` : `${bounds[n - 1]} % or more above the threshold`;
  }

  draw(canvas) {
    const width = canvas.clientWidth;
    if (!width) return;
    const ratio = window.devicePixelRatio || 1;
    const height = LANE * this.lanes;
    canvas.width = Math.round(width * ratio);
    canvas.height = Math.round(height * ratio);
    const context = canvas.getContext('2d');
    context.scale(ratio, ratio);
    const colours = Array.from({ length: LEVELS }, (_, i) => colour(`level-${i + 1}`));
    const [track, quiet] = [colour('line'), colour('muted')];
    this.canvases.get(canvas).forEach((lane, place) => {
      const foot = (place + 1) * LANE - 1;
      const bins = typeof lane === 'string' ? lane.length : lane.shares.length;
      context.fillStyle = track;
      context.fillRect(0, foot, width, 1);
      for (let bin = 0; bin < bins; bin += 1) {
        const tall = typeof lane === 'string' ? Number(lane[bin]) / LEVELS : lane.shares[bin];
        if (tall <= 0) continue;
        context.fillStyle = typeof lane === 'string' ? colours[Number(lane[bin]) - 1] : quiet;
        const high = Math.max(tall * (LANE - 3), 2);
        // On whole pixels: half-covered edges would look like other levels.
        const [left, right] = [bin, bin + 1].map((edge) => Math.round((edge * width * ratio) / bins) / ratio);
        context.fillRect(left, foot - high, Math.max(right - left, 1 / ratio), high);
      }
    });
  }

  redraw() {
    for (const canvas of this.canvases.keys()) {
      if (canvas.isConnected) this.draw(canvas);
    }
  }

  /** Forget strips that are no longer in the page. */
  tidy() {
    for (const canvas of this.canvases.keys()) {
      if (canvas.isConnected) continue;
      this.seen.unobserve(canvas);
      this.sized.unobserve(canvas);
      this.canvases.delete(canvas);
    }
  }

  /** The heading above the strips: marks at round times. */
  axis() {
    const { first, last } = this.data.time;
    const host = el('span', { class: 'axis', 'aria-hidden': 'true' });
    if (last <= first) return host;
    const { step, marks } = ticks(first, last, 8, this.times.offset);
    for (const mark of marks) {
      const share = (mark - first) / (last - first);
      if (share > 0.93) continue;
      const tick = el('span', {}, this.times.tick(mark, step));
      tick.style.left = `${share * 100}%`;
      host.append(tick);
    }
    return host;
  }
}
