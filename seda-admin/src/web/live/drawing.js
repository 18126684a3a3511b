// Elements of SVG, and text that changes only if it differs.

const SVG = "http://www.w3.org/2000/svg";

/** Makes an element of SVG with attributes and children. */
function svgElement(name, attributes, ...children) {
  const made = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes ?? {})) made.setAttribute(key, value);
  made.append(...children.flat().filter((child) => child !== null && child !== undefined));
  return made;
}

/** Sets a text, so that a selection in one that stays the same stays too. */
function setText(node, text) {
  if (node && node.textContent !== text) node.textContent = text;
}

/** The path through points; a point without a number is a gap. */
function pathOf(points) {
  let path = "";
  let begins = true;
  for (const [x, y] of points) {
    if (!isNumber(x) || !isNumber(y)) {
      begins = true;
      continue;
    }
    path += `${begins ? "M" : "L"}${x.toFixed(1)} ${y.toFixed(1)}`;
    begins = false;
  }
  return path;
}

/** The sum of the numbers of an object, such as the counts by reason. */
function sum(counts) {
  return Object.values(counts ?? {}).reduce((total, count) => total + count, 0);
}
