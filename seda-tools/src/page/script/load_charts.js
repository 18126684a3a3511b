// Charts over the load, and the distributions of response times.

/** The number of distributions shown at first; a click in the legend shows others. */
const FIRST_SHOWN_LOADS = 4;

function offered(points) {
  return points.map((point) => median(point.offered_per_second));
}

/** A line through the medians of the spreads of the points, with their ranges. */
function spreadLine(name, nth, points, xs, spreadOf, more) {
  const ranges = new Map();
  points.forEach((point, place) => {
    const spread = spreadOf(point);
    if (median(spread) !== null && isNumber(spread.low) && isNumber(spread.high))
      ranges.set(xs[place], [spread.low, spread.high]);
  });
  return {
    name,
    ...lineStyle(nth),
    xs,
    ys: points.map((point) => median(spreadOf(point))),
    ranges,
    ...more,
  };
}

/**
 * The load axis, with a tick at each load. It is logarithmic: loads from half the capacity to twice
 * the capacity, where servers differ most, take half of it, and not a fifth.
 */
function loadAxis(points) {
  const loads = points.filter((point) => median(point.offered_per_second) > 0);
  const multiples = new Map(
    loads.map((point) => [median(point.offered_per_second), point.multiple]),
  );
  const name = (x) =>
    multiples.has(x) ? `${times(multiples.get(x))} = ${rate(x)} offered` : `${rate(x)} offered`;
  const one = loads.find((point) => point.multiple > 0);
  const unit = one ? ` (1× = ${rate(median(one.offered_per_second) / one.multiple)})` : "";
  const axis = { label: `offered load${unit}`, format: rate, name, log: true };
  if (loads.length > 0) axis.ticks = ticksOf([...multiples]);
  return axis;
}

/** The ticks of pairs of a place and a multiple. */
function ticksOf(pairs) {
  return pairs.map(([at, multiple]) => ({ at, name: times(multiple), main: multiple === 1 }));
}

function goodputChart(report) {
  const { points, slo_seconds: slos } = report;
  const xs = offered(points);
  const capacity = median(report.capacity_per_second);
  const loads = xs.filter((x) => x > 0);
  const [least, most] = [Math.min(...loads), Math.max(...loads)];
  const corners = [...new Set([least, Math.max(least, Math.min(capacity, most)), most])];
  const ideal = {
    name: "ideal: min(offered, C)",
    color: "--level",
    xs: corners,
    ys: corners.map((x) => Math.min(x, capacity)),
    curve: (x) => Math.min(x, capacity),
    dash: [6, 4],
    width: 1.25,
    dots: false,
    guide: true,
  };
  const within = (slo) => `goodput within ${duration(slo)}`;
  const looser = slos.slice(1).map((slo, nth) =>
    spreadLine(within(slo), nth + 2, points, xs, (point) => point.goodput_by_slo[nth + 1], {
      width: 1.25,
      dash: [5, 4],
    }),
  );
  return lineChart({
    title: "Goodput and throughput",
    note: "Right answers per second, and right answers within the SLO. Bars: range of the rounds.",
    x: loadAxis(points),
    y: { label: "answers/s", format: count },
    lines: [
      ideal,
      // Wider, so that it is visible below an equal goodput.
      spreadLine("throughput", 5, points, xs, (point) => point.throughput_per_second, { width: 4 }),
      ...looser.reverse(),
      spreadLine(
        slos.length > 0 ? within(slos[0]) : "goodput",
        0,
        points,
        xs,
        (point) => point.goodput_per_second,
        { width: 2.5 },
      ),
    ],
  });
}

