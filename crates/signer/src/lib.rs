//! Private keys: kept, used, never shown
