// Ranges and ticks.

/** The space between a curve and the frame. */
const HEADROOM = 1.06;

/** The factor between the ends of an axis with ticks of its own and its first and last tick. */
const TICK_MARGIN = 1.12;

/** The distance in pixels between two labels of such an axis. */
const TICK_DISTANCE = 36;

/** The nearest of 1, 2, 5, 10, 20 … at or below a positive value. */
function roundDown(value) {
  const decade = 10 ** Math.floor(Math.log10(value));
  return [5, 2, 1].find((digit) => digit * decade <= value * (1 + 1e-9)) * decade;
}

/** The nearest of 1, 2, 5, 10, 20 … at or above a positive value. */
function roundUp(value) {
  const decade = 10 ** Math.floor(Math.log10(value));
  return [1, 2, 5, 10].find((digit) => digit * decade >= value * (1 - 1e-9)) * decade;
}

/**
 * The ends of an axis that shows `values`. A linear axis begins at zero, so that heights can be
 * compared; a logarithmic axis has a labelled tick at each end.
 */
function extent(values, axis) {
  if (axis.ticks) {
    const at = axis.ticks.map((tick) => tick.at);
    return [Math.min(...at) / TICK_MARGIN, Math.max(...at) * TICK_MARGIN];
  }
  if (!axis.log) {
    return [
      0,
      axis.upTo ?? (values.reduce((most, value) => Math.max(most, value), 0) * HEADROOM || 1),
    ];
  }
  const positive = values.filter((value) => value > 0);
  if (positive.length === 0) return [1e-3, 1];
  const least = roundDown(positive.reduce((a, b) => Math.min(a, b)) / HEADROOM);
  const most = roundUp(positive.reduce((a, b) => Math.max(a, b)) * HEADROOM);
  return [least, most];
}

/** The ticks of a logarithmic axis: decades, and 2 and 5 between them if there is room. */
function decadeTicks(least, most, pixels, labelPixels) {
  const pixelsPerDecade = pixels / Math.log10(most / least);
  // Three labels share a decade; the shortest distance, from 1 to 2 and from 5 to 10, is 0.3 of it.
  const between = pixelsPerDecade * 0.3 > labelPixels ? [1, 2, 5] : [1];
  const ticks = [];
  for (let exponent = Math.floor(Math.log10(least)); exponent <= Math.log10(most); exponent += 1) {
    ticks.push(...between.map((digit) => Number(`${digit}e${exponent}`)));
  }
  const shown = ticks.filter((tick) => tick >= least * 0.999 && tick <= most * 1.001);
  // An axis that is zoomed in between two ticks shows its ends.
  return shown.length > 1 ? shown : [least, most];
}

/**
 * The labels of an axis with ticks of its own, `[{ at, name, main }]`: the main one, the first and
 * the last, and of the others those that have room.
 */
function tickLabels(plot, ticks) {
  const shown = [];
  const important = [ticks.find((tick) => tick.main), ticks[0], ticks[ticks.length - 1]];
  for (const tick of [...important.filter((tick) => tick), ...ticks]) {
    const place = plot.valToPos(tick.at, "x");
    if (shown.every((other) => Math.abs(other.place - place) >= TICK_DISTANCE))
      shown.push({ at: tick.at, name: tick.name, place });
  }
  return new Map(shown.map((tick) => [tick.at, tick.name]));
}

/** Distances of the ticks of a count, which are whole numbers. */
const WHOLE_STEPS = Array.from({ length: 12 }, (_, exponent) =>
  [1, 2, 5].map((digit) => digit * 10 ** exponent),
).flat();

/** A scale for uPlot. `limits()` are the ends until the reader zooms. */
function scale(axis, limits, isZoomed) {
  return {
    time: false,
    distr: axis.log ? 3 : 1,
    range: (plot, least, most) => (isZoomed(plot, least, most) ? [least, most] : limits(plot)),
  };
}

/** An axis for uPlot, with the unit in its label. */
function ruler(axis, vertical) {
  const made = {
    label: axis.label,
    labelSize: 22,
    labelGap: 2,
    labelFont: "12px system-ui, sans-serif",
    font: "12px system-ui, sans-serif",
    size: vertical ? 58 : 34,
    gap: 4,
    space: vertical ? 34 : 56,
    stroke: () => ink("--muted"),
    grid: { stroke: () => ink("--grid"), width: 1 },
    ticks: { stroke: () => ink("--grid"), width: 1, size: 5 },
    values: (plot, ticks) => ticks.map((tick) => (tick === 0 ? "0" : axis.format(tick))),
  };
  if (axis.whole) made.incrs = WHOLE_STEPS;
  if (axis.log) {
    made.splits = (plot, _axis, least, most) =>
      decadeTicks(least, most, ...(vertical ? [plot.height, 20] : [plot.width, 48]));
    made.filter = (plot, ticks) => ticks;
  }
  if (axis.ticks) {
    made.splits = (plot, _axis, least, most) => {
      const within = axis.ticks.map((tick) => tick.at).filter((at) => at >= least && at <= most);
      // An axis that is zoomed in between two ticks shows its ends.
      return within.length > 0 ? within : [least, most];
    };
    made.values = (plot, places) => {
      const ticks = axis.ticks.filter((tick) => places.includes(tick.at));
      const labels = tickLabels(plot, ticks);
      if (ticks.length === 0) return places.map(axis.format);
      return places.map((at) => labels.get(at) ?? "");
    };
  }
  if (axis.names) {
    made.splits = () => axis.names.map((_, place) => place);
    made.grid = { show: false };
    made.values = (plot, ticks) => {
      const each = Math.ceil(36 / (plot.width / ticks.length));
      return ticks.map((tick) => (tick % each === 0 ? axis.names[tick] : ""));
    };
  }
  return made;
}
