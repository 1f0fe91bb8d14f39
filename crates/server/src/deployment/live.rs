//! One document as it runs: everything that was parsed, compiled or looked up when it was deployed.

use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use dialects::api_connect::Api;
use plan::{NodeIx, Op, Origin, PolicyIx, ScriptIx, TokenIx, ValidFlow, Value};
use sandbox::{Pool, ScriptKey, SyntaxFault};
use signer::{Minter, TokenVerifier};
use tokio::sync::watch;
use tokio::task::AbortHandle;

use super::Listener;
use crate::effects::fetch::{Backends, Fetcher};
use crate::effects::file::Files;
use crate::effects::hold::Gates;
use crate::effects::seal::Holders;
use crate::effects::{sign, verify};
use crate::front::Front;
use crate::rings::Rings;
use crate::variables::Variables;
use crate::vault::Vault;

/// A document that is live.
pub(crate) struct LiveDocument {
    flow: ValidFlow,
    front: Front,
    holders: Holders,
    minters: Vec<Arc<Minter>>,
    verifiers: Vec<TokenVerifier>,
    scripts: Vec<Place>,
    pool: Pool,
    listener: Option<Listener>,
    fetcher: Fetcher,
    backends: Arc<Backends>,
    files: Files,
    gates: Gates,
    vault: Arc<Vault>,
    variables: Arc<Variables>,
    /// Raised when runs that are still on their way shall end.
    cut: watch::Sender<bool>,
    schedules: Mutex<Vec<AbortHandle>>,
    /// The properties of its API, and of which state of all secrets they are.
    properties: Mutex<Option<(u64, Value)>>,
}

/// Where a script stands with the pool.
enum Place {
    /// Its source is no program, and why.
    Broken(String),
    /// Known to the pool from its first use on: most scripts stand behind ops that hardly ever need them.
    Program(OnceLock<ScriptKey>),
}

/// What a document runs with, whatever it says.
pub(super) struct Surroundings<'a> {
    pub(super) vault: &'a Arc<Vault>,
    pub(super) rings: &'a Arc<Rings>,
    pub(super) pool: &'a Pool,
    pub(super) listener: Option<&'a Listener>,
    pub(super) fetcher: &'a Fetcher,
    pub(super) backends: &'a Arc<Backends>,
    pub(super) files: &'a Files,
    pub(super) variables: Arc<Variables>,
}

impl LiveDocument {
    /// Compiles what can be compiled before the first message. `broken` names the scripts whose source is no program.
    ///
    /// # Errors
    /// A token whose header cannot be made.
    pub(super) fn compile(
        flow: ValidFlow,
        front: Front,
        broken: &[(ScriptIx, SyntaxFault)],
        around: Surroundings<'_>,
    ) -> Result<Self, jose::Error> {
        let Surroundings { vault, rings, pool, listener, fetcher, backends, files, variables } = around;
        let signer = vault.signer();
        let minters =
            flow.tokens.iter().map(|token| sign::compile(signer, &vault.key(&token.key), token).map(Arc::new));
        let minters = minters.collect::<Result<_, _>>()?;
        let verifiers = flow.policies.iter().map(|policy| verify::compile(signer, &vault.key(&policy.key), policy));
        let verifiers = verifiers.collect();
        let scripts =
            (0..flow.scripts.len()).map(|at| match broken.iter().find(|(broken, _)| broken.0 as usize == at) {
                Some((_, fault)) => Place::Broken(fault.to_string()),
                None => Place::Program(OnceLock::new()),
            });
        let scripts = scripts.collect();
        Ok(Self {
            flow,
            front,
            holders: Holders { signer: Arc::clone(signer), rings: Arc::clone(rings) },
            minters,
            verifiers,
            scripts,
            pool: pool.clone(),
            listener: listener.cloned(),
            fetcher: fetcher.clone(),
            backends: Arc::clone(backends),
            files: files.clone(),
            gates: Gates::default(),
            vault: Arc::clone(vault),
            variables,
            cut: watch::Sender::new(false),
            schedules: Mutex::default(),
            properties: Mutex::default(),
        })
    }

    /// The document's name.
    pub(crate) fn name(&self) -> &str {
        &self.flow.document
    }

    /// The flow that it was lowered to.
    pub(crate) fn flow(&self) -> &ValidFlow {
        &self.flow
    }

    /// Where a node comes from.
    pub(crate) fn origin(&self, node: NodeIx) -> &Origin {
        &self.flow.origins[self.flow.nodes[node.0 as usize].origin.0 as usize]
    }

    /// How it meets its callers.
    pub(crate) fn front(&self) -> &Front {
        &self.front
    }

    /// What makes and opens tokens with keys that messages bring along, or that rotate.
    pub(crate) fn holders(&self) -> &Holders {
        &self.holders
    }

