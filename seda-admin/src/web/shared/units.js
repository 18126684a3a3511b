// Numbers with their units, as text. Data is in seconds, rates per second, and shares of one; an
// unknown value is null, and shown as a dash.

const NBSP = "\u00a0";
const UNKNOWN = "–";

const isNumber = (value) => typeof value === "number" && Number.isFinite(value);

/** Three significant digits without trailing zeros. */
function digits(value) {
  return String(Number(value.toPrecision(3)));
}

/** 12345 as "12.3k". */
function count(value) {
  if (!isNumber(value)) return UNKNOWN;
  const rounded = Number(value.toPrecision(3));
  for (const [size, letter] of [
    [1e9, "G"],
    [1e6, "M"],
    [1e3, "k"],
  ]) {
    if (Math.abs(rounded) >= size) return digits(rounded / size) + letter;
  }
  return digits(rounded);
}

/** 12345 as "12.3k/s". */
function rate(value) {
  return isNumber(value) ? count(value) + "/s" : UNKNOWN;
}

/** 0.022 as "22 ms". */
function duration(value) {
  if (!isNumber(value)) return UNKNOWN;
  if (value === 0) return "0";
  const rounded = Number(value.toPrecision(3));
  if (rounded >= 1) return digits(rounded) + NBSP + "s";
  if (rounded >= 1e-3) return digits(rounded * 1e3) + NBSP + "ms";
  return digits(rounded * 1e6) + NBSP + "µs";
}

/** 0.968 as "97 %"; one digit more below one percent, so that few is not shown as none. */
function percent(value) {
  if (!isNumber(value)) return UNKNOWN;
  const hundredths = value * 100;
  const shown =
    hundredths !== 0 && hundredths < 1 ? hundredths.toPrecision(1) : hundredths.toFixed(0);
  // A share below all is not rounded to 100 %, because the difference matters to the reader.
  return (shown === "100" && value < 1 ? hundredths.toFixed(1) : shown) + NBSP + "%";
}

/** 1.5 as "1.5×". */
function times(value) {
  return isNumber(value) ? digits(value) + "×" : UNKNOWN;
}

/** The median of a spread; null if unknown. */
function median(spread) {
  return spread && isNumber(spread.median) ? spread.median : null;
}

/** A spread with its range: "97 % (95–98 %)". */
function spreadText(spread, format) {
  if (median(spread) === null) return UNKNOWN;
  return `${format(spread.median)} ${rangeText(spread.low, spread.high, format)}`.trim();
}

/** "(95–98 %)"; empty without a range. */
function rangeText(low, high, format) {
  if (!isNumber(low) || !isNumber(high) || low === high) return "";
  const [from, to] = [format(low), format(high)];
  const unit = (text) => text.replace(/^[\d.]+/, "");
  const short = unit(from) === unit(to) ? from.slice(0, from.length - unit(from).length) : from;
  return `(${short}–${to})`;
}

/** The shortest time that `share` of the answers of a distribution did not exceed; null if none. */
function quantile(cdf, share) {
  const step = cdf.find((pair) => pair[1] >= share);
  return step ? step[0] : null;
}

/** The share of the answers of a distribution that took no longer than `seconds`. */
function shareWithin(cdf, seconds) {
  const steps = cdf.filter((pair) => pair[0] <= seconds);
  return steps.length > 0 ? steps[steps.length - 1][1] : 0;
}
