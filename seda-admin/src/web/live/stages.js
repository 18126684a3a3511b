// The table of stages.

const SPARK_WIDTH = 100;
const SPARK_HEIGHT = 26;

function stagesTable() {
  const time = (head, read) => ({ head, cell: (row) => duration(read(row.now)) });
  return liveTable([
    { head: "Stage", text: true, show: showStageName },
    { head: "Last minute", show: showSpark },
    { head: "Offered", cell: ({ now }) => rate(perSecond(now.offered, now.seconds)) },
    { head: "Served", cell: ({ now }) => rate(perSecond(now.served, now.seconds)) },
    {
      head: "Refused",
      show: (cell, { now }) => showRate(cell, perSecond(sum(now.refused), now.seconds)),
    },
    {
      head: "Turned away",
      show: (cell, { now }) => showRate(cell, perSecond(now.turned_away, now.seconds)),
    },
    { head: "Shed", show: (cell, { now }) => showRate(cell, perSecond(now.shed, now.seconds)) },
    { head: "Queue", show: showQueue },
    { head: "Workers", cell: ({ stage, now }) => workersText(stage.workers, now) },
    { head: "Utilization", show: showUtilization },
    time("Wait p50", (now) => now.wait.p50),
    time("Wait p99", (now) => now.wait.p99),
    time("Service p50", (now) => now.service.p50),
    time("Service p99", (now) => now.service.p99),
    { head: "Handled so far", cell: ({ stage }) => count(stage.handled) },
  ]);
}

function showStages(made, report, window, past) {
  const rows = report.stages.map((stage, nth) => ({
    stage,
    now: stage[window],
    isLimit: limits(report, stage.name),
    past: past.seconds.map((second) => ({ at: second.at, ...second.stages[nth] })),
    at: report.uptime_seconds,
  }));
  const lines = made.show(rows);
  rows.forEach((row, nth) => lines[nth].classList.toggle("limits", row.isLimit));
}

function showStageName(cell, { stage, isLimit }) {
  setText(cell, stage.name);
  cell.title = isLimit ? "the bottleneck" : `pool ${stage.pool}`;
}

function showQueue(cell, { stage: { queue } }) {
  const text = `${count(queue.depth)} of ${count(queue.capacity)}`;
  showLevel(cell, text, queue.depth / Math.max(queue.capacity, 1), "depth");
}

function showUtilization(cell, { now }) {
  showLevel(cell, percent(now.utilization), now.utilization, "busy");
}

/** "1.8 of 3", and how many are stuck. */
function workersText(workers, now) {
  const stuck = workers.stuck > 0 ? `, ${workers.stuck} stuck` : "";
  return `${now.busy_workers.toFixed(1)} of ${workers.now}${stuck}`;
}

/** Draws the offered and the refused events of the last minute. */
function showSpark(cell, { past, at }) {
  if (!cell.firstElementChild) {
    cell.append(
      svgElement(
        "svg",
        { class: "spark", viewBox: `0 0 ${SPARK_WIDTH} ${SPARK_HEIGHT}`, role: "img" },
        svgElement("path", { class: "offered" }),
        svgElement("path", { class: "refused" }),
      ),
    );
  }
  const most = Math.max(...past.map((second) => second.offered ?? 0), 1e-9);
  const line = (name) => {
    const points = past.map((second) => [
      SPARK_WIDTH * (1 - (at - second.at) / PAST_SECONDS),
      isNumber(second[name]) ? SPARK_HEIGHT - 1 - (SPARK_HEIGHT - 3) * (second[name] / most) : null,
    ]);
    return pathOf(points);
  };
  const [offered, refused] = cell.firstElementChild.children;
  offered.setAttribute("d", line("offered"));
  refused.setAttribute("d", past.some((second) => second.refused > 0) ? line("refused") : "");
}
