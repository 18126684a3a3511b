// Several servers under the same multiples of their own capacity.

function comparePage(reports) {
  const best = Math.max(0, ...reports.map((report) => median(report.capacity_per_second) ?? 0));
  const charts = gallery(
    ratioChart(reports, best),
    absoluteChart(reports),
    tailChart(reports),
    goodShareChart(reports),
  );
  const hint = charts && reports.length > 1 ? element("p", null, LEGEND_HINT) : null;
  return [
    header(
      "Comparison",
      compareTitle(reports),
      compareSummary(reports, best),
      compareFacts(reports),
    ),
    reports.length > 0
      ? section("Side by side", compareTable(reports, best), compareWarnings(reports))
      : null,
    section("Charts", hint, charts),
    reports.some((report) => report.command) ? section("Commands", commandsTable(reports)) : null,
  ];
}

/** The most names in a title. */
const NAMES_IN_TITLE = 4;

const LEGEND_HINT =
  "Click a name in a legend to hide or show it in all charts; with Ctrl or ⌘, to show it alone.";

function compareTitle(reports) {
  if (reports.length === 0) return "Nothing to compare";
  if (reports.length > NAMES_IN_TITLE) return `${reports.length} servers`;
  return reports.map(nameOf).join(", ");
}

function nameOf(report) {
  return report.name || report.url;
}

function multiples(reports) {
  return [
    ...new Set(reports.flatMap((report) => report.points.map((point) => point.multiple))),
  ].sort((a, b) => a - b);
}

function pointAt(report, multiple) {
  return report.points.find((point) => point.multiple === multiple) ?? null;
}

/** Sentences on the best goodput, and on the goodput of each server at the highest load. */
function compareSummary(reports, best) {
  const loads = multiples(reports.filter((report) => report.points.length > 0));
  if (loads.length === 0) return ["No load was measured."];
  if (!(best > 0)) return ["No server gave a good answer at any load."];
  const most = (report) =>
    Math.max(0, ...report.points.map((point) => median(point.goodput_per_second)));
  const first = reports.reduce((a, b) => (most(b) > most(a) ? b : a));
  const highest = loads[loads.length - 1];
  const there = reports
    .map((report) => ({ name: nameOf(report), point: pointAt(report, highest) }))
    .filter(({ point }) => point !== null)
    .sort((a, b) => b.point.goodput_ratio.median - a.point.goodput_ratio.median);
  const text = ({ name, point }) => `${name} ${percent(median(point.goodput_ratio))}`;
  const shown =
    there.length <= NAMES_IN_TITLE
      ? there.map(text).join(", ")
      : `${there.slice(0, 2).map(text).join(", ")} … ${there.slice(-2).map(text).join(", ")}`;
  return [
    `${nameOf(first)} had the best goodput, ${count(most(first))} good answers per second.`,
    `At ${times(highest)} load, the share of the best goodput was: ${shown}.`,
  ];
}

function compareFacts(reports) {
  const same = (textOf) => {
    const texts = new Set(reports.map(textOf));
    return texts.size === 1 ? [...texts][0] : null;
  };
  return [
    ["SLO", same((report) => report.slo_seconds.map(duration).join(", "))],
    ["Deadline", same((report) => duration(report.deadline_seconds))],
    ["Cores", same((report) => String(report.cores || ""))],
    ["URL", same((report) => report.url)],
  ];
}

function compareTable(reports, best) {
  const cell = (multiple) => (report) => {
    const point = pointAt(report, multiple);
    if (point === null) return UNKNOWN;
    const ratio =
      best > 0 && median(point.goodput_per_second) !== null
        ? point.goodput_per_second.median / best
        : null;
    return element(
      "span",
      null,
      point.kept_schedule ? "" : "⚠ ",
      percent(ratio),
      element("small", null, duration(median(point.p99))),
    );
  };
  return [
    element(
      "p",
      null,
      "Under each load: goodput as a share of the best capacity, and below it the p99 of right answers.",
    ),
    table(
      [
        { head: "Name", cell: (report) => element("b", null, nameOf(report)), text: true },
        { head: "Capacity C", cell: (report) => spreadCell(report.capacity_per_second, rate) },
        { head: "λmax", cell: (report) => spreadCell(report.lambda_max?.per_second, rate) },
        ...multiples(reports).map((multiple) => ({ head: times(multiple), cell: cell(multiple) })),
      ],
      reports,
    ),
  ];
}

