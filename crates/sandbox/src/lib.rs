//! Scripts, run where they can do no harm: worker processes.

mod speech;

pub use speech::{Question, Reach, Said, SyntaxFault};
