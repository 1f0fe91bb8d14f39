//! What every dialect lowers to and the engine runs
