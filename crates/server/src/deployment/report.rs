//! What a deploy tells its author: what went live, what is amiss, or why nothing changed.

use dialects::api_connect::{Api, Found};
use dialects::node_red::Route;
use http::Method;
use plan::{Diagnostic, ExpressionPlan, Flaw, Flow, Op, Origin, Place, ScriptIx, SecretRef, Severity};
use sandbox::{Part, SyntaxFault};

use super::endpoints;
use crate::front::Front;
use crate::limits::DOCUMENT_FILE_BYTES_MAX;
use crate::vault::{Vault, VaultError};

/// The paths that the server keeps for itself.
pub(super) const RESERVED_PATHS: [&str; 1] = ["/.well-known/jwks.json"];

/// What a deploy did.
#[derive(Clone, Debug)]
pub struct Report {
    /// The revision that is live now, counted from 1.
    pub revision: u64,
    /// What the author should know.
    pub diagnostics: Vec<Diagnostic>,
    /// What it serves.
    pub routes: Vec<(Method, String)>,
}

/// One live document, as it is listed.
#[derive(Clone, Debug)]
pub struct Listed {
    /// Its name.
    pub name: String,
    /// Its revision, counted from 1.
    pub revision: u64,
    /// What the author was told when it went live.
    pub diagnostics: Vec<Diagnostic>,
}

impl Listed {
    pub(super) fn is(&self, name: &str, revision: u64) -> bool {
        self.name == name && self.revision == revision
    }
}

/// Why a document did not go live. Nothing has changed.
#[derive(Debug, thiserror::Error)]
pub enum DeployError {
    /// It is larger than a document may be.
    #[error("the document has {bytes} octets; {DOCUMENT_FILE_BYTES_MAX} are the most")]
    TooLarge {
        /// Its size in octets.
        bytes: usize,
    },
    /// It is written in no dialect that is known here.
    #[error(
        "this is no document of a known kind: a Node-RED flow file is a JSON array of nodes, an API definition says `swagger` or \
         `openapi` at its top"
    )]
    UnknownKind,
    /// The document is wrong in these places.
    #[error("{}", lines(.0))]
    Refused(Vec<Diagnostic>),
    /// A token of it can have no such header.
    #[error("a token cannot be made as the document says: {0}")]
    Token(jose::Error),
    /// The server lowered it to something that cannot run; that is the server's own mistake.
    #[error("the document was lowered to a flow with holes, a mistake of this program: {}", flaws(.0))]
    Flawed(Vec<Flaw>),
    /// The store did not keep it.
    #[error(transparent)]
    Vault(#[from] VaultError),
    /// The server failed while it read the document.
    #[error("the server failed while it read the document; its log tells more")]
    Panicked,
}

/// Why a person's name for a secret leads nowhere.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SecretNameError {
    /// Nothing is called so.
    #[error("no node of a live document has the id or the name `{owner}`")]
    Unknown {
        /// The name.
        owner: String,
    },
    /// Several nodes are called so.
    #[error("several nodes are called `{owner}`; name one by its id: {}", ids.join(", "))]
    Several {
        /// The name.
        owner: String,
        /// Their ids.
        ids: Vec<String>,
    },
}

impl From<store::Error> for DeployError {
    fn from(error: store::Error) -> Self {
        Self::Vault(error.into())
    }
}

/// Secrets that a flow cannot do without and that cannot be used now.
pub(super) fn unusable_secrets(vault: &Vault, flow: &Flow) -> Vec<Diagnostic> {
    let unusable = flow.secrets.iter().filter_map(|secret| Some((secret, vault.check(secret).err()?)));
    unusable.map(|(secret, fault)| unusable_secret(flow, secret, &fault)).collect()
}

/// A script whose source is no program: its messages fail, the rest of the flow runs.
pub(super) fn broken_script(flow: &Flow, script: ScriptIx, fault: &SyntaxFault) -> Diagnostic {
    let origin = &flow.origins[flow.scripts[script.0 as usize].origin.0 as usize];
    let part = match fault.part {
        Part::Source => "",
        Part::Initialize => " of its start script",
        Part::Finalize => " of its stop script",
    };
    let message = format!("The script is no program, in line {}{part}: {}", fault.line, fault.message);
    let hint = "Correct that line; until then each message to the node fails.";
    Diagnostic::new(Severity::Stopped, "script_syntax", place(origin), message).hint(hint)
}

/// An expression that cannot be read.
pub(super) fn broken_expression(flow: &Flow, expression: &ExpressionPlan, fault: &SyntaxFault) -> Diagnostic {
    let origin = &flow.origins[expression.origin.0 as usize];
    let message = format!("The expression `{}` cannot be read: {}", expression.source, fault.message);
    let hint = "Correct the expression; until then each message that needs it fails.";
    Diagnostic::new(Severity::Stopped, "expression_syntax", place(origin), message).hint(hint)
}

