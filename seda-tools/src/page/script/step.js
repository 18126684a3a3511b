// One server while the load changes.

function stepPage(report) {
  const doubt = report.kept_schedule
    ? null
    : warning(
        "⚠ The load generator did not keep its schedule in some run: the load was not the one asked for.",
      );
  return [
    header("Step of load", report.name || report.url, stepSummary(report), stepFacts(report)),
    doubt,
    report.recoveries.length > 0 ? section("Recoveries", recoveriesTable(report.recoveries)) : null,
    report.parts.length > 0 ? section("Parts", partsTable(report.parts)) : null,
    section("Over time", timeline(rateChart(report), timesChart(report), endsChart(report))),
  ];
}

function stepSummary(report) {
  if (report.bins.length === 0) return ["No load was measured."];
  return report.recoveries.map(
    ({ change, p99_within_slo_after: tail, goodput_back_after: goodput }) => {
      const after = (seconds) => (seconds === 0 ? "at once" : `after ${duration(seconds)}`);
      const tailText = isNumber(tail)
        ? `p99 was within the SLO ${after(tail)}`
        : "p99 never came back within the SLO";
      const goodputText = isNumber(goodput)
        ? `goodput was back ${after(goodput)}`
        : "goodput never came back";
      return `${change}: ${goodputText}, ${tailText}.`;
    },
  );
}

function stepFacts(report) {
  return [
    ["URL", report.url],
    ["SLO", report.slo_seconds > 0 ? duration(report.slo_seconds) : null],
    ["Deadline", report.deadline_seconds > 0 ? duration(report.deadline_seconds) : null],
    ["Repeats", report.repeats > 0 ? `${report.repeats}, pooled` : null],
    ["Command", report.command ? element("code", null, report.command) : null],
  ];
}

function recoveriesTable(recoveries) {
  const after = (seconds) => (isNumber(seconds) ? duration(seconds) : "never");
  return table(
    [
      { head: "Change", cell: (recovery) => recovery.change, text: true },
      { head: "At", cell: (recovery) => duration(recovery.at_seconds) },
      { head: "Goodput back after", cell: (recovery) => after(recovery.goodput_back_after) },
      { head: "p99 within SLO after", cell: (recovery) => after(recovery.p99_within_slo_after) },
    ],
    recoveries,
  );
}

function partsTable(parts) {
  return table(
    [
      { head: "Part", cell: (part) => part.name, text: true },
      { head: "From", cell: (part) => duration(part.from_seconds) },
      { head: "To", cell: (part) => duration(part.to_seconds) },
      { head: "Offered", cell: (part) => spreadCell(part.offered_per_second, rate) },
      { head: "Goodput", cell: (part) => spreadCell(part.goodput_per_second, rate) },
      { head: "p50", cell: (part) => spreadCell(part.p50, duration) },
      { head: "p99", cell: (part) => spreadCell(part.p99, duration) },
    ],
    parts,
  );
}

function timeAxis(report) {
  const last = report.bins[report.bins.length - 1];
  return {
    upTo: last ? last.from_seconds + last.seconds : 1,
    label: "time since the run began (s)",
    format: count,
    name: (x) => `${x.toFixed(2)}${NBSP}s`,
  };
}

function bounds(report) {
  return report.parts.map((part) => ({ at: part.from_seconds, name: part.name }));
}

/** The middle of each bin, at which its values are drawn. */
function middles(bins) {
  return bins.map((bin) => bin.from_seconds + bin.seconds / 2);
}

/** A count of a bin per second of one run; counts are sums over the runs. */
function perSecond(report, bin, requests) {
  return bin.seconds > 0 ? requests / bin.seconds / Math.max(report.repeats, 1) : null;
}

function timeLine(name, nth, report, ys, more) {
  return {
    name,
    ...lineStyle(nth),
    xs: middles(report.bins),
    ys,
    width: 1.5,
    dots: report.bins.length === 1,
    ...more,
  };
}

function rateChart(report) {
  const { bins } = report;
  return lineChart({
    title: "Offered and good",
    note: "By the intended start of each request.",
    x: timeAxis(report),
    y: { label: "requests/s", format: count },
    bounds: bounds(report),
    lines: [
      timeLine(
        "offered",
        0,
        report,
        bins.map((bin) => perSecond(report, bin, bin.scheduled)),
        { color: "--level" },
      ),
      timeLine(
        "good",
        2,
        report,
        bins.map((bin) => perSecond(report, bin, bin.good)),
      ),
    ],
  });
}

function timesChart(report) {
  const { bins, slo_seconds: slo } = report;
  return lineChart({
    title: "Response times",
    note: "Of right answers, from the intended start of each request. Gaps have no answers.",
    x: timeAxis(report),
    y: { label: "response time", format: duration, log: true },
    bounds: bounds(report),
    levels: slo > 0 ? [{ at: slo, name: `SLO ${duration(slo)}` }] : [],
    lines: [
      timeLine(
        "p50",
        0,
        report,
        bins.map((bin) => bin.p50),
      ),
      timeLine(
        "p99",
        1,
        report,
        bins.map((bin) => bin.p99),
      ),
    ],
  });
}

function endsChart(report) {
  const { bins } = report;
  return stackChart({
    title: "Outcomes of the requests",
    note: "By the intended start of each request.",
    x: timeAxis(report),
    y: { label: "requests/s", format: count },
    bounds: bounds(report),
    width: bins.length > 0 ? bins[0].seconds : 1,
    xs: middles(bins),
    layers: OUTCOMES.map((outcome) => ({
      ...outcome,
      ys: bins.map((bin) => perSecond(report, bin, bin[outcome.field])),
    })),
  });
}
