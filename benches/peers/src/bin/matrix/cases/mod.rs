//! One file for each kind of cell: its keys in the file of cells, how it is measured, its rows.

pub(crate) mod burst;
pub(crate) mod cells;
pub(crate) mod classes;
pub(crate) mod controllers;
pub(crate) mod demand;
pub(crate) mod fairness;
pub(crate) mod neighbour;
pub(crate) mod overload;
pub(crate) mod quiet;
pub(crate) mod rare;
pub(crate) mod step;
