// Response times by class: a table against the SLO, and the distribution.

const CHART = { width: 760, height: 300, left: 52, right: 16, top: 16, bottom: 36 };
/** The heights of the chart: as many nines as an operator asks for. */
const SHARES = [0, 0.5, 0.9, 0.99, 0.999, 0.9999];
const COLORS = 8;
/** With fewer times all of them are below p99.9 in more than 2.5 % of all cases: 0.999^3688. */
const P999_LEAST = 3688;

function classesTable() {
  const over = (read) => ({
    show: (cell, row) => {
      const value = read(row);
      setText(cell, duration(value));
      cell.classList.toggle("over", isNumber(row.slo) && value > row.slo);
    },
  });
  return liveTable([
    { head: "Class", text: true, show: showClassName },
    { head: "SLO for p99", cell: ({ slo }) => duration(slo) },
    { head: "Answered", cell: ({ recent, seconds }) => rate(perSecond(recent.count, seconds)) },
    { head: "p50, last 10 s", cell: ({ recent }) => duration(recent.p50) },
    { head: "p99, last 10 s", ...over(({ recent }) => recent.p99) },
    { head: "p99.9, last 10 s", cell: ({ recent }) => tailOf(recent) },
    { head: "p99.9, last minute", cell: ({ minute, bounds }) => tailOfMinute(minute, bounds) },
    { head: "p50 since start", cell: ({ life }) => duration(life?.p50) },
    { head: "p99 since start", ...over(({ life }) => life?.p99) },
    { head: "p99.9 since start", cell: ({ life }) => tailOf(life) },
    { head: "Longest", cell: ({ life }) => duration(life?.max) },
    { head: "Answered so far", cell: ({ life }) => count(life?.count ?? 0) },
  ]);
}

function showClasses(made, chart, report, past) {
  const seconds = Math.max(...report.stages.map((stage) => stage.last_ten_seconds.seconds), 0);
  const rows = report.classes.map((known, nth) => ({
    name: known.name,
    slo: known.promised_seconds,
    recent: known.last_ten_seconds,
    seconds,
    life: report.response_seconds[known.name],
    minute: past.responses(known.name),
    bounds: past.bounds,
    color: (nth % COLORS) + 1,
  }));
  made.show(rows);
  showDistribution(chart, rows, past.bounds);
}

/** The 99.9th percentile, unless there are too few times. */
function tailOf(times) {
  return times?.count > 0 && times.count < P999_LEAST ? "too few" : duration(times?.p999);
}

/** The same of the last minute, as the bound of its bucket. */
function tailOfMinute(buckets, bounds) {
  const total = (buckets ?? []).reduce((all, count) => all + count, 0);
  if (!bounds || total === 0) return UNKNOWN;
  if (total < P999_LEAST) return "too few";
  let within = 0;
  const nth = buckets.findIndex((count) => (within += count) >= total * 0.999);
  return nth < bounds.length ? `≤ ${duration(bounds[nth])}` : `> ${duration(bounds.at(-1))}`;
}

function showClassName(cell, { name, color }) {
  if (!cell.firstElementChild) {
    const line = svgElement("path", { d: "M0 4H24" });
    cell.append(svgElement("svg", { class: "key", viewBox: "0 0 24 8" }, line), element("span"));
  }
  cell.querySelector("path").setAttribute("class", `color-${color}`);
  setText(cell.lastElementChild, name);
}

/** The height of a share: each nine takes the same height. */
function heightOf(share) {
  const nines = Math.min(-Math.log10(Math.max(1 - share, 1e-9)), 4);
  const whole = CHART.height - CHART.top - CHART.bottom;
  return CHART.height - CHART.bottom - (nines / 4) * whole;
}

/** The distribution since the start as pairs of a time and a share. */
function sinceStart(life) {
  if (!life || !(life.count > 0)) return [];
  return life.cdf.map(([time, within]) => [time, within / life.count]);
}

/** The distribution of the last minute, from its buckets. */
function ofMinute(buckets, bounds) {
  const total = (buckets ?? []).reduce((all, count) => all + count, 0);
  if (!bounds || !(total > 0)) return [];
  let within = 0;
  const pairs = bounds.map((bound, nth) => [bound, (within += buckets[nth] ?? 0) / total]);
  // Curves begin at the last empty bucket and end at the first that has all.
  const first = Math.max(pairs.findIndex(([, share]) => share > 0) - 1, 0);
  const all = pairs.findIndex(([, share]) => share >= 1);
  return pairs.slice(first, all < 0 ? pairs.length : all + 1);
}

function showDistribution(chart, rows, bounds) {
  const curves = rows.map((row) => ({
    ...row,
    curves: [ofMinute(row.minute, bounds), sinceStart(row.life)],
  }));
  const pairs = curves.flatMap((row) => row.curves.flat()).filter(([time]) => time > 0);
  if (pairs.length === 0) {
    chart.replaceChildren();
    return;
  }
  const slos = [...new Set(rows.map((row) => row.slo).filter(isNumber))];
  const times = [...pairs.map(([time]) => time), ...slos];
  const from = Math.floor(Math.log10(Math.min(...times)));
  const to = Math.max(Math.ceil(Math.log10(Math.max(...times))), from + 1);
  const across = CHART.width - CHART.left - CHART.right;
  const x = (time) => {
    const part = (Math.log10(Math.max(time, 10 ** from)) - from) / (to - from);
    return CHART.left + across * part;
  };
  const line = (pairs) => pathOf(pairs.map(([time, share]) => [x(time), heightOf(share)]));
  chart.replaceChildren(
    svgElement("title", null, "Distribution of the response times"),
    ...axes(from, to, x),
    ...slos.flatMap((slo) => sloLine(slo, x)),
    ...curves.flatMap(({ curves: [minute, start], color }) => [
      svgElement("path", { class: `curve since-start color-${color}`, d: line(start) }),
      svgElement("path", { class: `curve color-${color}`, d: line(minute) }),
    ]),
  );
}

function axes(from, to, x) {
  const [bottom, right] = [CHART.height - CHART.bottom, CHART.width - CHART.right];
  const rows = SHARES.map((share) => {
    const y = heightOf(share);
    const name = `${digits(share * 100)} %`;
    return [
      svgElement("path", { class: "grid", d: `M${CHART.left} ${y}H${right}` }),
      svgElement("text", { x: CHART.left - 6, y: y + 4, "text-anchor": "end" }, name),
    ];
  });
  const columns = Array.from({ length: to - from + 1 }, (_, nth) => {
    const time = 10 ** (from + nth);
    const anchor = nth === to - from ? "end" : nth === 0 ? "start" : "middle";
    return [
      svgElement("path", { class: "grid", d: `M${x(time)} ${CHART.top}V${bottom}` }),
      svgElement("text", { x: x(time), y: bottom + 15, "text-anchor": anchor }, duration(time)),
    ];
  });
  const name = "response time: last minute; dotted since the start";
  return [
    ...rows.flat(),
    ...columns.flat(),
    svgElement("text", { x: CHART.left, y: CHART.height - 4 }, name),
  ];
}

function sloLine(slo, x) {
  const at = x(slo);
  const isRight = at > CHART.width * 0.8;
  const anchor = isRight ? "end" : "start";
  return [
    svgElement("path", { class: "slo", d: `M${at} ${CHART.top}V${CHART.height - CHART.bottom}` }),
    svgElement(
      "text",
      { class: "slo-name", x: at + (isRight ? -5 : 5), y: CHART.top + 9, "text-anchor": anchor },
      `SLO ${duration(slo)}`,
    ),
  ];
}
