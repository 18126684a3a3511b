// Reads the embedded report, and makes and draws its page.

const main = document.getElementById("page");
const data = JSON.parse(document.getElementById("report").textContent);
const pages = { sweep: sweepPage, compare: comparePage, step: stepPage };

main.append(...pages[main.dataset.kind](data).filter((part) => part !== null));
mount();
