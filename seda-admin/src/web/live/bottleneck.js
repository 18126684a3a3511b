// What limits the graph, and the figures of the whole of it.

/** The sentence at the top. */
function bottleneckSentence(bottleneck) {
  const { kind, resource, load, max_rate: most } = bottleneck;
  if (kind === "cannot_tell") return "Too few events came to tell what limits the graph.";
  if (kind === "none") {
    if (!resource) return "Nothing limits the graph.";
    return `Nothing is near its limit. The fullest is ${resource}, at ${percent(load)}.`;
  }
  const name = resource === kind ? resource : `${resource} (${kind.replace("_", " ")})`;
  const full = most ? `, and it is full at ${requests(most)}` : "";
  return `${name} limits the graph: its load is ${percent(load)}${full}.`;
}

/** A sentence whose names in backticks are set as code. */
function prose(text) {
  return text.split("`").map((piece, nth) => (nth % 2 === 1 ? element("code", null, piece) : piece));
}

function requests(estimate) {
  const range = rangeText(estimate.low, estimate.high, count);
  return `${count(estimate.per_second)}${range ? ` ${range}` : ""} requests/s`;
}

function expectedSentence({ max_rate: most, p99_seconds: tail }) {
  const tailText = isNumber(tail) ? `, with a p99 of ${duration(tail)}` : "";
  return `Then it is full at ${requests(most)}${tailText}.`;
}

function showBottleneck(root, report) {
  const { bottleneck } = report;
  const isFound = bottleneck.kind !== "none" && bottleneck.kind !== "cannot_tell";
  const text = JSON.stringify(bottleneck);
  // The same text keeps a selection in it.
  if (root.dataset.shown === text) return;
  root.dataset.shown = text;
  const also = [];
  if (bottleneck.tied.length > 0) {
    also.push(`Tied with ${bottleneck.tied.map((tied) => tied.resource).join(", ")}.`);
  }
  if (isFound && bottleneck.next) {
    also.push(`Next is ${bottleneck.next.resource}, at ${percent(bottleneck.next.load)}.`);
  }
  const action = isFound && bottleneck.action ? bottleneck.action : null;
  const expected = action && bottleneck.expected ? expectedSentence(bottleneck.expected) : "";
  root.replaceChildren(
    element("p", { class: isFound ? "summary doubt" : "summary" }, bottleneckSentence(bottleneck)),
    element(
      "ul",
      null,
      [...bottleneck.evidence, ...also].map((line) => element("li", null, prose(line))),
    ),
    ...(action
      ? [element("p", { class: "action" }, element("b", null, "Do: "), prose(action), ` ${expected}`)]
      : []),
  );
}

/** The facts of the whole graph, as pairs of a term and a text. */
function graphFacts({ report, load }, window) {
  const entries = report.edges.filter((edge) => edge.from === null);
  const seconds = Math.max(...report.stages.map((stage) => stage[window].seconds), 0);
  const refused = entries.reduce((total, edge) => total + edge[window].refused, 0);
  const answered = report.classes.reduce((total, known) => total + known.last_ten_seconds.count, 0);
  const tenSeconds = Math.max(...report.stages.map((stage) => stage.last_ten_seconds.seconds), 0);
  const { budget, requests: ledger } = report;
  return [
    ["Load", isNumber(load.ratio) ? percent(load.ratio) : UNKNOWN],
    ["Offered", rate(load.offered_per_second)],
    ["Full at", rate(load.capacity_per_second)],
    ["Answered", rate(perSecond(answered, tenSeconds))],
    ["Refused at the entry", rate(perSecond(refused, seconds))],
    ["Requests open", count(ledger.open)],
    ["Answered so far", count(ledger.answered)],
    ["Lost so far", count(sum(ledger.lost))],
    ["Budget", `${count(budget.used)} of ${count(budget.limit)}`],
    ["Cores", report.machine.cores > 0 ? String(report.machine.cores) : UNKNOWN],
    ["Up", upTime(report.uptime_seconds)],
  ];
}

/** 3725 as "1 h 2 min". */
function upTime(seconds) {
  const [minutes, hours, days] = [60, 3600, 86400].map((size) => Math.floor(seconds / size));
  if (days > 0) return `${days} d ${hours % 24} h`;
  if (hours > 0) return `${hours} h ${minutes % 60} min`;
  if (minutes > 0) return `${minutes} min ${Math.floor(seconds % 60)} s`;
  return `${Math.floor(seconds)} s`;
}

function showFacts(root, record, window) {
  const facts = graphFacts(record, window);
  if (root.children.length !== facts.length) {
    root.replaceChildren(
      ...facts.map(([term]) => element("div", null, element("dt", null, term), element("dd"))),
    );
  }
  facts.forEach(([, text], nth) => setText(root.children[nth].lastElementChild, text));
}
