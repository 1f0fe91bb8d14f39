//! What the libraries of Node-RED's parser nodes make of values, as functions that a plan may apply.

pub(super) mod csv;
pub(super) mod octets;
pub(super) mod range;
pub(super) mod schema;
pub(super) mod split;
pub(super) mod xml;
pub(super) mod yaml;
