// The page's elements. Text goes in as text: a report's strings are never read as markup.

/** An element with attributes and children; a child is an element, a string, or nothing. */
function element(name, attributes, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes ?? {})) made.setAttribute(key, value);
  made.append(...children.flat().filter((child) => child !== null && child !== undefined));
  return made;
}

/** The page's head: name, summary, and pairs of a term and what it is here. */
function header(kind, name, sentences, facts) {
  const known = facts.filter(([, value]) => value !== null && value !== undefined && value !== "");
  return element(
    "header",
    null,
    element("p", { class: "kind" }, kind),
    element("h1", null, name),
    sentences.map((sentence) => element("p", { class: "summary" }, sentence)),
    element(
      "dl",
      null,
      known.map(([term, value]) =>
        element("div", null, element("dt", null, term), element("dd", null, value)),
      ),
    ),
  );
}

/** A heading with what belongs to it; null if there is nothing. */
function section(heading, ...children) {
  const present = children.flat().filter((child) => child !== null);
  if (present.length === 0) return null;
  return element("section", null, element("h2", null, heading), present);
}

/** The charts that have data, side by side where there is room; null if none has. */
function gallery(...figures) {
  const present = figures.flat().filter((figure) => figure !== null);
  return present.length > 0 ? element("div", { class: "gallery" }, present) : null;
}

/** The same, one below the other and as wide as the page: what shares its x is read downwards. */
function timeline(...figures) {
  const made = gallery(...figures);
  made?.classList.add("timeline");
  return made;
}

/**
 * A table that scrolls by itself where the page is too narrow. A column is
 * `{ head, cell: (row) => text or element, words }`; figures are set to the right, words are not.
 */
function table(columns, rows) {
  const setting = (column) => (column.words ? { class: "words" } : null);
  return element(
    "div",
    { class: "scroll", tabindex: "0" },
    element(
      "table",
      null,
      element(
        "thead",
        null,
        element(
          "tr",
          null,
          columns.map((column) => element("th", { ...setting(column), scope: "col" }, column.head)),
        ),
      ),
      element(
        "tbody",
        null,
        rows.map((row) =>
          element(
            "tr",
            null,
            columns.map((column) => element("td", setting(column), column.cell(row))),
          ),
        ),
      ),
    ),
  );
}

/** A figure with its range below it, smaller. */
function spreadCell(spread, format) {
  if (median(spread) === null) return UNKNOWN;
  const range = rangeText(spread.low, spread.high, format);
  return element("span", null, format(spread.median), range ? element("small", null, range) : null);
}

/** What must not be overlooked. */
function warning(text) {
  return element("p", { class: "warning" }, text);
}
