//! Scripts, run where they can do no harm: worker processes
