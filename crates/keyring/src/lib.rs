//! Which key signs at an instant, which verify then, what comes next
