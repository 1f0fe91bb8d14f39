//! The JavaScript that function nodes find around their bodies, put together from its parts.

use std::sync::{Arc, LazyLock};

/// What reads the sources of a function as the surface does, and does nothing else.
pub(super) fn reader() -> Arc<str> {
    static READER: LazyLock<Arc<str>> = LazyLock::new(|| include!("surface/reader.in").into());
    READER.clone()
}

/// The surface that functions see, shared by all of them.
pub(super) fn plain() -> Arc<str> {
    static SURFACE: LazyLock<Arc<str>> = LazyLock::new(|| include!("surface/whole.in").into());
    SURFACE.clone()
}

/// The same with the modules that come with it, for functions that can ask for one.
pub(super) fn with_modules() -> Arc<str> {
    static SURFACE: LazyLock<Arc<str>> = LazyLock::new(|| include!("surface/with_modules.in").into());
    SURFACE.clone()
}
