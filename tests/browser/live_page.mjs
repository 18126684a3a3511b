// Drives the live page in headless Chromium: it is drawn, its figures are those of the report, no
// error is in the console, it fits a telephone, and it says so when the server has gone.
//
//   cargo build --example live_page && node tests/browser/live_page.mjs [--pictures DIR]
//
// It needs node 20 and Chromium (`apt-get install chromium`), named by CHROMIUM if it is elsewhere.
// Without Chromium it says so and ends with 0. It talks to Chromium by a pipe, so it needs no package.

import { spawn, spawnSync } from "node:child_process";
import { mkdtempSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import http from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";

const CHROMIUM = process.env.CHROMIUM ?? "chromium";
const TARGET = process.env.CARGO_TARGET_DIR ?? "target";
const SERVER = process.env.LIVE_PAGE ?? join(TARGET, "debug/examples/live_page");
const PICTURES = process.argv.includes("--pictures")
  ? process.argv[process.argv.indexOf("--pictures") + 1]
  : null;
/** A limit that only a defect reaches. */
const LIMIT_MILLIS = 60_000;
/** Requests in flight: enough that the database is the bottleneck. */
const CLIENTS = 24;

const pause = (millis) => new Promise((resolve) => setTimeout(resolve, millis));
let checks = 0;

function check(holds, what) {
  if (!holds) throw new Error(`failed: ${what}`);
  checks += 1;
}

/** Waits until `probe` returns a value that is true. */
async function until(what, probe) {
  const end = Date.now() + LIMIT_MILLIS;
  while (Date.now() < end) {
    const value = await probe();
    if (value) return value;
    await pause(100);
  }
  throw new Error(`not in time: ${what}`);
}

/** Starts the server at an address; returns its process and the address of its page. */
async function startServer(address) {
  const server = spawn(SERVER, [address], { stdio: ["pipe", "pipe", "inherit"] });
  server.on("error", (error) => {
    console.error(`${SERVER}: ${error.message}; build it: cargo build --example live_page`);
    process.exit(1);
  });
  for await (const line of createInterface({ input: server.stdout })) {
    return { server, page: line.split(": ")[1] };
  }
  throw new Error("the server printed no address");
}

/** Asks for items over a few connections until it is stopped. */
function startLoad(page) {
  const agent = new http.Agent({ keepAlive: true, maxSockets: CLIENTS });
  const load = { isOn: true, answers: 0 };
  const { hostname, port } = new URL(page);
  const ask = (nth) =>
    new Promise((resolve) => {
      const request = http.get({ hostname, port, agent, path: `/items/${nth}` }, (answer) => {
        load.answers += 1;
        answer.resume().on("end", resolve);
      });
      request.on("error", resolve);
    });
  const client = async (nth) => {
    for (let item = nth; load.isOn; item += CLIENTS + 1) await ask(item);
  };
  load.ended = Promise.all(Array.from({ length: CLIENTS }, (_, nth) => client(nth)));
  return load;
}

/** Chromium, by the DevTools protocol over a pipe: messages end with a NUL. */
class Browser {
  constructor(folder) {
    const flags = ["--headless=new", "--remote-debugging-pipe", "--no-sandbox", "--disable-gpu"];
    const stdio = ["ignore", "ignore", "ignore", "pipe", "pipe"];
    this.process = spawn(CHROMIUM, [...flags, `--user-data-dir=${folder}`], { stdio });
    this.calls = new Map();
    this.listeners = [];
    let text = "";
    this.process.stdio[4].on("data", (bytes) => {
      text += bytes;
      const messages = text.split("\0");
      text = messages.pop();
      messages.forEach((message) => this.take(JSON.parse(message)));
    });
  }

  take({ id, result, error, method, params }) {
    if (id === undefined) return this.listeners.forEach((listen) => listen(method, params));
    const { resolve, reject } = this.calls.get(id);
    this.calls.delete(id);
    if (error) reject(new Error(error.message));
    else resolve(result);
  }

  call(method, params = {}) {
    const id = (this.last = (this.last ?? 0) + 1);
    const message = JSON.stringify({ id, method, params, sessionId: this.session });
    this.process.stdio[3].write(`${message}\0`);
    return new Promise((resolve, reject) => this.calls.set(id, { resolve, reject }));
  }

  async open() {
    const { targetId } = await this.call("Target.createTarget", { url: "about:blank" });
    const { sessionId } = await this.call("Target.attachToTarget", { targetId, flatten: true });
    this.session = sessionId;
    for (const domain of ["Page", "Runtime", "Log", "Network"]) await this.call(`${domain}.enable`);
  }

  async evaluate(expression) {
    const asked = { expression, returnByValue: true, awaitPromise: true };
    const { result, exceptionDetails } = await this.call("Runtime.evaluate", asked);
    if (exceptionDetails) throw new Error(exceptionDetails.exception?.description ?? expression);
    return result.value;
  }

  async show(width, height, scheme) {
    const size = { width, height, deviceScaleFactor: 1, mobile: width < 500 };
    await this.call("Emulation.setDeviceMetricsOverride", size);
    const features = [{ name: "prefers-color-scheme", value: scheme }];
    await this.call("Emulation.setEmulatedMedia", { features });
    await pause(2500);
  }

  async picture(name) {
    if (PICTURES === null) return;
    const whole = { format: "png", captureBeyondViewport: true };
    const { data } = await this.call("Page.captureScreenshot", whole);
    writeFileSync(join(PICTURES, `${name}.png`), Buffer.from(data, "base64"));
  }

  async press(key) {
    const code = key === " " ? "Space" : undefined;
    const event = { key, code, text: key };
    await this.call("Input.dispatchKeyEvent", { type: "keyDown", ...event });
    await this.call("Input.dispatchKeyEvent", { type: "keyUp", ...event });
  }
}

/** The number in a text of the page: "12.3k/s" is 12300, and "22 ms" is 0.022. */
function shown(text) {
  const found = /^([\d.]+)\s*(µs|ms|s|k|M|G|%)?/.exec(text.replaceAll("\u00a0", " "));
  if (!found) return null;
  const sizes = { µs: 1e-6, ms: 1e-3, s: 1, k: 1e3, M: 1e6, G: 1e9, "%": 0.01 };
  return Number(found[1]) * (sizes[found[2]] ?? 1);
}

/** True if the page shows this number: with three digits, or as a whole percentage. */
function shows(text, value, share = 0.006) {
  if (value === null || value === undefined) return text === "–";
  const read = shown(text);
  return read !== null && Math.abs(read - value) <= Math.max(share * Math.abs(value), 1e-9);
}

/** True if the text is p99.9, or says that there are too few times to tell. */
function showsTail(text, times) {
  if (!times?.count) return text === "–";
  return times.count < 3688 ? text === "too few" : shows(text, times.p999);
}

/** The texts of a table below a heading, one array for each row. */
const rowsOf = (browser, id) =>
  browser.evaluate(`[...document.querySelector("#${id} ~ .scroll tbody, #${id} + .scroll tbody").rows]
    .map((row) => [...row.cells].map((cell) => cell.innerText.trim()))`);

/** Compares what is shown with the record that is shown. */
async function compareFigures(browser) {
  const [{ report, load }, stages, classes, facts] = await browser.evaluate(`Promise.resolve([
    live.record,
    [...document.querySelector("#stages + .scroll tbody").rows].map((row) =>
      [...row.cells].map((cell) => cell.innerText.trim())),
    [...document.querySelector("#classes + .scroll tbody").rows].map((row) =>
      [...row.cells].map((cell) => cell.innerText.trim())),
    [...document.querySelectorAll("#facts div")].map((fact) => fact.innerText.split("\\n")),
  ])`);
  const fact = Object.fromEntries(facts);
  check(shows(fact.Load, load.ratio, 0.02), `load ${fact.Load} of ${load.ratio}`);
  check(shows(fact.Offered, load.offered_per_second), `offered ${fact.Offered}`);
  check(shows(fact["Answered so far"], report.requests.answered), "answered");
  check(stages.length === report.stages.length, "a row for each stage");
  report.stages.forEach((stage, nth) => {
    const [name, , offered, served, , , , queue, , utilization, waitP50, waitP99, , serviceP99, handled] =
      stages[nth];
    const now = stage.last_ten_seconds;
    check(name === stage.name, `the name ${name}`);
    check(shows(offered, now.offered / now.seconds), `${name}: offered ${offered}`);
    check(shows(served, now.served / now.seconds), `${name}: served ${served}`);
    check(shows(queue, stage.queue.depth), `${name}: queue ${queue}`);
    check(Math.abs(shown(utilization) - now.utilization) <= 0.006, `${name}: ${utilization} busy`);
    check(shows(waitP50, now.wait.p50), `${name}: wait p50 ${waitP50}`);
    check(shows(waitP99, now.wait.p99), `${name}: wait p99 ${waitP99}`);
    check(shows(serviceP99, now.service.p99), `${name}: service p99 ${serviceP99}`);
    check(shows(handled, stage.handled), `${name}: handled ${handled}`);
  });
  report.classes.forEach((known, nth) => {
    const [name, slo, , , recentP99, recentP999, minuteP999, , p99, p999, , answered] = classes[nth];
    const life = report.response_seconds[known.name];
    const recent = known.last_ten_seconds;
    check(name === known.name, `the class ${name}`);
    check(shows(slo, known.promised_seconds), `${name}: SLO ${slo}`);
    check(shows(recentP99, recent.p99), `${name}: p99 ${recentP99}`);
    check(showsTail(recentP999, recent), `${name}: p99.9 ${recentP999} of ${recent.count}`);
    check(/^(–|too few|[≤>] .*)$/.test(minuteP999), `${name}: p99.9 of a minute ${minuteP999}`);
    check(shows(p99, life?.p99) && showsTail(p999, life), `${name}: ${p99}, ${p999} since start`);
    check(shows(answered, life?.count ?? 0), `${name}: answered ${answered}`);
  });
}

/** The drawing has every stage and edge, with the rates of the record. */
async function compareDrawing(browser) {
  const drawn = await browser.evaluate(`({
    report: live.record.report,
    stages: [...document.querySelectorAll("#drawing g.stage .name")].map((it) => it.textContent),
    edges: [...document.querySelectorAll("#drawing g.edge")].map((it) =>
      [it.dataset.from, it.dataset.to, it.querySelector(".rate").textContent]),
    limits: [...document.querySelectorAll("#drawing g.bottleneck .name")].map((it) => it.textContent),
    width: document.querySelector("#drawing svg").getBoundingClientRect().width,
    room: document.querySelector("#drawing").clientWidth,
  })`);
  const { report } = drawn;
  check(drawn.stages.join() === report.stages.map((stage) => stage.name).join(), "stages are drawn");
  check(drawn.width <= drawn.room + 1, `the drawing of ${drawn.width} px fits ${drawn.room} px`);
  const seconds = Math.max(...report.stages.map((stage) => stage.last_ten_seconds.seconds));
  for (const [from, to, text] of drawn.edges) {
    const leaves = from === "" ? null : report.stages[from].name;
    const sent = report.edges
      .filter((edge) => edge.from === leaves && edge.to === report.stages[to].name)
      .reduce((total, edge) => total + edge.last_ten_seconds.sent, 0);
    check(shows(text, sent / seconds), `the edge ${from} to ${to} shows ${text}`);
  }
  const found = report.bottleneck.kind !== "none" && report.bottleneck.kind !== "cannot_tell";
  const named = found && report.bottleneck.stage !== null ? [report.bottleneck.stage] : [];
  check(named.every((stage) => drawn.limits.includes(stage)), `${named} is marked as bottleneck`);
}

async function drive(browser, folder) {
  let { server, page } = await startServer("127.0.0.1:0");
  const load = startLoad(page);
  const problems = [];
  const foreign = [];
  browser.listeners.push((method, params) => {
    if (method === "Runtime.exceptionThrown") problems.push(params.exceptionDetails.text);
    if (method === "Runtime.consoleAPICalled" && params.type !== "log") problems.push(params.type);
    if (method === "Log.entryAdded" && params.entry.level !== "info") {
      problems.push(`${params.entry.text} ${params.entry.url ?? ""}`);
    }
    if (method === "Network.requestWillBeSent") {
      const { url } = params.request;
      if (!url.startsWith(page) && !url.startsWith("data:")) foreign.push(url);
    }
  });
  try {
    // Under load: the page is drawn, and its figures are those of the record that it shows.
    await browser.show(1320, 1000, "light");
    await browser.call("Page.navigate", { url: page });
    const state = () => browser.evaluate(`document.getElementById("state")?.dataset.state`);
    await until("the page is live", async () => (await state()) === "live");
    await until("the graph is drawn", () => browser.evaluate(`!!document.querySelector("#drawing svg")`));
    await until("the bottleneck is named", () =>
      browser.evaluate(`document.querySelector("#bottleneck .summary").textContent.includes("limits")`));
    await pause(10_000);
    const sentence = await browser.evaluate(`document.querySelector("#bottleneck").innerText`);
    check(sentence.includes("database"), `the database is the bottleneck: ${sentence}`);
    await compareFigures(browser);
    await compareDrawing(browser);
    await browser.picture("wide-light");
    await browser.show(1320, 1000, "dark");
    await browser.picture("wide-dark");
    for (const scheme of ["light", "dark"]) {
      await browser.show(390, 844, scheme);
      const width = await browser.evaluate(`document.documentElement.scrollWidth`);
      check(width <= 390, `the page is ${width} px wide on a telephone`);
      await compareFigures(browser);
    await compareDrawing(browser);
      await browser.picture(`telephone-${scheme}`);
    }
    await browser.show(1320, 1000, "light");

    // Keys.
    await browser.press("w");
    const text = await browser.evaluate(`document.getElementById("window").innerText`);
    check(text.startsWith("Over the last second"), `w changes the window: ${text}`);
    await browser.press("w");
    await browser.press(" ");
    const at = () => browser.evaluate(`live.record.report.uptime_seconds`);
    const paused = await at();
    await pause(2500);
    check((await at()) === paused && (await state()) === "paused", "space pauses");
    await browser.press(" ");
    await until("space goes on", async () => (await at()) > paused);
    await browser.press("?");
    check(await browser.evaluate(`document.getElementById("keys").open`), "? shows the keys");
    await browser.press("?");

    // Without load the totals stay the same: those of the page are those of the report.
    load.isOn = false;
    await load.ended;
    check(load.answers > 100, `${load.answers} answers came`);
    await pause(2500);
    const report = await (await fetch(`${page}report`)).json();
    const rows = await rowsOf(browser, "stages");
    report.stages.forEach((stage, nth) => {
      const shownHandled = rows[nth][14];
      check(shows(shownHandled, stage.handled), `${stage.name}: handled ${shownHandled}`);
    });

    // A server that has gone, and comes back.
    check(problems.length === 0, `no error in the console: ${problems.join("; ")}`);
    check(foreign.length === 0, `no request elsewhere: ${foreign.join()}`);
    server.kill("SIGKILL");
    await until("the page says that the server has gone", async () => (await state()) === "broken");
    const banner = await browser.evaluate(`document.getElementById("banner").innerText`);
    check(banner.startsWith("The server does not answer."), banner);
    await browser.picture("broken");
    ({ server } = await startServer(new URL(page).host));
    await until("the page is live again", async () => (await state()) === "live");
    await until("the page shows the new server", async () => (await at()) < 30);

    // The drawing alone.
    problems.length = 0;
    await browser.call("Page.navigate", { url: `${page}graph?format=svg` });
    await until("the drawing is shown", () => browser.evaluate(`!!document.querySelector("g.stage")`));
    await browser.picture("drawing");
    check(problems.length === 0, `no error in the console: ${problems.join("; ")}`);
  } finally {
    load.isOn = false;
    server.kill("SIGKILL");
  }
}

if (spawnSync(CHROMIUM, ["--version"]).status !== 0) {
  console.error(`SKIPPED: there is no \`${CHROMIUM}\`. Install chromium, or name it by CHROMIUM.`);
  process.exit(0);
}
const folder = mkdtempSync(join(tmpdir(), "seda-live-page-"));
if (PICTURES !== null) mkdirSync(PICTURES, { recursive: true });
const browser = new Browser(folder);
let status = 0;
try {
  await browser.open();
  await drive(browser, folder);
  console.log(`${checks} checks of the live page hold`);
} catch (error) {
  console.error(error.message);
  await browser.picture("failed").catch(() => {});
  status = 1;
} finally {
  browser.process.kill("SIGKILL");
  await pause(500);
  rmSync(folder, { recursive: true, force: true });
}
process.exit(status);
