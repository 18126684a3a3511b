// The graph: drawn by the server to fit this window, with figures that are updated here.

/** The width of a column and of the space around all of them, as in the server's layout. */
const COLUMN_PIXELS = 228;
const AROUND_PIXELS = 34;
/** The drawing may shrink to this part of its size before it gets fewer columns. */
const SHRINKS_TO = 0.8;
const COLUMNS_MOST = 12;

class Flow {
  constructor(root) {
    this.root = root;
    this.forget();
  }

  /** Loads the drawing anew: the graph may be another one. */
  forget() {
    this.columns = 0;
    this.stages = [];
  }

  show(report, window) {
    this.load(report);
    // A drawing of another graph, until the new one is here, is not updated.
    if (this.stages.join("\n") !== report.stages.map((stage) => stage.name).join("\n")) return;
    for (const node of this.root.querySelectorAll("g.stage")) {
      const stage = report.stages[node.dataset.stage];
      if (stage) showStageNode(node, stage, window, limits(report, stage.name));
    }
    this.showEdges(report, window);
  }

  load(report) {
    const room = this.root.clientWidth / SHRINKS_TO - AROUND_PIXELS;
    const fits = Math.min(Math.max(Math.floor(room / COLUMN_PIXELS), 1), COLUMNS_MOST);
    if (fits === this.columns) return;
    this.columns = fits;
    const names = report.stages.map((stage) => stage.name);
    fetch(`graph?format=svg&columns=${fits}`)
      .then((answer) => (answer.ok ? answer.text() : Promise.reject(answer.status)))
      .then((text) => {
        // The page has the style of the drawing already, and its policy allows no other.
        const bare = text.replace(/<style>[^]*?<\/style>/, "");
        const drawn = new DOMParser().parseFromString(bare, "image/svg+xml").documentElement;
        this.root.replaceChildren(document.importNode(drawn, true));
        this.stages = names;
      })
      .catch(() => this.forget());
  }

  showEdges(report, window) {
    const seconds = Math.max(...report.stages.map((stage) => stage[window].seconds), 0);
    const index = new Map(report.stages.map((stage, nth) => [stage.name, String(nth)]));
    const sums = new Map();
    for (const edge of report.edges) {
      const key = `${edge.from === null ? "" : index.get(edge.from)} ${index.get(edge.to)}`;
      const known = sums.get(key) ?? { sent: 0, refused: 0 };
      known.sent += perSecond(edge[window].sent, seconds) ?? 0;
      known.refused += perSecond(edge[window].refused, seconds) ?? 0;
      sums.set(key, known);
    }
    const most = Math.max(...[...sums.values()].map((known) => known.sent), 0);
    for (const node of this.root.querySelectorAll("g.edge")) {
      const known = sums.get(`${node.dataset.from} ${node.dataset.to}`);
      if (!known) continue;
      const width = most > 0 ? 1.25 + 2.75 * Math.sqrt(known.sent / most) : 1.25;
      node.querySelector(".way").setAttribute("stroke-width", width.toFixed(1));
      setText(node.querySelector(".rate"), rate(known.sent));
      setText(node.querySelector(".refused"), known.refused > 0 ? ` −${rate(known.refused)}` : "");
    }
  }
}

function showStageNode(node, stage, window, isLimit) {
  const { queue, workers } = stage;
  const { utilization } = stage[window];
  node.classList.toggle("bottleneck", isLimit);
  setText(node.querySelector(".queue"), `${count(queue.depth)}/${count(queue.capacity)}`);
  const stuck = workers.stuck > 0 ? `+${workers.stuck} stuck` : "";
  setText(node.querySelector(".workers"), `${workers.now}${stuck} × ${percent(utilization)}`);
  const whole = Number(node.querySelector(".bar").getAttribute("width"));
  setFilled(node.querySelector(".fill"), whole, queue.depth / Math.max(queue.capacity, 1));
  setFilled(node.querySelector(".busy"), whole, utilization);
}

function setFilled(bar, whole, share) {
  bar.setAttribute("width", (whole * Math.min(Math.max(share || 0, 0), 1)).toFixed(1));
}

/** True if the stage is the bottleneck or ties with it. */
function limits(report, stage) {
  const { kind, tied, stage: named } = report.bottleneck;
  if (kind === "none" || kind === "cannot_tell") return false;
  return named === stage || tied.some((other) => other.stage === stage);
}