function compareWarnings(reports) {
  const warnings = [];
  const late = reports.filter((report) => report.points.some((point) => !point.kept_schedule));
  if (late.length > 0) {
    warnings.push(
      warning(
        `⚠ At marked loads the load generator did not keep its schedule: ${late.map(nameOf).join(", ")}.`,
      ),
    );
  }
  const slos = reports.map(
    (report) => `${nameOf(report)} ${report.slo_seconds.map(duration).join(", ")}`,
  );
  if (new Set(reports.map((report) => report.slo_seconds.join())).size > 1) {
    warnings.push(
      warning(`⚠ The SLOs differ, so goodput cannot be compared: ${slos.join("; ")}.`),
    );
  }
  return warnings;
}

function multipleAxis(reports) {
  const loads = multiples(reports).filter((multiple) => multiple > 0);
  const axis = {
    label: "offered load, as a multiple of capacity",
    format: times,
    name: (x) => `${times(x)} load`,
    log: true,
  };
  if (loads.length > 0) axis.ticks = ticksOf(loads.map((multiple) => [multiple, multiple]));
  return axis;
}

/** One line for each report. */
function reportLines(reports, xOf, spreadOf) {
  return reports.map((report, nth) =>
    spreadLine(nameOf(report), nth, report.points, report.points.map(xOf), spreadOf),
  );
}

function ratioChart(reports, best) {
  if (!(best > 0)) return null;
  const ratio = ({ goodput_per_second: goodput }) => ({
    median: goodput.median / best,
    low: goodput.low / best,
    high: goodput.high / best,
  });
  return lineChart({
    shared: true,
    title: "Goodput, relative to the best",
    note: "As a share of the best capacity. Bars: range of the rounds.",
    x: multipleAxis(reports),
    y: { label: "goodput / best C", format: percent },
    lines: reportLines(reports, (point) => point.multiple, ratio),
  });
}

function absoluteChart(reports) {
  return lineChart({
    shared: true,
    title: "Goodput",
    note: "Right answers within the SLO, against the offered load.",
    x: {
      label: "offered load (requests/s)",
      format: count,
      name: (x) => `${rate(x)} offered`,
      log: true,
    },
    y: { label: "good answers/s", format: count },
    lines: reportLines(
      reports,
      (point) => median(point.offered_per_second),
      (point) => point.goodput_per_second,
    ),
  });
}

function tailChart(reports) {
  const slos = [...new Set(reports.flatMap((report) => report.slo_seconds.slice(0, 1)))];
  return lineChart({
    shared: true,
    title: "p99 response time",
    note: "Of right answers, from the intended start of each request.",
    x: multipleAxis(reports),
    y: { label: "p99", format: duration, log: true },
    levels: slos.map((slo) => ({ at: slo, name: `SLO ${duration(slo)}` })),
    lines: reportLines(
      reports,
      (point) => point.multiple,
      (point) => point.p99,
    ),
  });
}

function goodShareChart(reports) {
  return lineChart({
    shared: true,
    title: "Share of good answers",
    note: "Of the scheduled requests.",
    x: multipleAxis(reports),
    y: { label: "share good", format: percent, upTo: 1 },
    lines: reportLines(
      reports,
      (point) => point.multiple,
      (point) => ({ median: point.shares[0] }),
    ),
  });
}

function commandsTable(reports) {
  return table(
    [
      { head: "Name", cell: (report) => element("b", null, nameOf(report)), text: true },
      { head: "URL", cell: (report) => report.url, text: true },
      { head: "Cores", cell: (report) => String(report.cores || UNKNOWN) },
      { head: "Command", cell: (report) => element("code", null, report.command), text: true },
    ],
    reports,
  );
}
