// What is drawn besides the lines themselves, on the canvas and in its own pixels.

/** Paints inside the plot's frame only, and leaves uPlot's own settings as they were. */
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

/** What belongs to the lines that are shown, in their colour, as faint as they are. */
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

/** A bar from the least to the most of the rounds, with caps wider than the dot between them. */
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

/** Single places on a line: hollow dots, and crosses. */
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

/** Words beside a line's points; those that would cover one that is there are left out. */
function drawWords(plot, lines) {
  withinFrame(plot, (context, frame, pixel) => {
    const taken = [];
    context.textBaseline = "middle";
    forEachShown(plot, lines, context, (line) => {
      context.fillStyle = ink("--muted");
      // The last first: it is the highest load, and must not go unnamed.
      for (const { x, y, text } of [...(line.words ?? [])].reverse()) {
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
        drawWord(context, text, left, top);
      }
    });
  });
}

/** A word with a rim of paper, so that it can be read where it crosses a line. */
function drawWord(context, text, left, top) {
  context.save();
  context.setLineDash([]);
  context.strokeStyle = ink("--paper");
  context.lineWidth = 4 * devicePixelRatio;
  context.lineJoin = "round";
  context.strokeText(text, left, top);
  context.restore();
  context.fillText(text, left, top);
}

/** Horizontal lines that mean something at every load, such as an SLO. */
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
      drawWord(context, name, frame.left + frame.width - 5 * pixel, top - 4 * pixel);
    }
  });
}

/** Vertical lines where something changes, with the name of what begins there. */
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
        drawWord(context, name, left + 5 * pixel, frame.top + 4 * pixel);
      }
    });
  });
}

/** One block upon the other, at each x; of the layers that are shown. */
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
