// The tooltip with the values under the pointer.

/** The most rows, so that the chart stays visible: those nearest to the pointer. */
const TOOLTIP_ROWS = 8;

/** A plugin for uPlot; `describe(nth, place)` is the text of a line at an index, or null. */
function tooltip(lines, heading, describe) {
  const box = element("div", { class: "tooltip", hidden: "" });
  return {
    hooks: {
      init: (plot) => {
        plot.over.append(box);
        plot.over.addEventListener("mouseleave", () => (box.hidden = true));
      },
      setCursor: (plot) => {
        const { left, top, idx, idxs } = plot.cursor;
        const rows = idx === null || idx === undefined || left < 0 ? [] : rowsAt(plot, idxs, top);
        box.hidden = rows.length === 0;
        if (box.hidden) return;
        const x = rows.length === 1 ? rows[0].x : plot.data[0][idx];
        box.replaceChildren(element("b", null, heading(x)), ...rows.map((row) => row.line));
        place(plot, left, top);
      },
    },
  };

  function rowsAt(plot, idxs, top) {
    const rows = [];
    lines.forEach((line, nth) => {
      const at = idxs[nth + 1];
      if (!plot.series[nth + 1].show || at === null || at === undefined) return;
      const text = describe(nth, at);
      if (text === null) return;
      const swatch = element("i", { style: `background: var(${line.color})` });
      const distance = Math.abs(plot.valToPos(plot.data[nth + 1][at], "y") - top);
      rows.push({
        nth,
        distance,
        x: plot.data[0][at],
        line: element("div", null, swatch, line.name, element("span", null, text)),
      });
    });
    rows.sort((a, b) => a.distance - b.distance);
    rows[0]?.line.classList.add("near");
    return rows.slice(0, TOOLTIP_ROWS).sort((a, b) => a.nth - b.nth);
  }

  function place(plot, left, top) {
    const toTheLeft = left > plot.over.clientWidth / 2;
    const x = toTheLeft ? left - box.offsetWidth - 14 : left + 14;
    const y = Math.min(
      Math.max(top - box.offsetHeight / 2, 0),
      Math.max(plot.over.clientHeight - box.offsetHeight, 0),
    );
    box.style.transform = `translate(${Math.round(x)}px, ${Math.round(y)}px)`;
  }
}
