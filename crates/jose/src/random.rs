//! Where random octets come from: the caller hands a source in, nothing is drawn from the surroundings.

/// A source of random octets fit for keys.
///
/// It is a trait because a server pools draws per thread, a test records them, and neither belongs here.
pub trait Random {
    /// Fills `out` whole with fresh octets that no earlier call gave out.
    ///
    /// # Errors
    /// [`RandomError`] when the source fails; what stands in `out` then must not be used.
    fn fill(&mut self, out: &mut [u8]) -> Result<(), RandomError>;
}

/// The source of random octets failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the source of random octets failed")]
pub struct RandomError;

impl<R: Random + ?Sized> Random for &mut R {
    fn fill(&mut self, out: &mut [u8]) -> Result<(), RandomError> {
        (**self).fill(out)
    }
}
