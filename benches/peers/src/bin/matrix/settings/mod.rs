//! What the file of cells says.

pub(crate) mod request_spec;
