// Puts the page together from the overview, and opens a server's block when it is looked at.

/** What happened, in one line, and the worst of it in another. */
function showSummary(data, times) {
  const bad = data.servers.incidents.filter((n) => n > 0).length;
  const all = data.servers.id.length;
  const windows = data.groups.reduce((sum, group) => sum + group.windows, 0);
  byId('run').textContent = data.run;
  const { first, last } = data.time;
  const facts = [
    data.facts.dataset ? data.facts.dataset.name : null,
    last > first ? `${times.span(first, last)}${times.zone ? ` (${times.zone})` : ''}` : null,
    `${plural(windows, 'window')} of ${data.window} s, one every ${data.slide} s`,
    data.facts.started ? `run started ${data.facts.started}` : null,
  ].filter(Boolean);
  byId('about').replaceChildren(...facts.flatMap((fact, i) => (i ? [' · ', own(fact)] : [own(fact)])));
  byId('verdict').textContent = data.total
    ? `${plural(data.total, 'incident')} on ${count(bad)} of ${plural(all, 'server')}`
    : windows ? `✓ No incidents on ${plural(all, 'server')}` : 'No windows: no server had values in this run';
  byId('verdict').classList.toggle('good', !data.total && windows > 0);
  if (!data.total) {
    byId('worst').textContent = windows ? 'No value was above its threshold.' : 'Check the setting start and the data set.';
    return;
  }
  const [label, start, end, column, peak, , percent] = data.servers.worst[0];
  byId('worst').replaceChildren('Worst: ', el('strong', {}, own(data.servers.id[0])), ', ', own(label), `, ${times.span(start, end)} (${duration(end - start)}): `,
    own(column), ' up to ', el('strong', {}, value(peak)), ', ', el('strong', {}, above(percent)), ' above its threshold.');
}

function showLabels(data, choose) {
  const cards = data.groups.flatMap((group, g) => group.labels.map(({ text, windows, incidents }, l) => el('li', {},
    el('button', { type: 'button', class: 'card', 'data-label': `${g}/${l}`, disabled: !incidents, click: () => choose(g, l) },
      el('strong', {}, count(incidents)), own(text), el('small', {}, `${plural(windows, 'window')} · ${group.name}`)))));
  byId('labels').replaceChildren(...cards);
}

function showLegend(data) {
  const bounds = data.levels.map((bound) => `${bound * 100} %`);
  const names = [`below ${bounds[0]}`, ...bounds.slice(1).map((bound, i) => `${bounds[i]} – ${bound}`), `from ${bounds[bounds.length - 1]}`];
  const keys = names.map((name, i) => {
    const bar = el('span', { class: `key level-${i + 1}` });
    bar.style.height = `${(i + 1) * 3.5}px`;
    return el('span', {}, bar, name);
  });
  const lanes = data.groups.map((group) => group.name).join(', then ');
  byId('legend').replaceChildren(`Lanes from the top: ${lanes}. Above the threshold: `, ...keys);
}

