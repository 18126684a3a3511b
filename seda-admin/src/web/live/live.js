// Puts the parts together, and shows each record.

const part = (id) => document.getElementById(id);

const live = {
  record: null,
  window: "last_ten_seconds",
  isPaused: false,
  past: new Past(),
  flow: new Flow(part("drawing")),
  stages: stagesTable(),
  classes: classesTable(),
  distribution: svgElement("svg", {
    class: "distribution",
    viewBox: `0 0 ${CHART.width} ${CHART.height}`,
    role: "img",
  }),
  journal: journalTable(),
  journalNote: element("p"),
};

part("stages").after(live.stages.root);
part("classes").after(
  live.classes.root,
  element("div", { class: "chart", tabindex: "0" }, live.distribution),
);
part("decisions").after(live.journalNote, live.journal.root);

function take(record) {
  const before = live.record?.report;
  const { report } = record;
  const isOther =
    before === undefined ||
    report.uptime_seconds < before.uptime_seconds ||
    report.graph !== before.graph ||
    report.stages.length !== before.stages.length;
  if (isOther) begin();
  live.past.note(report);
  if (live.isPaused && !isOther) return;
  live.record = record;
  show();
}

/** Begins anew: with the first record, and after a restart of the server. */
function begin() {
  live.past.clear();
  live.flow.forget();
  fetch("history?seconds=60")
    .then((answer) => (answer.ok ? answer.json() : Promise.reject(answer.status)))
    .then((history) => live.past.fill(history))
    // Without the history the last minute fills up by itself.
    .catch(() => {});
}

function show() {
  const { record, window, past } = live;
  if (record === null) return;
  const { report } = record;
  setText(part("name"), report.graph);
  document.title = `${report.graph} ${percent(record.load.ratio)}`;
  showBottleneck(part("bottleneck"), report);
  showFacts(part("facts"), record, window);
  live.flow.show(report, window);
  showStages(live.stages, report, window, past);
  showClasses(live.classes, live.distribution, report, past);
  showJournal(live.journal, live.journalNote, report);
}

function told(state, text) {
  const shown = live.isPaused && state === "live" ? "paused" : state;
  part("state").dataset.state = shown;
  setText(part("state"), shown === "broken" ? "connection lost" : shown);
  part("figures").classList.toggle("stale", state === "broken");
  const uptime = live.record ? upTime(live.record.report.uptime_seconds) : null;
  const age = uptime === null ? "" : ` The figures are those after ${uptime}.`;
  part("banner").hidden = state !== "broken";
  setText(part("banner"), state === "broken" ? `${text} The page tries again.${age}` : "");
}

listen({
  pause: () => {
    live.isPaused = !live.isPaused;
    part("pause").setAttribute("aria-pressed", String(live.isPaused));
    if (part("state").dataset.state !== "broken") told("live", "");
  },
  window: () => {
    live.window = live.window === "last_second" ? "last_ten_seconds" : "last_second";
    const name = live.window === "last_second" ? "second" : "10 s";
    part("window").firstChild.textContent = `Over the last ${name} `;
    show();
  },
  help: () => {
    const keys = part("keys");
    if (keys.open) keys.close();
    else keys.showModal();
  },
});
addEventListener("resize", show);
follow(take, told);