/// The nodes that read files, where no folder is set whose files they may read.
pub(super) fn unreadable_files(flow: &Flow) -> impl Iterator<Item = Diagnostic> {
    let readers = flow.nodes.iter().filter(|node| matches!(node.op, Op::ReadFile(_)));
    readers.map(|node| {
        let origin = &flow.origins[node.origin.0 as usize];
        let message = "No folder is set whose files flows may read, so each message is an error here.";
        let hint = "Name the folder in the setting `flows.files.folder`.";
        Diagnostic::new(Severity::Warning, "files_folder_unset", place(origin), message).hint(hint)
    })
}

/// What a new document would serve that a live one serves already.
pub(super) fn taken_routes(owner: &str, live: &Front, new: &Front) -> Vec<Diagnostic> {
    let taken = match (live.api(), new.api()) {
        (None, None) => taken_by_routes(owner, live.routes(), new.routes()),
        (Some(live), None) => {
            let taken = new.routes().iter().filter(|route| holds(live, route));
            taken.map(|route| taken_path(owner, &route.path, place_of(route))).collect()
        }
        (None, Some(new)) => {
            let taken = live.routes().iter().filter(|route| holds(new, route));
            taken.map(|route| taken_path(owner, &route.path, Place::default())).collect()
        }
        (Some(live), Some(new)) if live.base_path() == new.base_path() => {
            let path = if new.base_path().is_empty() { "/" } else { new.base_path() };
            vec![taken_path(owner, path, Place::default())]
        }
        (Some(_), Some(_)) => Vec::new(),
    };
    let of_flows = [endpoints::taken_id(owner, live, new), endpoints::taken(owner, live, new)];
    taken.into_iter().chain(of_flows.into_iter().flatten()).collect()
}

/// Whether an API answers on the path of this route.
fn holds(api: &Api, route: &Route) -> bool {
    api.serves(&route.path) && !matches!(api.find(&route.method, &route.path), Found::Nothing)
}

fn taken_path(owner: &str, path: &str, place: Place) -> Diagnostic {
    let message = format!("{path} is served by the document `{owner}` already.");
    let hint = format!("Choose another path, or take the document `{owner}` away.");
    Diagnostic::new(Severity::Error, "route_taken", place, message).hint(hint)
}

fn taken_by_routes(owner: &str, live: &[Route], new: &[Route]) -> Vec<Diagnostic> {
    let holder = |route: &Route| live.iter().find(|other| other.method == route.method && same_path(other, route));
    new.iter().filter_map(|route| Some(taken_route(owner, route, holder(route)?))).collect()
}

/// Routes that the server keeps for itself.
pub(super) fn reserved_routes(new: &Front) -> Vec<Diagnostic> {
    let reserved =
        new.routes().iter().filter(|route| RESERVED_PATHS.iter().any(|path| path.eq_ignore_ascii_case(&route.path)));
    let told = reserved.map(|route| {
        let message = format!("The path {} belongs to the server itself.", route.path);
        Diagnostic::new(Severity::Error, "route_reserved", place_of(route), message).hint("Give the node another path.")
    });
    told.chain(endpoints::reserved(new)).collect()
}

fn taken_route(owner: &str, route: &Route, holder: &Route) -> Diagnostic {
    let Route { method, path, .. } = route;
    let message = format!("{method} {path} is served by the node `{}` of the document `{owner}` already.", holder.node);
    let hint = format!("Give the node another path, or take the document `{owner}` away.");
    Diagnostic::new(Severity::Error, "route_taken", place_of(route), message).hint(hint)
}

fn unusable_secret(flow: &Flow, secret: &SecretRef, fault: &signer::Fault) -> Diagnostic {
    let SecretRef { owner, field } = secret;
    let origin = flow.origins.iter().find(|origin| origin.id == *owner);
    let place = origin.map_or_else(|| Place { node: owner.clone(), ..Place::default() }, place);
    let (code, message) = match fault.kind {
        signer::FaultKind::Missing => {
            ("secret_missing", format!("The node `{owner}` cannot work without its secret `{field}`: {fault}."))
        }
        signer::FaultKind::Unusable
        | signer::FaultKind::Unfit
        | signer::FaultKind::Length
        | signer::FaultKind::Failed => {
            ("secret_unusable", format!("The secret `{field}` of the node `{owner}` cannot be used: {fault}."))
        }
    };
    let hint = format!("Set it with `chancery secret set {owner} {field}`; it counts from the next message on.");
    Diagnostic::new(Severity::Warning, code, place, message).hint(hint)
}

fn place(origin: &Origin) -> Place {
    Place { node: origin.id.clone(), kind: origin.kind.clone(), section: origin.section.clone(), ..Place::default() }
}

fn place_of(route: &Route) -> Place {
    Place { node: route.node.clone(), kind: "http in".into(), ..Place::default() }
}

/// The vendor's framework tells paths apart neither by case nor by a slash at the end.
fn same_path(one: &Route, other: &Route) -> bool {
    let bare = |route: &Route| route.path.trim_end_matches('/').to_ascii_lowercase();
    bare(one) == bare(other)
}

fn lines(diagnostics: &[Diagnostic]) -> String {
    diagnostics.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
}

fn flaws(flaws: &[Flaw]) -> String {
    flaws.iter().map(|flaw| format!("{}: {}", flaw.place, flaw.what)).collect::<Vec<_>>().join("; ")
}