function serversTable(data, times, timeline, open) {
  const { id, seconds, incidents, strip, worst } = data.servers;
  const ratio = (s) => (worst[s] ? worst[s][6] ?? Infinity : -1);
  const columns = [
    { title: 'Server', key: (s) => id[s], class: 'name', cell: (s) => el('button', { type: 'button', class: 'link', click: () => open(s), title: visible(id[s]) }, own(id[s])) },
    { title: [el('span', { class: 'hidden' }, 'When'), timeline.axis()], fixed: true, class: 'when', cell: (s) => timeline.strip(strip[s], `${plural(incidents[s], 'incident')}, ${duration(seconds[s])} in alert`, (at) => open(s, at)) },
    { title: 'Incidents', numeric: true, descending: true, key: (s) => incidents[s], cell: (s) => count(incidents[s]) },
    { title: 'In alert', numeric: true, descending: true, key: (s) => seconds[s], cell: (s) => (seconds[s] ? duration(seconds[s]) : '–') },
    { title: 'Worst', descending: true, class: 'worst', key: ratio, cell: (s) => (worst[s] ? worstCell(worst[s], times) : '–') },
  ];
  const rows = id.map((_, place) => place);
  const lanes = data.all.map((counts) => ({ counts, shares: counts.map((n) => n / Math.max(id.length, 1)) }));
  const lead = id.length < 2 ? null : el('tr', { role: 'row', class: 'all' },
    el('th', { role: 'rowheader', scope: 'row' }, 'All servers'),
    el('td', { role: 'cell', class: 'when' }, timeline.strip(lanes, 'How many of all servers were in alert')),
    el('td', { role: 'cell', class: 'number' }, count(data.total)),
    el('td', { role: 'cell', class: 'number' }), el('td', { role: 'cell', class: 'muted worst' }, 'share of servers in alert'));
  const table = new Table(byId('servers-table'), {
    caption: 'Servers with their incidents over time', columns, rows, lead, first: 4, sizes: [8, 50, 500], empty: 'No such server.', drawn: () => timeline.tidy(),
  });
  byId('servers-filter').parentElement.hidden = id.length <= 8;
  byId('servers-filter').addEventListener('input', (event) => {
    const part = event.target.value.toLowerCase();
    table.filter((s) => id[s].toLowerCase().includes(part));
  });
  return table;
}

function worstCell([label, , , column, peak, at, percent], times) {
  return [el('strong', {}, above(percent)), ' ', own(label), el('small', {}, own(column), ' ', value(peak), ` at ${times.full(at)}`)];
}

function incidentsTable(data, times, open) {
  const list = data.incidents;
  const id = (i) => data.servers.id[list.server[i]];
  const label = (i) => data.groups[list.group[i]].labels[list.label[i]].text;
  const limit = (i) => data.groups[list.group[i]].metrics.find((metric) => metric.name === list.metric[i]).threshold;
  const columns = [
    { title: 'Server', class: 'name', key: id, cell: (i) => el('button', { type: 'button', class: 'link', title: visible(id(i)), click: () => open(list.server[i], list.start[i], list.end[i]) }, own(id(i))) },
    { title: 'Label', key: label, cell: (i) => own(label(i)) },
    { title: 'When', class: 'time', key: (i) => list.start[i], cell: (i) => times.span(list.start[i], list.end[i]) },
    { title: 'Duration', numeric: true, descending: true, key: (i) => list.end[i] - list.start[i], cell: (i) => duration(list.end[i] - list.start[i]) },
    { title: 'Windows', numeric: true, descending: true, key: (i) => list.windows[i], cell: (i) => count(list.windows[i]) },
    { title: 'Peak', numeric: true, descending: true, key: (i) => Number(list.peak[i]), cell: (i) => [el('small', {}, own(list.metric[i])), ' ', value(list.peak[i])] },
    { title: 'Threshold', numeric: true, key: limit, cell: (i) => String(limit(i)) },
    { title: 'Above', numeric: true, descending: true, key: (i) => list.percent[i] ?? Infinity, cell: (i) => [el('span', { class: `key level-${level(list.percent[i], data.levels)}`, 'aria-hidden': 'true' }), el('strong', {}, above(list.percent[i]))] },
  ];
  const table = new Table(byId('incidents-table'), {
    caption: 'Incidents, the worst first', columns, rows: list.start.map((_, i) => i), first: 7, sizes: [12, 50, 500], empty: 'No incident fits the filters.',
  });
  if (data.listed < data.total) {
    byId('incidents-table').prepend(el('p', { class: 'muted' }, `The ${count(data.listed)} worst of ${count(data.total)} are listed here; incidents.csv has all.`));
  }
  return { table, id };
}

