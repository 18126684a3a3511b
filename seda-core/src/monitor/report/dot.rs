//! The graph as a diagram, in DOT (graphviz.org/doc/info/lang.html).

use crate::monitor::report::Report;
use std::fmt::Write;

impl Report {
    /// Returns the graph in the DOT language: stages with their load, edges with their counts.
    pub fn to_dot(&self) -> String {
        let mut dot = String::new();
        // Writing to a string cannot fail.
        let _ = self.write_dot(&mut dot);
        dot
    }

    fn write_dot(&self, dot: &mut String) -> std::fmt::Result {
        writeln!(dot, "digraph \"{}\" {{", escape(&self.graph))?;
        writeln!(dot, "  rankdir=LR;\n  node [shape=box];")?;
        writeln!(dot, "  outside [shape=plaintext];")?;
        for (n, stage) in self.stages.iter().enumerate() {
            let limits = self.bottleneck.names(&stage.name);
            let color = if limits { ", color=red" } else { "" };
            writeln!(
                dot,
                "  s{n} [label=\"{}\\nqueue {}/{}\\nworkers {}, {:.0} % busy\"{color}];",
                escape(&stage.name),
                stage.queue.depth,
                stage.queue.capacity,
                stage.workers.now,
                stage.utilization * 100.0
            )?;
        }
        for edge in &self.edges {
            let from = edge.from.as_ref().and_then(|name| self.node(name));
            let from = from.unwrap_or_else(|| "outside".to_owned());
            let to = self.node(&edge.to).unwrap_or_else(|| "outside".to_owned());
            let refused = match edge.refused {
                0 => String::new(),
                n => format!("\\n{n} refused"),
            };
            writeln!(dot, "  {from} -> {to} [label=\"{}{refused}\"];", edge.sent)?;
        }
        writeln!(dot, "}}")
    }

    fn node(&self, name: &str) -> Option<String> {
        self.stages.iter().position(|stage| stage.name == name).map(|n| format!("s{n}"))
    }
}

fn escape(text: &str) -> String {
    text.replace('\\', "\\\\").replace('"', "\\\"")
}