function responseChart(report) {
  const { points } = report;
  const xs = offered(points);
  const predicted = {
    name: "D/(1−U)",
    color: "--line-1",
    xs,
    ys: points.map((point) => point.predicted_mean),
    dash: [2, 4],
    width: 1.5,
    dots: false,
  };
  const explained = points.some((point) => isNumber(point.predicted_mean))
    ? " D/(1−U): the mean response time of a single resource."
    : "";
  return lineChart({
    title: "Response times",
    note: `Of right answers, from the intended start of each request.${explained}`,
    x: loadAxis(points),
    y: { label: "response time", format: duration, log: true },
    levels: report.slo_seconds.map((slo) => ({ at: slo, name: `SLO ${duration(slo)}` })),
    lines: [
      predicted,
      spreadLine("mean", 0, points, xs, (point) => point.mean),
      spreadLine("p50", 2, points, xs, (point) => point.p50),
      spreadLine("p99", 1, points, xs, (point) => point.p99),
      spreadLine("p99.9", 3, points, xs, (point) => point.p999),
    ],
  });
}

function outcomesChart(points) {
  return stackChart({
    title: "Outcomes of the requests",
    note: "Shares of the scheduled requests.",
    x: {
      label: "offered load, as a multiple of capacity",
      names: points.map((point) => times(point.multiple)),
      format: (place) => `${times(points[place].multiple)} load`,
    },
    y: { label: "share of scheduled", format: percent, upTo: 1 },
    width: 1,
    xs: points.map((_, place) => place),
    layers: OUTCOMES.map((outcome, end) => ({
      ...outcome,
      ys: points.map((point) => point.shares[end]),
    })),
  });
}

function utilizationChart(points) {
  return lineChart({
    title: "Utilization",
    note: "Share of the cores' time that the server used.",
    x: loadAxis(points),
    y: { label: "utilization U", format: percent, upTo: 1 },
    lines: [spreadLine("utilization", 0, points, offered(points), (point) => point.utilization)],
  });
}

function distributionChart(points) {
  const measured = points.filter((point) => point.cdf.length > 0);
  const chosen = new Set(spreadOut(measured.length, FIRST_SHOWN_LOADS));
  return lineChart({
    title: "Distribution of response times",
    note: "Share of answers within a time, in the first round. Dots: p10, p50, p90; cross: the mean. Click a load in the legend to show or hide it.",
    x: { label: "response time", format: duration, log: true, name: duration },
    y: { label: "share no longer", format: percent, upTo: 1 },
    lines: measured.map((point, nth) => ({
      name: times(point.multiple),
      ...lineStyle(nth),
      xs: point.cdf.map((pair) => pair[0]),
      ys: point.cdf.map((pair) => pair[1]),
      dots: false,
      shown: chosen.has(nth),
      marks: distributionMarks(point),
    })),
  });
}

function distributionMarks({ cdf, mean }) {
  const marks = [0.1, 0.5, 0.9].map((share) => ({ x: quantile(cdf, share), y: share }));
  if (median(mean) !== null)
    marks.push({ x: mean.median, y: shareWithin(cdf, mean.median), cross: true });
  return marks.filter((mark) => mark.x > 0);
}

/** At most `wanted` of `total` indices, from the first to the last. */
function spreadOut(total, wanted) {
  if (total <= wanted) return Array.from({ length: total }, (_, place) => place);
  return Array.from({ length: wanted }, (_, nth) => Math.round((nth * (total - 1)) / (wanted - 1)));
}

function littleChart(points) {
  const counted = points.filter(
    (point) => point.rate_times_response.median > 0 && point.in_flight.median > 0,
  );
  const xs = counted.map((point) => point.rate_times_response.median);
  const ends = extent([...xs, ...counted.map((point) => point.in_flight.median)], { log: true });
  return lineChart({
    title: "Little's law",
    note: "N as the generator counted it, against λR: offered load times the mean time to the end of a request with any outcome.",
    x: { label: "λR (requests)", format: count, log: true, name: (x) => `λR = ${count(x)}` },
    y: { label: "N (requests under way)", format: count, log: true },
    lines: [
      {
        name: "N = λR",
        color: "--level",
        xs: ends,
        ys: ends,
        dash: [6, 4],
        width: 1.25,
        dots: false,
        guide: true,
      },
      spreadLine("N", 0, counted, xs, (point) => point.in_flight, {
        only_dots: true,
        labels: counted.map((point) => ({
          x: point.rate_times_response.median,
          y: point.in_flight.median,
          text: times(point.multiple),
        })),
      }),
    ],
  });
}
