//! Tokens without a listener: the road of the command line through the same engine and signer.

mod envelope;
mod ring;

pub use envelope::{Envelope, Serialization};
pub use ring::{RingMint, RingMinted};

use engine::{Context, Run, Step, Told};
use plan::{
    Ask, Cells, ClaimPlan, FaultKind, Flow, Handlers, KeySource, Lifetime, Node, NodeIx, Op, Origin, OriginIx, Path,
    Text, TokenIx, TokenPlan, Trigger, TriggerIx, TriggerKind, Value, validate,
};
use signer::{Fault, KeyName, Minter, Software};

use crate::effects::sign;

/// Why no token was minted.
#[derive(Debug, thiserror::Error)]
pub enum MintError {
    /// The header names a member twice, or one that is not the caller's to set.
    #[error(transparent)]
    Header(jose::Error),
    /// The key did not sign.
    #[error(transparent)]
    Key(Fault),
    /// The claims cannot be written.
    #[error("{why}")]
    Claims {
        /// What kind of thing went wrong.
        kind: FaultKind,
        /// One sentence for the caller.
        why: Text,
    },
    /// The plan is not what it should be; a mistake of ours.
    #[error("{0}")]
    Internal(String),
}

/// Mints tokens of one kind: one key, one header, claims of their own each.
pub struct Mint {
    minter: Minter,
    kind: TokenPlan,
}

impl Mint {
    /// Mints by this plan, whose key is one that was handed to the signer.
    ///
    /// # Errors
    /// [`MintError::Header`], [`MintError::Internal`].
    pub fn new(signer: &Software, kind: TokenPlan) -> Result<Self, MintError> {
        let KeySource::Given(name) = &kind.key else {
            return Err(MintError::Internal("the key is not handed in".to_owned()));
        };
        let minter = sign::compile(signer, &KeyName::Given(name.to_string()), &kind).map_err(MintError::Header)?;
        Ok(Self { minter, kind })
    }

    /// Mints one token of these claims and this lifetime.
    ///
    /// # Errors
    /// [`MintError`].
    pub fn mint(&self, claims: Vec<ClaimPlan>, lifetime: Lifetime, now_epoch_ms: i64) -> Result<String, MintError> {
        let claims = write(TokenPlan { claims, lifetime, ..self.kind.clone() }, now_epoch_ms)?;
        self.minter.mint(&claims).map(|minted| minted.token).map_err(MintError::Key)
    }
}

/// The claims of one token: one op, validated and driven like any flow until it asks for a signature.
pub(crate) fn write(plan: TokenPlan, now_epoch_ms: i64) -> Result<Vec<u8>, MintError> {
    let flow = validate(flow(plan)).map_err(|flaws| MintError::Internal(format!("{flaws:?}")))?;
    let mut run = Run::start(&flow, TriggerIx(0), Value::map::<&str>([]), Cells::default());
    // Such a plan makes no fresh ids.
    match run.step(&Context { now_epoch_ms, random: 0 }) {
        Step::Ask(_, Ask::Mint(request)) => Ok(request.claims),
        Step::Told(Told::Uncaught { fault, .. }) => Err(MintError::Claims { kind: fault.kind, why: fault.message }),
        step @ (Step::Ask(..) | Step::Told(_) | Step::Waiting | Step::Rest) => {
            Err(MintError::Internal(format!("the run stopped at {step:?}")))
        }
    }
}

/// One op that issues the token.
fn flow(token: TokenPlan) -> Flow {
    let issue = Node {
        op: Op::Issue { token: TokenIx(0), into: Path::keys(["token"]) },
        origin: OriginIx(0),
        outputs: vec![vec![]],
        on_error: Handlers::default(),
        on_done: Handlers::default(),
        on_status: Handlers::default(),
    };
    Flow {
        document: "mint".into(),
        origins: vec![Origin { id: "mint".into(), kind: "mint".into(), name: "".into(), section: "".into() }],
        nodes: vec![issue],
        triggers: vec![Trigger { origin: OriginIx(0), kind: TriggerKind::Request, wires: vec![NodeIx(0)] }],
        tokens: vec![token],
        ..Flow::default()
    }
}
