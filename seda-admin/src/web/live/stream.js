// The records of the server, one a second, and the state of the connection.

/** The pause before the page connects again. */
const RETRY_MILLIS = 2000;
/** Without a record for this time the connection counts as broken. */
const SILENCE_MILLIS = 5000;

/** Follows the records. `told` gets "connecting", "live" or "broken", and a text for the last. */
function follow(take, told) {
  let source = null;
  let timer = null;
  let last = performance.now();

  function open() {
    timer = null;
    source = new EventSource("events");
    source.onmessage = (event) => {
      last = performance.now();
      told("live", "");
      take(JSON.parse(event.data));
    };
    source.onerror = () => retry();
  }

  function retry() {
    if (timer !== null) return;
    source?.close();
    timer = setTimeout(open, RETRY_MILLIS);
    // The error of an event stream does not say what went wrong.
    fetch("live")
      .then(() => told("broken", "The server answers, and ends the event stream: as many as it serves may be open."))
      .catch(() => told("broken", "The server does not answer."));
  }

  setInterval(() => {
    if (timer === null && performance.now() - last > SILENCE_MILLIS) {
      last = performance.now();
      retry();
    }
  }, 1000);
  told("connecting", "");
  open();
}
