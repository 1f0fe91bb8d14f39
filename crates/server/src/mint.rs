//! Tokens without a listener: the road of the command line through the same engine and signer.

mod envelope;

pub use envelope::{Envelope, Serialization};

use engine::{Context, Run, Step, Told};
use plan::{
    Answer, Ask, Cells, ClaimPlan, Flow, Handlers, KeySource, Lifetime, Node, NodeIx, Op, Origin, OriginIx, Path,
    ReplyIx, TokenIx, TokenPlan, Trigger, TriggerIx, TriggerKind, Value, validate,
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
    #[error("{0}")]
    Claims(String),
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

    /// Mints one token of these claims and this lifetime: two ops, validated and driven like any flow.
    ///
    /// # Errors
    /// [`MintError`].
    pub fn mint(&self, claims: Vec<ClaimPlan>, lifetime: Lifetime, now_epoch_ms: i64) -> Result<String, MintError> {
        let plan = TokenPlan { claims, lifetime, ..self.kind.clone() };
        let flow = validate(flow(plan)).map_err(|flaws| MintError::Internal(format!("{flaws:?}")))?;
        // Such a plan makes no fresh ids.
        let context = Context { now_epoch_ms, random: 0 };
        let mut run = Run::start(&flow, TriggerIx(0), Value::map::<&str>([]), Cells::default());
        loop {
            let (id, answer) = match run.step(&context) {
                Step::Ask(id, Ask::Mint(request)) => {
                    let minted = self.minter.mint(&request.claims).map_err(MintError::Key)?;
                    (id, Answer::Signed(minted.token.into()))
                }
                Step::Ask(_, Ask::Reply { message, .. }) => return token(&message),
                Step::Told(Told::Uncaught { fault, .. }) => return Err(MintError::Claims(fault.message.to_string())),
                step @ (Step::Ask(..) | Step::Told(_) | Step::Waiting | Step::Rest) => {
                    return Err(MintError::Internal(format!("the run stopped at {step:?}")));
                }
            };
            run.answer(id, answer, &context).map_err(|misfit| MintError::Internal(misfit.to_string()))?;
        }
    }
}

/// Where the token stands in the message once it is minted.
fn place() -> Path {
    Path::keys(["token"])
}

fn token(message: &Value) -> Result<String, MintError> {
    let token = place().read(message, &Cells::default()).as_text().map(str::to_owned);
    token.ok_or_else(|| MintError::Internal("the run ended without a token".to_owned()))
}

/// One op to issue the token, one to hand it out.
fn flow(token: TokenPlan) -> Flow {
    let node = |op, outputs| Node {
        op,
        origin: OriginIx(0),
        outputs,
        on_error: Handlers::default(),
        on_done: Handlers::default(),
        on_status: Handlers::default(),
    };
    Flow {
        document: "mint".into(),
        origins: vec![Origin { id: "mint".into(), kind: "mint".into(), name: "".into(), section: "".into() }],
        nodes: vec![
            node(Op::Issue { token: TokenIx(0), into: place() }, vec![vec![NodeIx(1)]]),
            node(Op::Reply(ReplyIx(0)), vec![]),
        ],
        triggers: vec![Trigger { origin: OriginIx(0), kind: TriggerKind::Request, wires: vec![NodeIx(0)] }],
        tokens: vec![token],
        replies: 1,
        ..Flow::default()
    }
}
