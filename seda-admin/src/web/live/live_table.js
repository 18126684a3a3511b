// A table whose cells change in place, so that its focus, scroll and selection stay.

/**
 * Makes a table as `table` does. A column is `{ head, text, show: (cell, row) => … }`, where `show`
 * fills the cell, or `{ head, text, cell: (row) => text }`.
 */
function liveTable(columns) {
  const root = table(columns, []);
  root.classList.add("live-table");
  const body = root.querySelector("tbody");
  const show = (rows) => {
    while (body.rows.length > rows.length) body.lastElementChild.remove();
    rows.forEach((row, nth) => {
      const line = body.rows[nth] ?? body.appendChild(emptyRow(columns));
      columns.forEach((column, place) => {
        const cell = line.cells[place];
        if (column.show) column.show(cell, row);
        else setText(cell, column.cell(row));
      });
    });
    return body.rows;
  };
  return { root, show };
}

function emptyRow(columns) {
  const cells = columns.map((column) => element("td", column.text ? { class: "text" } : null));
  return element("tr", null, cells);
}

/** Shows a text above a bar that is filled to a share of one. */
function showLevel(cell, text, share, kind) {
  if (cell.children.length === 0) {
    cell.append(element("span"), element("span", { class: `level ${kind}` }, element("i")));
  }
  const [label, level] = cell.children;
  setText(label, text);
  const filled = Math.min(Math.max(share || 0, 0), 1);
  level.firstElementChild.style.width = `${(filled * 100).toFixed(1)}%`;
  level.classList.toggle("full", filled >= 0.9);
}

/** Shows a number that is muted while it is zero. */
function showRate(cell, value) {
  setText(cell, value > 0 ? rate(value) : "–");
  cell.classList.toggle("quiet", !(value > 0));
}
