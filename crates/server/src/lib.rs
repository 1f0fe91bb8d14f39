//! Requests in, replies out
