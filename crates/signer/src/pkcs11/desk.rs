//! What one thread says to a token: it keeps a session and its keys' handles, and finds both anew when they went stale.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::{Duration, Instant};

use cryptoki::context::{CInitializeArgs, CInitializeFlags, Pkcs11};
use cryptoki::error::{Error, RvError};
use cryptoki::object::{Attribute, AttributeType, ObjectClass, ObjectHandle};
use cryptoki::session::{Session, UserType};
use cryptoki::types::AuthPin;
use jose::RsaBits;
use jose::jwa::SignatureAlgorithm;
use jose::jwk::PublicJwk;

use super::{HeldPair, HsmFault, HsmSettings, template};
use crate::hex;

/// How often a module may be started anew.
const RESTART_EVERY: Duration = Duration::from_secs(1);

/// Something to be done in a session; done again in a new one if the first failed.
pub(super) trait Work<T>: Fn(&mut Open) -> Result<T, Trouble> + Send + 'static {}
impl<T, F: Fn(&mut Open) -> Result<T, Trouble> + Send + 'static> Work<T> for F {}

/// A module that is loaded, and the token in it.
pub(super) struct Device {
    context: Pkcs11,
    settings: HsmSettings,
    /// Held while logging in, so that a wrong PIN is shown once and by one thread.
    login: Mutex<()>,
    is_pin_refused: AtomicBool,
    /// Held by everybody who is in the module, and alone by whoever starts it anew; counts how often that was.
    starts: RwLock<Starts>,
}

#[derive(Clone, Copy)]
struct Starts {
    count: u64,
    last: Instant,
}

/// One thread's place: a session, if it has one.
pub(super) struct Desk {
    device: Arc<Device>,
    open: Option<Open>,
    /// The start of the module that the session is of.
    start: u64,
}

/// A session that is logged in, and the private keys that it met.
pub(super) struct Open {
    session: Session,
    keys: HashMap<Vec<u8>, ObjectHandle>,
}

/// What went wrong in a session.
pub(super) enum Trouble {
    /// A new session may fare better.
    Session(HsmFault),
    /// The token or the key is not to be found: a module that is started anew may find it.
    Lost(HsmFault),
    /// It would go wrong again.
    Final(HsmFault),
}

impl Device {
    pub(super) fn load(settings: HsmSettings) -> Result<Self, HsmFault> {
        let context = Pkcs11::new(&settings.module).map_err(|error| {
            HsmFault::Refused(format!("the module {} does not load: {error}", settings.module.display()))
        })?;
        start(&context)?;
        let (login, is_pin_refused) = (Mutex::new(()), AtomicBool::new(false));
        let starts = RwLock::new(Starts { count: 0, last: Instant::now() });
        Ok(Self { context, settings, login, is_pin_refused, starts })
    }

    pub(super) fn is_pin_refused(&self) -> bool {
        self.is_pin_refused.load(Ordering::Acquire)
    }

    /// Starts the module anew: some look for their storage then and never again. Not too often, and not while somebody is
    /// in it.
    fn restart(&self) -> Result<(), HsmFault> {
        let Ok(mut starts) = self.starts.try_write() else { return Ok(()) };
        if starts.last.elapsed() >= RESTART_EVERY {
            *starts = Starts { count: starts.count + 1, last: Instant::now() };
            // One that was not started is started by the next line all the same.
            drop(self.context.clone().finalize());
            start(&self.context)?;
        }
        Ok(())
    }

    fn open(&self) -> Result<Open, Trouble> {
        let away = |error: Error| Trouble::Lost(HsmFault::Away(error.to_string()));
        let wanted = &self.settings.token;
        for slot in self.context.get_slots_with_initialized_token().map_err(away)? {
            if self.context.get_token_info(slot).is_ok_and(|token| token.label() == wanted) {
                let session = self.context.open_rw_session(slot).map_err(away)?;
                self.log_in(&session)?;
                return Ok(Open { session, keys: HashMap::new() });
            }
        }
        Err(Trouble::Lost(HsmFault::Away(format!("no slot has a token labelled `{wanted}`"))))
    }

    /// A login counts for the whole process and is never taken back: logging out would end every handle.
    fn log_in(&self, session: &Session) -> Result<(), Trouble> {
        let _one_at_a_time = self.login.lock().unwrap_or_else(PoisonError::into_inner);
        if self.is_pin_refused.load(Ordering::Acquire) {
            return Err(Trouble::Final(HsmFault::PinRefused));
        }
        let pin = std::str::from_utf8(self.settings.pin.expose())
            .map_err(|_| Trouble::Final(HsmFault::Refused("the PIN is not text in UTF-8".to_owned())))?;
        match session.login(UserType::User, Some(&AuthPin::from(pin.to_owned()))) {
            Ok(()) | Err(Error::Pkcs11(RvError::UserAlreadyLoggedIn, _)) => Ok(()),
            Err(Error::Pkcs11(error, _)) if is_of_the_pin(error) => {
                self.is_pin_refused.store(true, Ordering::Release);
                Err(Trouble::Final(HsmFault::PinRefused))
            }
            Err(error) => Err(Trouble::Lost(HsmFault::Away(error.to_string()))),
        }
    }
}

impl Desk {
    pub(super) fn of(device: Arc<Device>) -> Self {
        Self { device, open: None, start: 0 }
    }

