// The elements of a page. The strings of a report are inserted as text, never as markup.

/** Makes an element with attributes and children; a child is an element, a string, or null. */
function element(name, attributes, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes ?? {})) made.setAttribute(key, value);
  made.append(...children.flat().filter((child) => child !== null && child !== undefined));
  return made;
}

/** Makes the head of a page: name, summary, and pairs of a term and its value. */
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

/** Makes a section with a heading; null without children. */
function section(heading, ...children) {
  const present = children.flat().filter((child) => child !== null);
  if (present.length === 0) return null;
  return element("section", null, element("h2", null, heading), present);
}

/** Lays charts side by side if there is room; null if no chart has data. */
function gallery(...figures) {
  const present = figures.flat().filter((figure) => figure !== null);
  return present.length > 0 ? element("div", { class: "gallery" }, present) : null;
}

/** Lays charts with the same x one below the other, as wide as the page. */
function timeline(...figures) {
  const made = gallery(...figures);
  made?.classList.add("timeline");
  return made;
}

/**
 * Makes a table that scrolls if the page is too narrow. A column is
 * `{ head, cell: (row) => text or element, text }`; numbers are aligned to the right, text is not.
 */
function table(columns, rows) {
  const setting = (column) => (column.text ? { class: "text" } : null);
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

/** Makes a number with its range below it, smaller. */
function spreadCell(spread, format) {
  if (median(spread) === null) return UNKNOWN;
  const range = rangeText(spread.low, spread.high, format);
  return element("span", null, format(spread.median), range ? element("small", null, range) : null);
}

/** Makes a warning. */
function warning(text) {
  return element("p", { class: "warning" }, text);
}
