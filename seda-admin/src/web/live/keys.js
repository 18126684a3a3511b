// Controls by keyboard; the buttons do the same.

const JUMPS = { g: "graph", s: "stages", r: "classes", d: "decisions" };

function jump(id) {
  const heading = document.getElementById(id);
  heading.scrollIntoView({ block: "start" });
  heading.focus({ preventScroll: true });
}

function listen({ pause, window: changeWindow, help }) {
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const isButton = event.target instanceof HTMLButtonElement;
    if (event.key === " " && !isButton) {
      // The space bar would scroll the page.
      event.preventDefault();
      pause();
    } else if (event.key === "w") changeWindow();
    else if (event.key === "?") help();
    else if (event.key === "t") scrollTo(0, 0);
    else if (event.key in JUMPS) jump(JUMPS[event.key]);
  });
  document.getElementById("pause").addEventListener("click", pause);
  document.getElementById("window").addEventListener("click", changeWindow);
  document.getElementById("help").addEventListener("click", help);
}
