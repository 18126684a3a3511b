// The decisions of the controllers, the newest first.

const DECISIONS_MOST = 20;

function journalTable() {
  return liveTable([
    { head: "Ago", cell: ({ ago }) => upTime(ago) },
    { head: "Controller", text: true, cell: ({ decision }) => decision.controller.replaceAll("_", " ") },
    { head: "Stage", text: true, cell: ({ decision }) => decision.stage ?? "" },
    { head: "Seen", text: true, cell: ({ decision }) => decision.seen },
    { head: "Done", text: true, cell: ({ decision }) => doneText(decision) },
    { head: "Changed", text: true, cell: ({ decision }) => decision.changed },
  ]);
}

function doneText(decision) {
  return decision.acted ? decision.action : `${decision.action} (only observed)`;
}

function showJournal(made, note, report) {
  const newest = [...report.journal].sort((a, b) => b.at_seconds - a.at_seconds);
  const rows = newest.slice(0, DECISIONS_MOST).map((decision) => ({
    decision,
    ago: Math.max(report.uptime_seconds - decision.at_seconds, 0),
  }));
  made.show(rows);
  made.root.hidden = rows.length === 0;
  setText(note, rows.length === 0 ? "No controller has decided anything yet." : "");
}
