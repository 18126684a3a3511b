// One server under rising load.

function sweepPage(report) {
  const points = report.points;
  return [
    header("Sweep over load", report.name || report.url, sweepSummary(report), sweepFacts(report)),
    points.length > 0
      ? section(
          "Results by load",
          pointsTable(points),
          verdictsFold(points),
          scheduleWarnings(report),
        )
      : null,
    section(
      "Load",
      gallery(
        goodputChart(report),
        responseChart(report),
        outcomesChart(points),
        utilizationChart(points),
      ),
    ),
    section("Distributions and checks", gallery(distributionChart(points), littleChart(points))),
    section("Stages", gallery(stageCharts(points)), stagesWithoutLoss(points)),
  ];
}

function sweepSummary(report) {
  if (report.points.length === 0) return ["No load was measured."];
  return [capacitySentence(report), overloadSentence(report.points[report.points.length - 1])];
}

function capacitySentence(report) {
  const most = `The server gave at most ${count(median(report.capacity_per_second))} good answers per second`;
  if (!report.lambda_max) return `${most}; it kept the SLO at no tried load.`;
  return `${most}, and kept the SLO up to ${count(median(report.lambda_max.per_second))} offered.`;
}

function overloadSentence(point) {
  const ratio = median(point.goodput_ratio);
  const over = point.multiple > 1;
  const how = over && ratio >= 0.9 ? "still gave" : over && ratio < 0.5 ? "gave only" : "gave";
  const p99 =
    median(point.p99) === null
      ? "no request was answered"
      : `p99 of right answers was ${duration(median(point.p99))}`;
  const lost = [
    [REFUSED, "were refused"],
    [TIMED_OUT, "timed out"],
  ].filter(([end]) => point.shares[end] > 0);
  const ends = lost.map(([end, outcome]) => `, ${percent(point.shares[end])} ${outcome}`).join("");
  const doubt = point.kept_schedule ? "" : " The load generator did not keep its schedule there.";
  return `At ${times(point.multiple)} its capacity it ${how} ${percent(ratio)} of its best goodput; ${p99}${ends}.${doubt}`;
}

function sweepFacts(report) {
  const rounds = report.rounds.length;
  const capacity = spreadText(report.capacity_per_second, rate);
  return [
    ["URL", report.url],
    ["Cores", report.cores > 0 ? String(report.cores) : null],
    ["SLO", report.slo_seconds.map(duration).join(", ")],
    ["Deadline", report.deadline_seconds > 0 ? duration(report.deadline_seconds) : null],
    [
      "Capacity C",
      report.points.length > 0 ? capacity + (rounds > 1 ? ` over ${rounds} rounds` : "") : null,
    ],
    [
      "λmax",
      report.lambda_max
        ? `${spreadText(report.lambda_max.per_second, rate)}: ${report.lambda_max.definition}`
        : null,
    ],
    ["Command", report.command ? element("code", null, report.command) : null],
  ];
}

function pointsTable(points) {
  const share = (end) => (point) => percent(point.shares[end]);
  const columns = [
    { head: "Load", cell: (point) => loadCell(point) },
    { head: "Offered", cell: (point) => rate(median(point.offered_per_second)) },
    { head: "Throughput", cell: (point) => spreadCell(point.throughput_per_second, rate) },
    { head: "Goodput", cell: (point) => spreadCell(point.goodput_per_second, rate) },
    { head: "Goodput/C", cell: (point) => spreadCell(point.goodput_ratio, percent) },
    { head: "p50", cell: (point) => spreadCell(point.p50, duration) },
    { head: "p99", cell: (point) => spreadCell(point.p99, duration) },
    { head: "Refused", cell: share(REFUSED) },
    { head: "Timed out", cell: share(TIMED_OUT) },
  ];
  return table(columns, points);
}

/** What limits the server at each load, folded because each is a sentence; null without `--pid`. */
function verdictsFold(points) {
  const judged = points.filter((point) => point.verdict);
  if (judged.length === 0) return null;
  return element(
    "details",
    null,
    element("summary", null, "What limits the server at each load"),
    table(
      [
        { head: "Load", cell: (point) => loadCell(point) },
        { head: "Verdict", cell: (point) => point.verdict, text: true },
      ],
      judged,
    ),
  );
}

function loadCell(point) {
  if (point.kept_schedule) return times(point.multiple);
  const mark = element(
    "span",
    { class: "doubt", title: "The load generator did not keep its schedule." },
    "⚠",
  );
  return element("span", null, mark, " ", times(point.multiple));
}

function scheduleWarnings(report) {
  const late = report.points.filter((point) => !point.kept_schedule);
  if (late.length === 0) return null;
  const loads = late.map((point) => times(point.multiple)).join(", ");
  const sentence = `⚠ At ${loads} the load generator did not keep its schedule: the load was not the one asked for.`;
  return [warning(sentence), reasonsFold(report)];
}

/** Why the schedule was not kept in each run, folded because each is a sentence. */
function reasonsFold(report) {
  const runs = report.rounds.flatMap((round) => round.runs);
  const late = runs.filter((run) => run.load.generator.why_not);
  if (late.length === 0) return null;
  return element(
    "details",
    null,
    element("summary", null, "Why the schedule was not kept"),
    table(
      [
        { head: "Load", cell: (run) => times(run.multiple) },
        { head: "Reason", cell: (run) => run.load.generator.why_not, text: true },
      ],
      late.sort((a, b) => a.multiple - b.multiple),
    ),
  );
}