/** The filters of the incidents; returns a function that sets the label. */
function filters(data, { table, id }) {
  const [server, label] = [byId('incidents-server'), byId('incidents-label')];
  const list = data.incidents;
  label.append(el('option', { value: '' }, 'all'), ...data.groups.flatMap((group, g) => group.labels.map(({ text }, l) => el('option', { value: `${g}/${l}` }, text))));
  const apply = () => {
    const part = server.value.toLowerCase();
    table.filter((i) => (!label.value || label.value === `${list.group[i]}/${list.label[i]}`) && (!part || id(i).toLowerCase().includes(part)));
    document.querySelectorAll('.card').forEach((card) => card.setAttribute('aria-pressed', String(card.dataset.label === label.value)));
  };
  server.addEventListener('input', apply);
  label.addEventListener('change', apply);
  byId('incidents-clear').addEventListener('click', () => {
    [server.value, label.value] = ['', ''];
    apply();
  });
  apply();
  return (g, l) => {
    label.value = label.value === `${g}/${l}` ? '' : `${g}/${l}`;
    apply();
  };
}

function showChanges(data, times) {
  if (!data.against) return;
  const { run, notes, kinds, rows, listed } = data.against;
  const total = Object.values(kinds).reduce((sum, n) => sum + n, 0);
  byId('changes').hidden = false;
  byId('changes-title').replaceChildren('Compared with run ', own(run));
  const parts = ['new', 'gone', 'changed'].map((kind) => `${count(kinds[kind] || 0)} ${kind}`);
  byId('changes-about').replaceChildren(`${parts.join(', ')}.`, listed < total ? ` The first ${count(listed)} are listed.` : '',
    ...(notes.length ? [' Settings differ: ', own(notes.join('; ')), '.'] : []));
  const at = (place) => (row) => row[place];
  const columns = [
    { title: 'Change', key: at(0), cell: at(0) },
    { title: 'Server', class: 'name', key: at(1), cell: (row) => own(row[1]) },
    { title: 'Label', key: at(5), cell: (row) => own(row[5]) },
    { title: 'When', class: 'time', key: at(2), cell: (row) => [`${row[2]} – ${row[3]}`, ...(row[14] && (row[14] !== row[2] || row[15] !== row[3]) ? [el('small', {}, `was ${row[14]} – ${row[15]}`)] : [])] },
    { title: 'Peak', numeric: true, key: (row) => Number(row[9]), cell: (row) => [el('small', {}, own(row[8])), ' ', value(row[9]), ...(row[17] && row[17] !== row[9] ? [el('small', {}, ' was ', value(row[17]))] : [])] },
  ];
  new Table(byId('changes-table'), { caption: 'Changes', columns, rows, sizes: [12, 50, 500], empty: 'Nothing differs.' });
}

/** The charts of one server, their buttons and keys; returns a function that opens a server at a time. */
function detail(data, times, blocks) {
  const [choice, host, rows] = [byId('detail-server'), byId('charts'), byId('rows')];
  const charts = new Charts(host, data, times, (view) => {
    byId('view').textContent = `${times.span(view[0], view[1])} (${duration(view[1] - view[0])})`;
    if (rows.open) showRows();
  });
  const showRows = () => byId('rows-tables').replaceChildren(...(charts.groups || []).map((group, g) => rowsTable(data, times, charts, group, g)));
  rows.addEventListener('toggle', showRows);
  choice.append(...data.servers.id.slice(0, data.blocks.servers).map((name, s) => el('option', { value: s }, visible(name))));
  let chosen = null;
  const open = async (server) => {
    choice.value = chosen = server;
    if (server >= blocks.length) return byId('detail-note').replaceChildren('This server is too far down the list to have its windows in the page; its table has them.');
    const groups = await unpack(blocks[server]);
    if (server !== chosen) return null; // another one was chosen meanwhile
    charts.show(groups, data.servers.id[server]);
    byId('detail-note').textContent = note(data, groups);
    host.dataset.server = server;
    return null;
  };
  choice.addEventListener('change', () => open(Number(choice.value)));
  const actions = {
    'zoom-in': () => charts.zoom(ZOOM), 'zoom-out': () => charts.zoom(1 / ZOOM), 'pan-left': () => charts.pan(-0.25), 'pan-right': () => charts.pan(0.25), 'zoom-all': () => charts.all(),
  };
  const keys = { '+': 'zoom-in', '=': 'zoom-in', '-': 'zoom-out', ArrowLeft: 'pan-left', ArrowRight: 'pan-right', 0: 'zoom-all', Home: 'zoom-all' };
  for (const [id, act] of Object.entries(actions)) byId(id).addEventListener('click', act);
  host.addEventListener('keydown', (event) => {
    const id = keys[event.key];
    if (!id || event.ctrlKey || event.altKey || event.metaKey) return;
    event.preventDefault();
    actions[id]();
  });
  return { charts, open };
}

