// Colours by the name of their custom property, so that one page serves light, dark and paper.
// The hues of Okabe and Ito (2008) are distinct under any common colour blindness; with more lines
// than hues, the dashes differ.

const LINE_COLORS = 8;
const DASHES = [[], [8, 4], [2, 4]];

/** The style of the nth line. */
function lineStyle(nth) {
  return {
    color: `--line-${(nth % LINE_COLORS) + 1}`,
    dash: DASHES[Math.floor(nth / LINE_COLORS) % DASHES.length],
  };
}

/** The seven outcomes of a request, in the order of the report. */
const OUTCOMES = [
  { name: "good", field: "good", color: "--good" },
  { name: "late", field: "late", color: "--late" },
  { name: "refused", field: "refused", color: "--refused" },
  { name: "wrong", field: "wrong", color: "--wrong" },
  { name: "timed out", field: "timed_out", color: "--timed-out" },
  { name: "connect error", field: "connect_error", color: "--connect-error" },
  { name: "broken", field: "broken", color: "--broken" },
];
const REFUSED = 2;
const TIMED_OUT = 4;

/** The current value of a custom property, which a canvas cannot resolve. */
function ink(name) {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}
