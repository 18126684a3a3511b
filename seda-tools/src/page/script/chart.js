// Charts. A chart is made from a description and returned as a figure, or null without data; `mount`
// draws the figures in the page.

const CHART_HEIGHT = 320;
/** The height of a chart with many lines. */
const CROWDED_HEIGHT = 460;
const CROWDED_ABOVE = 8;
/** The width between the margins of a printed page of A4 or Letter. */
const PRINTED_WIDTH = 640;
/** The distance in pixels up to which a point counts as under the pointer: half a finger. */
const REACH = 40;
/** With more lines than this, the others fade while one is under the pointer. */
const FADE_ABOVE = 4;

const figures = [];

/**
 * Lines over a shared x. `chart` is
 * `{ title, note, x: { label, format, log, name }, y: { label, format, log, upTo, whole }, lines,
 * levels: [{ at, name }], bounds: [{ at, name }], shared }`; a line is
 * `{ name, color, xs, ys, ranges: Map(x, [low, high]), dash, width, dots, only_dots, shown, marks, labels, curve }`; with
 * `curve: (x) => y` it is drawn along this function.
 */
function lineChart(chart) {
  const lines = chart.lines
    .map((line) => drawable(line, chart))
    .filter((line) => line.xs.length > 0);
  if (lines.every((line) => line.guide)) return null;
  const xs = [...new Set(lines.flatMap((line) => line.xs))].sort((a, b) => a - b);
  const columns = lines.map((line) => column(line, xs));
  const heights = (plot) => {
    const shown = lines.filter((_, nth) => plot.series[nth + 1].show);
    const values = shown.flatMap((line) => [
      ...line.ys,
      ...[...(line.ranges ?? new Map()).values()].flat(),
    ]);
    return extent(
      [...values, ...(chart.levels ?? []).map((level) => level.at)].filter(isNumber),
      chart.y,
    );
  };
  return figure(chart, [xs, ...columns], {
    lines,
    series: lines.map((line) => ({
      label: line.name,
      show: line.shown ?? true,
      stroke: () => ink(line.color),
      width: line.width ?? 2,
      dash: line.dash,
      paths: line.curve ? curvePath(line.curve) : line.only_dots ? () => null : undefined,
      points: {
        show: line.dots ?? true,
        size: 6,
        stroke: () => ink(line.color),
        fill: () => ink(line.color),
      },
    })),
    limits: { x: () => extent(xs, chart.x), y: heights },
    draw: (plot) => {
      drawLevels(plot, chart.levels ?? []);
      drawBounds(plot, chart.bounds ?? []);
      drawRanges(plot, lines);
      drawMarks(plot, lines);
      drawLabels(plot, lines);
    },
    describe: (nth, place) => {
      const value = columns[nth][place];
      if (!isNumber(value)) return null;
      const range = lines[nth].ranges?.get(xs[place]) ?? [];
      return `${chart.y.format(value)} ${rangeText(range[0], range[1], chart.y.format)}`.trim();
    },
  });
}

/** Stacked layers over a shared x. `chart.width` is the width of a block in the unit of x. */
function stackChart(chart) {
  const layers = chart.layers.filter((layer) => layer.ys.some((value) => value > 0));
  if (layers.length === 0) return null;
  const sums = (plot) =>
    chart.xs.map((_, place) =>
      layers.reduce(
        (sum, layer, nth) => sum + (plot.series[nth + 1].show ? layer.ys[place] || 0 : 0),
        0,
      ),
    );
  const [first, last] = [chart.xs[0], chart.xs[chart.xs.length - 1]];
  const margin = chart.width * (chart.x.names ? 0.7 : 0.5);
  return figure(chart, [chart.xs, ...layers.map((layer) => layer.ys)], {
    lines: layers,
    series: layers.map((layer) => ({
      label: layer.name,
      fill: () => ink(layer.color),
      paths: () => null,
      points: { show: false },
    })),
    limits: { x: () => [first - margin, last + margin], y: (plot) => extent(sums(plot), chart.y) },
    draw: (plot) => {
      drawLayers(plot, layers, chart.xs, chart.width * (chart.x.names ? 0.8 : 1));
      drawBounds(plot, chart.bounds ?? []);
    },
    describe: (nth, place) =>
      layers[nth].ys[place] > 0 ? chart.y.format(layers[nth].ys[place]) : null,
    filled: true,
  });
}