function note(data, groups) {
  const shown = Math.max(0, ...groups.map((group) => group.labels.length));
  return data.blocks.whole ? 'Drag over a chart to zoom, double-click to see all. Every window is shown.'
    : `Drag over a chart to zoom, double-click to see all. Shown are ${count(shown)} windows a group: the lowest and highest of each stretch, to ${data.blocks.digits} digits; alerts are exact, and the tables have every window.`;
}

function rowsTable(data, times, charts, group, g) {
  const about = data.groups[g];
  const [from, to] = charts.view;
  const rows = group.starts.map((_, i) => i).filter((i) => group.starts[i] + data.window > from && group.starts[i] < to);
  const columns = [
    { title: 'Window', key: (i) => group.starts[i], cell: (i) => times.span(group.starts[i], group.starts[i] + data.window) },
    ...about.metrics.map((metric, column) => ({ title: metric.name, numeric: true, descending: true, key: (i) => group.values[column][i], cell: (i) => String(group.values[column][i]) })),
    { title: 'Alert', descending: true, key: (i) => group.labels[i], cell: (i) => (group.labels[i] ? own(about.labels[group.labels[i] - 1].text) : '') },
  ];
  const host = el('div', { class: 'rows' });
  new Table(host, { caption: `Windows of ${about.name} in the time shown`, columns, rows, sizes: [12, 50, 500], empty: 'No window in this time.' });
  return host;
}

function onPaper(tables, redraw) {
  window.addEventListener('beforeprint', () => {
    document.documentElement.classList.add('paper');
    tables.forEach((table) => table.spread(500));
    redraw();
  });
  window.addEventListener('afterprint', () => {
    document.documentElement.classList.remove('paper');
    tables.forEach((table) => table.restore());
    redraw();
  });
}

async function start() {
  const data = await unpack(byId('overview').textContent);
  const blocks = JSON.parse(byId('blocks').textContent);
  const times = new Times(data.time);
  const timeline = new Timeline(data, times);
  const { charts, open } = detail(data, times, blocks);
  /** Go to a server's charts, at a time or over an incident. */
  const visit = async (server, from = null, to = null) => {
    await open(server);
    if (from !== null) {
      const room = to === null ? 1800 : Math.max((to - from) * 1.5, data.window * 4);
      charts.setView(from - room, (to === null ? from : to) + room);
    }
    byId('detail').scrollIntoView();
    byId('charts').focus({ preventScroll: true });
  };
  showSummary(data, times);
  showLegend(data);
  const servers = serversTable(data, times, timeline, visit);
  const incidents = incidentsTable(data, times, visit);
  showLabels(data, filters(data, incidents));
  showChanges(data, times);
  showFacts(byId('facts'), data.facts);
  const redraw = () => {
    timeline.redraw();
    if (charts.groups) charts.build();
  };
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', redraw);
  onPaper([servers, incidents.table], redraw);
  if (blocks.length && data.servers.id.length) await open(0);
  else byId('detail').hidden = true;
  byId('servers').hidden = !data.servers.id.length;
  byId('incidents').hidden = !data.total;
  document.documentElement.dataset.ready = 'true';
}

start();
