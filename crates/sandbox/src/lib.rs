//! Scripts, run where they can do no harm: worker processes.

mod frame;
mod pool;
mod speech;
pub mod worker;

pub use frame::{FRAME_VALUES_MAX, FrameFault, SCRIPT_FRAME_BYTES_MAX, VALUE_DEPTH_MAX};
pub use pool::{Conversation, Pool, PoolSettings, SCRIPT_SOURCE_BYTES_MAX, ScriptKey};
pub use speech::{Part, Question, Reach, Said, SyntaxFault};
