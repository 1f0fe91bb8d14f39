//! What the targets hold their inputs to, where it is more than a line.

pub mod api_connect;
pub mod node_red;
pub mod orchestration;
pub mod tokens;
