// Colours by the name of their custom property, so that one page serves light, dark and paper.
// The hues are those of Okabe and Ito (2008), told apart with any common colour blindness; where
// there are more lines than hues, the dashes tell them apart.

const LINE_COLORS = 8;
const DASHES = [[], [8, 4], [2, 4]];

/** How the nth of several lines is drawn. */
function lineStyle(nth) {
  return {
    color: `--line-${(nth % LINE_COLORS) + 1}`,
    dash: DASHES[Math.floor(nth / LINE_COLORS) % DASHES.length],
  };
}

/** The seven ends of a request, in the order of the report. */
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

/** What a custom property is at the moment: the canvas does not know them. */
function ink(name) {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}