/** Draws every figure at its width in the page, and again when the width changes. */
function mount() {
  let printing = false;
  const fit = () =>
    figures.forEach((drawn) => resize(drawn, printing ? PRINTED_WIDTH : drawn.holder.clientWidth));
  // Drawn in the next frame, because a legend that wraps would call the observer recursively.
  const observer = new ResizeObserver(() => requestAnimationFrame(fit));
  for (const drawn of figures) {
    drawn.plot = new uPlot(drawn.options(drawn.holder.clientWidth), drawn.data, drawn.holder);
    observer.observe(drawn.holder);
  }
  // The second argument redraws the axes; otherwise uPlot keeps those of the old width.
  const redraw = () => figures.forEach(({ plot }) => plot.redraw(false, true));
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", redraw);
  // A canvas keeps its colours and width on paper unless it is drawn again.
  addEventListener("beforeprint", () => onPaper(true));
  addEventListener("afterprint", () => onPaper(false));
  function onPaper(whether) {
    printing = whether;
    // What is folded would be missing on paper.
    if (printing) document.querySelectorAll("details").forEach((fold) => (fold.open = true));
    document.documentElement.toggleAttribute("data-printing", printing);
    fit();
    redraw();
  }
}

function resize({ plot }, width) {
  if (width > 0 && plot.width !== width) plot.setSize({ width, height: plot.height });
}

/** Shows or hides a line in the other charts with the same lines, too. */
function toggleElsewhere(plot, chart, name, show) {
  for (const other of figures) {
    if (!chart.shared || !other.shared || other.plot === plot) continue;
    other.plot.series.forEach((series, nth) => {
      // The last argument fires no event, because the charts would answer each other without end.
      if (nth > 0 && series.label === name && series.show !== show) {
        other.plot.setSeries(nth, { show }, false);
      }
    });
  }
}

/** Returns a line without points that its axes cannot show: unknown x, and zero on a logarithmic axis. */
function drawable(line, chart) {
  const fits = (value, axis) => isNumber(value) && (!axis.log || value > 0);
  const kept = line.xs.map((x, place) => [x, line.ys[place]]).filter(([x]) => fits(x, chart.x));
  const ys = kept.map(([, y]) => (fits(y, chart.y) ? y : null));
  if (!ys.some(isNumber)) return { ...line, xs: [], ys: [] };
  return { ...line, xs: kept.map(([x]) => x), ys };
}

/** Returns a line's values at every x of the chart: undefined without a point, null for a gap. */
function column(line, xs) {
  const at = new Map(line.xs.map((x, place) => [x, line.ys[place]]));
  return xs.map((x) => at.get(x));
}

function figure(chart, data, { lines, series, limits, draw, describe, filled }) {
  const holder = element("div", { class: filled ? "plot" : "plot lines" });
  const whole = [data[0][0], data[0][data[0].length - 1]];
  const isZoomed = (plot, least, most) =>
    whole[0] < whole[1] && most > least && (least !== whole[0] || most !== whole[1]);
  const crowded = lines.filter((line) => line.shown ?? true).length > CROWDED_ABOVE;
  const height = crowded && !filled ? CROWDED_HEIGHT : CHART_HEIGHT;
  const options = (width) => ({
    width,
    height,
    padding: [12, 26, 0, 0],
    scales: { x: scale(chart.x, limits.x, isZoomed), y: scale(chart.y, limits.y, () => false) },
    axes: [ruler(chart.x, false), ruler(chart.y, true)],
    series: [{}, ...series],
    legend: {
      live: false,
      markers: {
        width: filled ? 0 : 2,
        stroke: (plot, nth) => `var(${lines[nth - 1].color})`,
        fill: (plot, nth) => (filled ? `var(${lines[nth - 1].color})` : "transparent"),
        dash: (plot, nth) => (lines[nth - 1].dash?.length ? "dashed" : "solid"),
      },
    },
    cursor: {
      y: false,
      dataIdx: nearest,
      points: { show: !filled },
      focus: { prox: lines.length > FADE_ABOVE && !filled ? 24 : -1 },
    },
    focus: { alpha: 0.25 },
    hooks: {
      draw: [draw],
      setSeries: [
        (plot, nth, { show }) => {
          if (show !== undefined) toggleElsewhere(plot, chart, plot.series[nth].label, show);
        },
      ],
    },
    plugins: [tooltip(lines, chart.x.name ?? ((x) => chart.x.format(x)), describe)],
  });
  figures.push({ holder, options, data, shared: chart.shared, plot: null });
  return element(
    "figure",
    { "aria-label": chart.title },
    element(
      "figcaption",
      null,
      element("h3", null, chart.title),
      chart.note ? element("p", null, chart.note) : null,
    ),
    holder,
  );
}

/** Returns the index of the point of the line nearest to the pointer; null if none is within reach. */
function nearest(plot, nth, hovered) {
  const values = plot.data[nth];
  if (nth === 0 || isNumber(values[hovered])) return hovered;
  const pointer = plot.cursor.left;
  let [found, distance] = [null, REACH];
  for (const step of [-1, 1]) {
    let place = hovered + step;
    while (place >= 0 && place < values.length && !isNumber(values[place])) place += step;
    const away =
      place >= 0 && place < values.length
        ? Math.abs(plot.valToPos(plot.data[0][place], "x") - pointer)
        : Infinity;
    if (away < distance) [found, distance] = [place, away];
  }
  return found;
}
