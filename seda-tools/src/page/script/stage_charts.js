// The stages of a seda server, at each load.

function stageNames(points) {
  return [...new Set(points.flatMap((point) => point.stages.map((stage) => stage.name)))];
}

function stageCharts(points) {
  const xs = offered(points);
  const chart = (title, note, y, figureOf) =>
    lineChart({
      title,
      note,
      x: loadAxis(points),
      y,
      lines: stageNames(points).map((name, nth) => ({
        name,
        ...lineStyle(nth),
        xs,
        ys: points.map((point) => {
          const stage = point.stages.find((one) => one.name === name);
          return stage ? figureOf(stage) : null;
        }),
      })),
    });
  return [
    chart(
      "Queues",
      "Events in each stage's queue at the end of the run.",
      { label: "depth (events)", format: count, whole: true },
      (stage) => stage.depth,
    ),
    chart(
      "Workers",
      "Workers of each stage's pool at the end of the run.",
      { label: "workers", format: count, whole: true },
      (stage) => stage.workers,
    ),
    stagesLost(points)
      ? chart(
          "Refused and shed",
          "Events that each stage refused or shed during the run.",
          { label: "events", format: count, whole: true },
          (stage) => stage.refused + stage.shed,
        )
      : null,
  ];
}

function stagesLost(points) {
  return points.some((point) => point.stages.some((stage) => stage.refused + stage.shed > 0));
}

function stagesWithoutLoss(points) {
  if (stageNames(points).length === 0 || stagesLost(points)) return null;
  return element("p", null, "No stage refused or shed an event.");
}