    /// The door outwards.
    pub(crate) fn fetcher(&self) -> &Fetcher {
        &self.fetcher
    }

    /// What stands for the back ends of an API.
    pub(crate) fn backends(&self) -> &Arc<Backends> {
        &self.backends
    }

    /// The files that it may read.
    pub(crate) fn files(&self) -> &Files {
        &self.files
    }

    /// Where its messages are held back.
    pub(crate) fn gates(&self) -> &Gates {
        &self.gates
    }

    /// The properties of its API, with the secrets among them as they are now.
    pub(crate) fn properties(&self, api: &Api) -> Value {
        let version = self.holders.signer.secrets_version();
        let mut kept = self.properties.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, value)) = kept.as_ref().filter(|(of, _)| *of == version) {
            return value.clone();
        }
        let value = api.properties(|secret| self.vault.password(secret));
        *kept = Some((version, value.clone()));
        value
    }

    /// Where its secrets are.
    pub(crate) fn vault(&self) -> &Vault {
        &self.vault
    }

    /// What signs the tokens of a plan.
    pub(crate) fn minter(&self, token: TokenIx) -> &Arc<Minter> {
        &self.minters[token.0 as usize]
    }

    /// What checks the signatures for a policy.
    pub(crate) fn verifier(&self, policy: PolicyIx) -> &TokenVerifier {
        &self.verifiers[policy.0 as usize]
    }

    /// The script as the pool knows it.
    ///
    /// # Errors
    /// Why it is no program.
    pub(crate) fn script(&self, script: ScriptIx) -> Result<ScriptKey, &str> {
        match &self.scripts[script.0 as usize] {
            Place::Broken(why) => Err(why),
            Place::Program(key) => {
                Ok(*key.get_or_init(|| self.pool.register(&self.flow.document, &self.flow.scripts[script.0 as usize])))
            }
        }
    }

    /// The scripts that have something to do before the first message, each with its node.
    pub(super) fn beginners(&self) -> impl Iterator<Item = (NodeIx, ScriptKey)> {
        let begins = self.speakers().filter(|(_, script)| !self.flow.scripts[script.0 as usize].initialize.is_empty());
        begins.filter_map(|(node, script)| Some((node, self.script(script).ok()?)))
    }

    /// The scripts that the pool knows or that have something to do when the flow is taken away, each with its node.
    pub(super) fn enders(&self) -> impl Iterator<Item = (NodeIx, ScriptKey)> {
        self.speakers().filter_map(|(node, script)| match &self.scripts[script.0 as usize] {
            Place::Broken(_) => None,
            Place::Program(key) if self.flow.scripts[script.0 as usize].finalize.is_empty() => {
                Some((node, *key.get()?))
            }
            Place::Program(_) => Some((node, self.script(script).ok()?)),
        })
    }

    fn speakers(&self) -> impl Iterator<Item = (NodeIx, ScriptIx)> {
        (0..).map(NodeIx).zip(&self.flow.nodes).filter_map(|(at, node)| match &node.op {
            Op::Script(script) | Op::Shape { otherwise: script, .. } => Some((at, *script)),
            Op::Pass
            | Op::Assign(_)
            | Op::Edit(_)
            | Op::Branch(_)
            | Op::Call { .. }
            | Op::Fetch { .. }
            | Op::Hold(_)
            | Op::Password(_)
            | Op::ReadFile(_)
            | Op::Return { .. }
            | Op::Issue { .. }
            | Op::Verify { .. }
            | Op::Seal { .. }
            | Op::Open { .. }
            | Op::Reply(_)
            | Op::Log { .. }
            | Op::Each { .. }
            | Op::Raise(_) => None,
        })
    }

    /// Where scripts run.
    pub(crate) fn pool(&self) -> &Pool {
        &self.pool
    }

    /// Who hears what its nodes tell.
    pub(crate) fn listener(&self) -> Option<&Listener> {
        self.listener.as_ref()
    }

    /// What its scripts keep.
    pub(crate) fn variables(&self) -> &Arc<Variables> {
        &self.variables
    }

    /// Keeps what time does for this document, so that it can be stopped.
    pub(super) fn keep_schedules(&self, schedules: Vec<AbortHandle>) {
        *self.schedules.lock().unwrap_or_else(PoisonError::into_inner) = schedules;
    }

    /// From now on time sets nothing off any more.
    pub(super) fn stop_schedules(&self) {
        let schedules = std::mem::take(&mut *self.schedules.lock().unwrap_or_else(PoisonError::into_inner));
        schedules.iter().for_each(AbortHandle::abort);
    }

    /// Ends the runs that are still on their way.
    pub(super) fn cut(&self) {
        self.cut.send_replace(true);
    }

    /// Hears that runs shall end.
    pub(crate) fn on_cut(&self) -> watch::Receiver<bool> {
        self.cut.subscribe()
    }
}
