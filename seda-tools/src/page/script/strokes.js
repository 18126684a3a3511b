// Marks beside the lines, drawn on the canvas in its own pixels.

/** Paints inside the frame of the plot, and restores the settings of uPlot. */
function withinFrame(plot, paint) {
  const { ctx: context, bbox: frame } = plot;
  context.save();
  context.beginPath();
  context.rect(frame.left, frame.top, frame.width, frame.height);
  context.clip();
  context.font = `${11 * devicePixelRatio}px system-ui, sans-serif`;
  context.setLineDash([]);
  context.textAlign = "left";
  context.textBaseline = "alphabetic";
  paint(context, frame, devicePixelRatio);
  context.restore();
}

/** The points of a curve: one in about ten pixels. */
const CURVE_POINTS = 64;

/** A path for uPlot along a function, across the whole x axis. */
function curvePath(curve) {
  return (plot) => {
    const { min: least, max: most } = plot.scales.x;
    const stroke = new Path2D();
    for (let nth = 0; nth <= CURVE_POINTS; nth += 1) {
      const part = nth / CURVE_POINTS;
      const x =
        plot.scales.x.distr === 3 ? least * (most / least) ** part : least + (most - least) * part;
      stroke.lineTo(plot.valToPos(x, "x", true), plot.valToPos(curve(x), "y", true));
    }
    return { stroke, fill: null, clip: null, flags: 0 };
  };
}

/** Paints for each visible line, in its colour and opacity. */
function forEachShown(plot, lines, context, paint) {
  lines.forEach((line, nth) => {
    const series = plot.series[nth + 1];
    if (!series.show) return;
    context.globalAlpha = series.alpha ?? 1;
    context.strokeStyle = context.fillStyle = ink(line.color);
    paint(line);
  });
  context.globalAlpha = 1;
}

/** Draws a bar over the range of the rounds, with caps wider than the dot between them. */
function drawRanges(plot, lines) {
  withinFrame(plot, (context, frame, pixel) => {
    context.lineWidth = 1.25 * pixel;
    const cap = 5 * pixel;
    forEachShown(plot, lines, context, (line) => {
      for (const [x, [low, high]] of line.ranges ?? []) {
        const at = plot.valToPos(x, "x", true);
        const top = plot.valToPos(high, "y", true);
        const bottom =
          low > 0 || plot.scales.y.distr !== 3
            ? plot.valToPos(low, "y", true)
            : frame.top + frame.height;
        context.beginPath();
        context.moveTo(at, top);
        context.lineTo(at, bottom);
        for (const end of [top, bottom]) {
          context.moveTo(at - cap, end);
          context.lineTo(at + cap, end);
        }
        context.stroke();
      }
    });
  });
}

/** Draws single points of a line: hollow dots, and crosses. */
function drawMarks(plot, lines) {
  withinFrame(plot, (context, frame, pixel) => {
    context.lineWidth = 1.75 * pixel;
    const size = 4 * pixel;
    forEachShown(plot, lines, context, (line) => {
      context.fillStyle = ink("--paper");
      for (const { x, y, cross } of line.marks ?? []) {
        const [left, top] = [plot.valToPos(x, "x", true), plot.valToPos(y, "y", true)];
        context.beginPath();
        if (cross) {
          context.moveTo(left - size, top - size);
          context.lineTo(left + size, top + size);
          context.moveTo(left - size, top + size);
          context.lineTo(left + size, top - size);
        } else {
          context.arc(left, top, size, 0, 2 * Math.PI);
          context.fill();
        }
        context.stroke();
      }
    });
  });
}

/** Draws labels beside the points of a line; a label that would cover another one is omitted. */
function drawLabels(plot, lines) {
  withinFrame(plot, (context, frame, pixel) => {
    const taken = [];
    context.textBaseline = "middle";
    forEachShown(plot, lines, context, (line) => {
      context.fillStyle = ink("--muted");
      // The last label comes first, because the highest load must have a label.
      for (const { x, y, text } of [...(line.labels ?? [])].reverse()) {
        const width = context.measureText(text).width;
        const [left, top] = [
          plot.valToPos(x, "x", true) + 8 * pixel,
          plot.valToPos(y, "y", true) + 9 * pixel,
        ];
        const covers = (other) =>
          Math.abs(other.left - left) < Math.max(width, other.width) + 3 * pixel &&
          Math.abs(other.top - top) < 13 * pixel;
        if (taken.some(covers)) continue;
        taken.push({ left, top, width });
        drawLabel(context, text, left, top);
      }
    });
  });
}

/** Draws a label with a rim in the colour of the paper, so that it is readable across a line. */
function drawLabel(context, text, left, top) {
  context.save();
  context.setLineDash([]);
  context.strokeStyle = ink("--paper");
  context.lineWidth = 4 * devicePixelRatio;
  context.lineJoin = "round";
  context.strokeText(text, left, top);
  context.restore();
  context.fillText(text, left, top);
}

/** Draws horizontal lines, such as an SLO. */
function drawLevels(plot, levels) {
  withinFrame(plot, (context, frame, pixel) => {
    context.strokeStyle = context.fillStyle = ink("--level");
    context.lineWidth = 1.25 * pixel;
    context.textAlign = "right";
    for (const { at, name } of levels) {
      const top = plot.valToPos(at, "y", true);
      context.setLineDash([6 * pixel, 4 * pixel]);
      context.beginPath();
      context.moveTo(frame.left, top);
      context.lineTo(frame.left + frame.width, top);
      context.stroke();
      drawLabel(context, name, frame.left + frame.width - 5 * pixel, top - 4 * pixel);
    }
  });
}

/** Draws vertical lines at the parts of the load, with their names. */
function drawBounds(plot, bounds) {
  withinFrame(plot, (context, frame, pixel) => {
    context.strokeStyle = ink("--muted");
    context.fillStyle = ink("--ink");
    context.lineWidth = pixel;
    context.textBaseline = "top";
    bounds.forEach(({ at, name }, nth) => {
      const left = plot.valToPos(at, "x", true);
      context.setLineDash([2 * pixel, 3 * pixel]);
      context.beginPath();
      context.moveTo(left, frame.top);
      context.lineTo(left, frame.top + frame.height);
      context.stroke();
      const next = bounds[nth + 1]
        ? plot.valToPos(bounds[nth + 1].at, "x", true)
        : frame.left + frame.width;
      if (context.measureText(name).width + 8 * pixel < next - left) {
        drawLabel(context, name, left + 5 * pixel, frame.top + 4 * pixel);
      }
    });
  });
}

/** Draws stacked blocks at each x, for the visible layers. */
function drawLayers(plot, layers, xs, width) {
  withinFrame(plot, (context) => {
    xs.forEach((x, place) => {
      const left = Math.round(plot.valToPos(x - width / 2, "x", true));
      const right = Math.round(plot.valToPos(x + width / 2, "x", true));
      let below = 0;
      forEachShown(plot, layers, context, (layer) => {
        const value = layer.ys[place];
        if (!(value > 0)) return;
        const [bottom, top] = [below, below + value].map((height) =>
          Math.round(plot.valToPos(height, "y", true)),
        );
        context.fillRect(left, top, Math.max(right - left, 1), bottom - top);
        below += value;
      });
    });
  });
}
