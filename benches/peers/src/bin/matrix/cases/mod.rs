//! One file for each kind of cell: its keys, how it is measured, and the rows it comes to.
//!
//! This room imports `measure`, `judge` and `settings`. `cells` reads the whole file of cells;
//! `capacity_multiple` is the load that several kinds have in common, and `throughput` has the
//! figures that they share with nothing set.

pub(crate) mod at_once;
pub(crate) mod burst;
pub(crate) mod capacity_multiple;
pub(crate) mod cells;
pub(crate) mod classes;
pub(crate) mod controllers;
pub(crate) mod demand;
pub(crate) mod fairness;
pub(crate) mod neighbour;
pub(crate) mod on_off;
pub(crate) mod overload;
pub(crate) mod quiet;
pub(crate) mod rare;
pub(crate) mod step;
pub(crate) mod throughput;
