// The last minute, second by second: from the history at first, then from the records.

const PAST_SECONDS = 60;

/** Keeps the last minute of each stage and each class. */
class Past {
  constructor() {
    this.clear();
  }

  clear() {
    /** The stages of each second: `{ at, stages: [{ offered, refused }], classes: { name: [n] } }`. */
    this.seconds = [];
    this.bounds = null;
    this.before = null;
  }

  /** Takes the history in, before the seconds that are known. */
  fill(history) {
    this.bounds = history.bucket_bounds;
    const first = this.seconds[0]?.at ?? Infinity;
    const older = history.seconds.filter((second) => second.at < first - 0.5);
    this.seconds = [...older.map((second) => pastOf(history, second)), ...this.seconds];
    this.seconds = this.seconds.slice(-PAST_SECONDS);
  }

  /** Takes a report in. */
  note(report) {
    const counts = responsesOf(report);
    const at = report.uptime_seconds;
    const last = this.seconds[this.seconds.length - 1];
    if (last && at - last.at < 0.5) return;
    const stages = report.stages.map(({ last_second: window }) => ({
      offered: perSecond(window.offered, window.seconds),
      refused: perSecond(sum(window.refused) + window.turned_away, window.seconds),
    }));
    const classes = {};
    for (const [name, buckets] of Object.entries(counts)) {
      const before = this.before?.[name];
      if (before) classes[name] = buckets.map((count, nth) => count - (before[nth] ?? 0));
    }
    this.before = counts;
    this.seconds.push({ at, stages, classes });
    this.seconds = this.seconds.slice(-PAST_SECONDS);
  }

  /** The response times of a class in the last minute, in buckets; null without any. */
  responses(name) {
    const known = this.seconds.map((second) => second.classes[name]).filter((it) => it?.length > 0);
    if (known.length === 0) return null;
    return known[0].map((_, nth) => known.reduce((total, buckets) => total + (buckets[nth] ?? 0), 0));
  }
}

function pastOf(history, second) {
  const stages = second.stages.map((stage) => ({
    offered: perSecond(stage.offered ?? 0, second.seconds),
    refused: perSecond((stage.refused ?? 0) + (stage.turned_away ?? 0), second.seconds),
  }));
  const classes = {};
  (second.detail?.classes ?? []).forEach((known, nth) => {
    if (known.responses) classes[history.classes[nth]] = known.responses;
  });
  return { at: second.at, stages, classes };
}

/** The response times of each class since the start, in buckets. */
function responsesOf(report) {
  const counts = {};
  for (const [name, response] of Object.entries(report.response_seconds)) {
    if (response.buckets) counts[name] = response.buckets;
  }
  return counts;
}

function perSecond(count, seconds) {
  return seconds > 0 ? count / seconds : null;
}