    /// Does the work; if the session, the token or a handle was gone, once more with new ones; if the token or the key is
    /// not to be found then, a last time in a module that was started anew.
    pub(super) fn attempt<T>(&mut self, work: &impl Work<T>) -> Result<T, HsmFault> {
        let mut outcome = self.once(work);
        if let Err(Trouble::Session(_) | Trouble::Lost(_)) = outcome {
            outcome = self.once(work);
        }
        if let Err(Trouble::Lost(_)) = outcome {
            self.device.restart()?;
            outcome = self.once(work);
        }
        outcome.map_err(|trouble| match trouble {
            Trouble::Session(fault) | Trouble::Lost(fault) | Trouble::Final(fault) => fault,
        })
    }

    fn once<T>(&mut self, work: &impl Work<T>) -> Result<T, Trouble> {
        let device = Arc::clone(&self.device);
        let starts = device.starts.read().unwrap_or_else(PoisonError::into_inner);
        if self.start != starts.count {
            (self.open, self.start) = (None, starts.count);
        }
        let open = match &mut self.open {
            Some(open) => open,
            None => self.open.insert(device.open()?),
        };
        let outcome = work(open);
        if let Err(Trouble::Session(_) | Trouble::Lost(_)) = outcome {
            self.open = None;
        }
        outcome
    }
}

impl Open {
    pub(super) fn sign(
        &mut self,
        algorithm: &'static SignatureAlgorithm,
        id: &[u8],
        input: &[u8],
    ) -> Result<Vec<u8>, Trouble> {
        let (mechanism, data) = template::signing(algorithm, input).map_err(Trouble::Final)?;
        let key = self.private(id)?;
        Ok(self.session.sign(&mechanism, key, &data)?)
    }

    pub(super) fn generate(
        &mut self,
        algorithm: &'static SignatureAlgorithm,
        rsa_bits: RsaBits,
        id: &[u8],
        label: &str,
    ) -> Result<PublicJwk, Trouble> {
        let pair = template::pair(algorithm, rsa_bits, id, label).map_err(Trouble::Final)?;
        let (public, _) = self.session.generate_key_pair(&pair.mechanism, &pair.public, &pair.private)?;
        let attributes = self.session.get_attributes(public, template::PUBLIC_ATTRIBUTES)?;
        template::public_jwk(algorithm, &attributes).map_err(Trouble::Final)
    }

    pub(super) fn destroy(&mut self, id: &[u8]) -> Result<(), Trouble> {
        self.keys.remove(id);
        // Destroying the private half leaves the public one.
        for object in self.session.find_objects(&[Attribute::Token(true), Attribute::Id(id.to_vec())])? {
            self.session.destroy_object(object)?;
        }
        Ok(())
    }

    pub(super) fn held(&mut self) -> Result<Vec<HeldPair>, Trouble> {
        let mut held: Vec<HeldPair> = Vec::new();
        for class in [ObjectClass::PRIVATE_KEY, ObjectClass::PUBLIC_KEY] {
            for object in self.session.find_objects(&[Attribute::Token(true), Attribute::Class(class)])? {
                let wanted = [AttributeType::Id, AttributeType::Label];
                let (id, label) = template::id_and_label(&self.session.get_attributes(object, &wanted)?);
                let at = held.iter().position(|pair| pair.id == id).unwrap_or_else(|| {
                    held.push(HeldPair { id, label, has_private: false, has_public: false });
                    held.len() - 1
                });
                held[at].has_private |= class == ObjectClass::PRIVATE_KEY;
                held[at].has_public |= class == ObjectClass::PUBLIC_KEY;
            }
        }
        held.sort_by(|a, b| a.id.cmp(&b.id));
        Ok(held)
    }

    fn private(&mut self, id: &[u8]) -> Result<ObjectHandle, Trouble> {
        if let Some(key) = self.keys.get(id) {
            return Ok(*key);
        }
        let wanted = [Attribute::Token(true), Attribute::Class(ObjectClass::PRIVATE_KEY), Attribute::Id(id.to_vec())];
        let key = self.session.find_objects(&wanted)?.first().copied();
        let key = key.ok_or_else(|| Trouble::Lost(HsmFault::NoKey(hex::encode(id))))?;
        self.keys.insert(id.to_vec(), key);
        Ok(key)
    }
}

impl From<Error> for Trouble {
    fn from(error: Error) -> Self {
        let text = error.to_string();
        // What the module or the token does not know it will not know the next time either.
        let is_of_the_order = matches!(
            error,
            Error::NotSupported
                | Error::NullFunctionPointer
                | Error::Pkcs11(
                    RvError::MechanismInvalid
                        | RvError::MechanismParamInvalid
                        | RvError::FunctionNotSupported
                        | RvError::KeySizeRange
                        | RvError::CurveNotSupported
                        | RvError::AttributeValueInvalid,
                    _,
                )
        );
        if is_of_the_order { Self::Final(HsmFault::Refused(text)) } else { Self::Session(HsmFault::Away(text)) }
    }
}

fn start(context: &Pkcs11) -> Result<(), HsmFault> {
    match context.initialize(CInitializeArgs::new(CInitializeFlags::OS_LOCKING_OK)) {
        Ok(()) | Err(Error::Pkcs11(RvError::CryptokiAlreadyInitialized, _)) => Ok(()),
        Err(error) => Err(HsmFault::Away(error.to_string())),
    }
}

fn is_of_the_pin(error: RvError) -> bool {
    matches!(
        error,
        RvError::PinIncorrect
            | RvError::PinInvalid
            | RvError::PinLenRange
            | RvError::PinExpired
            | RvError::PinLocked
            | RvError::UserPinNotInitialized
    )
}
