//! Lowers a flow document: every node's entry is there before any node is, so that exits may lead anywhere.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use http::Method;
use plan::{
    Diagnostic, Expr, FetchIx, Flow, Handler, Handlers, LogLevel, Node as PlanNode, NodeIx, Op, Origin, OriginIx, Path,
    ReplyIx, ScriptIx, ScriptPlan, SecretRef, Severity, ShapeStep, Text, Trigger, TriggerIx, TriggerKind, Value,
};

use super::nodes;
use super::places::{place, without};
use super::request::HttpRequest;
use super::route::{Authentication, Endpoint};
use super::steps;
use super::syntax::{self, Document, Node};
use crate::found::{FoundSecret, SecretChange};
use crate::token_form::{Form, Inline, Spot, Told, Who, failure};

/// The reply that an end node has made ready.
pub(super) const ANSWER: ReplyIx = ReplyIx(0);
/// The reply to a failure that leads nowhere.
const FAILED: ReplyIx = ReplyIx(1);
/// The reply to a success that leads nowhere.
pub(super) const NOTHING: ReplyIx = ReplyIx(2);
const REPLIES: u32 = 3;
/// The member of the message that an end node fills; no variable may have its name.
pub(super) const REPLY: &str = ".reply";
/// Most nodes of a plan: Library flows are written out wherever they are called.
const PLAN_NODES_MAX: usize = 20_000;

/// What lowering depends on beside the document.
#[derive(Clone, Copy, Debug)]
pub struct LowerSettings<'a> {
    /// Where flows are reached: a host, with its port if that is not the usual one.
    pub host: &'a str,
}

/// What a flow document was lowered to.
#[derive(Clone, Debug)]
pub struct Lowered {
    /// The flow: one trigger.
    pub flow: Flow,
    /// Where its requests come in; none for a flow that no request calls.
    pub endpoint: Option<Endpoint>,
    /// The members of `flow` that are the same in every run; the first is its id.
    pub facts: Vec<(Text, Value)>,
    /// What asks servers outside, by the index of its fetch.
    pub requests: Vec<HttpRequest>,
    /// What the author should know; none of it is an error.
    pub diagnostics: Vec<Diagnostic>,
    /// The key material that stood in the document.
    pub secrets: Vec<FoundSecret>,
    /// The document without that, if any stood in it.
    pub kept: Option<Vec<u8>>,
}

/// Lowers a flow document.
///
/// # Errors
/// Every diagnostic, if one of them is an error: the document is refused whole.
pub fn lower(document: &str, octets: &[u8], settings: &LowerSettings<'_>) -> Result<Lowered, Vec<Diagnostic>> {
    let json = syntax::parse(octets).map_err(|told| vec![*told])?;
    let told = Told::default();
    let lowered = syntax::read(&json, &told).map(|read| Lowering::new(document, &read, &told).finish(&read, settings));
    let mut diagnostics = told.into_inner();
    place(octets, &mut diagnostics);
    match lowered {
        Some(Made { flow, endpoint, facts, requests, found })
            if diagnostics.iter().all(|told| told.severity != Severity::Error) =>
        {
            let kept = (!found.is_empty()).then(|| without(octets, &found));
            let secrets = found.into_iter().map(set).collect();
            Ok(Lowered { flow, endpoint, facts, requests, diagnostics, secrets, kept })
        }
        Some(_) | None => Err(diagnostics),
    }
}

/// The state of lowering one document, and what its nodes may ask of it.
pub(super) struct Lowering<'d> {
    flow: Flow,
    told: &'d Told,
    found: Vec<Inline>,
    requests: Vec<HttpRequest>,
    /// Where the nodes of the author begin.
    begins: Vec<(NodeIx, OriginIx, Who)>,
    failed: NodeIx,
    nothing: NodeIx,
    /// The Library flows that are being written out, by id: none may call itself.
    calling: Vec<&'d str>,
    /// The Library flows that were written out.
    called: BTreeSet<&'d str>,
}

/// What a document becomes, unless something is wrong with it.
struct Made {
    flow: Flow,
    endpoint: Option<Endpoint>,
    facts: Vec<(Text, Value)>,
    requests: Vec<HttpRequest>,
    found: Vec<Inline>,
}

/// A document that is being lowered: the flow itself, or a Library flow at one of its calls.
pub(super) struct Scope<'d> {
    /// The whole document that it stands in.
    pub(super) whole: &'d Document<'d>,
    /// What the ids of its nodes begin with.
    id: String,
    /// Where the ends of a Library flow lead: Nested Success and Nested Failure.
    pub(super) nested: Option<[NodeIx; 2]>,
    entries: BTreeMap<&'d str, NodeIx>,
}

/// A node that is being lowered.
pub(super) struct Live<'n, 'd> {
    pub(super) scope: &'n Scope<'d>,
    pub(super) node: &'n Node<'d>,
    pub(super) who: Who,
    /// Its id in the whole plan, which also owns its secrets.
    pub(super) id: String,
    pub(super) origin: OriginIx,
    pub(super) spot: Spot,
    entry: NodeIx,
}

impl<'d> Lowering<'d> {
    fn new(name: &str, document: &'d Document<'d>, told: &'d Told) -> Self {
        let flow = Flow { document: name.into(), replies: REPLIES, ..Flow::default() };
        let (failed, nothing) = (NodeIx(0), NodeIx(0));
        let (found, requests, begins) = (Vec::new(), Vec::new(), Vec::new());
        let mut lowering = Self {
            flow,
            told,
            found,
            requests,
            begins,
            failed,
            nothing,
            calling: vec![document.id],
            called: BTreeSet::new(),
        };
        let origin = lowering.origin(document.id, "flow", document.name);
        lowering.failed = lowering.add(Op::Reply(FAILED), origin, Vec::new(), Handlers::default());
        lowering.nothing = lowering.add(Op::Reply(NOTHING), origin, Vec::new(), Handlers::default());
        lowering
    }

    fn finish(mut self, document: &'d Document<'d>, settings: &LowerSettings<'_>) -> Made {
        let entry = self.document(document, document, document.id.to_owned(), None);
        self.tell_libraries(&document.libraries);
        let kind = TriggerKind::Request;
        self.flow.triggers.push(Trigger { origin: OriginIx(0), kind, wires: entry.into_iter().collect() });
        let text = |text: &str| Value::text(text);
        let facts = [
            ("id", text(document.id)),
            ("issuer", Value::text(format!("http://{}", settings.host))),
            ("domain_id", text("default")),
        ];
        let facts: Vec<_> = facts.into_iter().map(|(name, value)| (name.into(), value)).collect();
        let endpoint = self.endpoint(document, &facts);
        self.bound_steps();
        Made { flow: self.flow, endpoint, facts, requests: self.requests, found: self.found }
    }

    /// Tells of Library flows that share an id, and of those that nothing calls: nobody has looked into them.
    fn tell_libraries(&self, libraries: &[Document<'d>]) {
        for (at, library) in libraries.iter().enumerate() {
            let spot = library.spot.below("id");
            if libraries[..at].iter().any(|known| known.id == library.id) {
                let message = format!("Two Library flows have the id `{}`.", library.id);
                self.told.refuse("id_repeated", &spot, message, "Rename one of them.");
            } else if !self.called.contains(library.id) {
                let message = format!("Nothing calls the Library flow `{}`, so it is not checked either.", library.id);
                self.told.tell(Severity::Warning, "library_unused", &spot, message, "Call it, or take it out.");
            }
        }
    }

    /// Has nodes count their passes if a message could take too many steps.
    fn bound_steps(&mut self) {
        if !steps::may_exceed(&self.flow, self.begins.len()) {
            return;
        }
        for (at, origin, who) in std::mem::take(&mut self.begins) {
            let failing = self.failing_of(&who, origin, self.failed);
            let node = &mut self.flow.nodes[at.0 as usize];
            let counting = PlanNode { op: steps::count(&who), on_error: failing, outputs: Vec::new(), ..node.clone() };
            let behind = std::mem::replace(node, counting);
            self.flow.nodes.push(behind);
            let behind = NodeIx(index(self.flow.nodes.len() - 1));
            self.flow.nodes[at.0 as usize].outputs = vec![vec![behind]];
        }
    }

    /// Lowers the nodes of a document; gives where it begins.
    pub(super) fn document(
        &mut self,
        document: &'d Document<'d>,
        whole: &'d Document<'d>,
        id: String,
        nested: Option<[NodeIx; 2]>,
    ) -> Option<NodeIx> {
        let mut scope = Scope { whole, id, nested, entries: BTreeMap::new() };
        let mut lives = Vec::new();
        for node in &document.nodes {
            let id = format!("{}/{}", scope.id, node.id);
            let origin = self.origin(&id, node.kind, node.name);
            let entry = self.add(Op::Pass, origin, Vec::new(), Handlers::default());
            if scope.entries.insert(node.id, entry).is_some() {
                let message = format!("Two nodes have the id `{}`.", node.id);
                self.told.refuse("id_repeated", &node.spot.below("id"), message, "Rename one of them.");
            }
            lives.push((node, id, origin, entry));
        }
        let starts: Vec<_> = document.nodes.iter().filter(|node| node.kind == "start").collect();
        if starts.len() != 1 {
            let message = format!("A flow has one node `start`, and this one has {}.", starts.len());
            self.told.refuse("start_missing", &Spot::root().below("nodes"), message, "Keep exactly one.");
        }
        for (node, id, origin, entry) in lives {
            let spot = node.spot.of_node(node.id, node.kind, document.id);
            match nodes::find(node.kind) {
                Some(kind) => {
                    let name = if node.name.is_empty() { kind.label } else { node.name };
                    let who = Who { node: node.id.into(), label: kind.label, name: name.into() };
                    let live = Live { scope: &scope, node, who, id, origin, spot, entry };
                    (kind.lower)(self, &live);
                }
                None => {
                    let known: Vec<_> = nodes::TYPES.iter().map(|kind| kind.spec.kind).collect();
                    let hint = format!("Known are `{}`.", known.join("`, `"));
                    let message = format!("There is no node type `{}`.", node.kind);
                    self.told.refuse("type_unknown", &spot.below("type"), message, &hint);
                }
            }
        }
        starts.first().and_then(|start| scope.entries.get(start.id).copied())
    }

    fn endpoint(&mut self, document: &Document<'_>, facts: &[(Text, Value)]) -> Option<Endpoint> {
        let is_api = document.category == "API";
        let (root, told) = (Spot::root(), self.told);
        let trigger = match &document.trigger {
            None if is_api => {
                told.refuse(
                    "trigger_missing",
                    &root,
                    "A flow of the category API needs a trigger.",
                    "Name method and path.",
                );
                return None;
            }
            Some(trigger) if !is_api => {
                let message = format!("A flow of the category {} has no API trigger.", document.category);
                told.refuse("trigger_unfit", &trigger.spot, message, "Take it out, or change the category.");
                return None;
            }
            other => other.as_ref()?,
        };
        if !document.is_active {
            told.tell(
                Severity::Warning,
                "flow_inactive",
                &root.below("active"),
                "The flow is not active: nothing calls it.",
                "",
            );
            return None;
        }
        let secret = SecretRef { owner: document.id.into(), field: "apiKey".into() };
        let authentication = match trigger.authentication {
            "api-key" => Authentication::ApiKey(secret.clone()),
            "bearer" => Authentication::Bearer(secret.clone()),
            _ => Authentication::Open,
        };
        if authentication != Authentication::Open {
            self.flow.secrets.push(secret);
        }
        Some(Endpoint {
            method: trigger.method.parse().unwrap_or(Method::POST),
            path: trigger.path.into(),
            authentication,
            trigger: TriggerIx(0),
            facts: facts.to_vec(),
        })
    }

    /// Lowers a Library flow where it is called; gives where it begins. None, and told, if there is none of that id.
    pub(super) fn library(&mut self, live: &Live<'_, 'd>, id: &str, at: &Spot, ends: [NodeIx; 2]) -> Option<NodeIx> {
        let Some(library) = live.scope.whole.libraries.iter().find(|library| library.id == id) else {
            let message = format!("The document brings along no Library flow `{id}`.");
            self.told.refuse("library_unknown", at, message, "Put it into `libraries`.");
            return None;
        };
        if self.calling.contains(&library.id) {
            let message = format!("The Library flow `{id}` would call itself.");
            self.told.refuse("library_recursive", at, message, "Call another one.");
            return None;
        }
        if self.flow.nodes.len() > PLAN_NODES_MAX {
            let message =
                format!("With all its Library flows written out, the flow has more than {PLAN_NODES_MAX} steps.");
            self.told.refuse("flow_too_large", at, message, "Call them less often.");
            return None;
        }
        self.calling.push(library.id);
        self.called.insert(library.id);
        let entry = self.document(library, live.scope.whole, format!("{}/{}", live.scope.id, library.id), Some(ends));
        self.calling.pop();
        entry
    }

    /// To whom things are told.
    pub(super) fn told(&self) -> &'d Told {
        self.told
    }

    /// Puts an op where the node's messages arrive.
    pub(super) fn put(&mut self, live: &Live<'_, 'd>, op: Op, outputs: Vec<Vec<NodeIx>>, on_error: Handlers) {
        self.begins.push((live.entry, live.origin, live.who.clone()));
        let node = &mut self.flow.nodes[live.entry.0 as usize];
        (node.op, node.outputs, node.on_error) = (op, outputs, on_error);
    }

    /// Adds a further op of a node.
    pub(super) fn add(&mut self, op: Op, origin: OriginIx, outputs: Vec<Vec<NodeIx>>, on_error: Handlers) -> NodeIx {
        let none = Handlers::default();
        self.flow.nodes.push(PlanNode { op, origin, outputs, on_error, on_done: none.clone(), on_status: none });
        NodeIx(index(self.flow.nodes.len() - 1))
    }

    /// The faults of a node go to this one: the log hears of them, and `flow.error` says why.
    pub(super) fn failing(&mut self, live: &Live<'_, 'd>, to: NodeIx) -> Handlers {
        self.failing_of(&live.who, live.origin, to)
    }

    fn failing_of(&mut self, who: &Who, origin: OriginIx, to: NodeIx) -> Handlers {
        let value = Expr::Message(Path::keys(["flow", "error", "message"]));
        let log = self.add(Op::Log { level: LogLevel::Warn, value }, origin, Vec::new(), Handlers::default());
        let dress: Arc<[ShapeStep]> = failure(who);
        let handlers = [log, to].map(|node| Handler { node, dress: Arc::clone(&dress) });
        Handlers([handlers.into()].into())
    }

    /// Where an exit leads; one that fails and leads nowhere answers 500, another one 204.
    pub(super) fn exit(&mut self, live: &Live<'_, 'd>, name: &str) -> NodeIx {
        let unconnected = if name == "Failure" { self.failed } else { self.nothing };
        match live.node.exits.iter().find(|(exit, ..)| *exit == name) {
            Some((_, to, at)) => match live.scope.entries.get(to) {
                Some(entry) => *entry,
                None => {
                    let message = format!("The exit `{name}` leads to `{to}`, and there is no such node.");
                    self.told.refuse("exit_dangling", at, message, "Lead it to a node of this flow.");
                    unconnected
                }
            },
            None => {
                let what = if name == "Failure" { "500 with the reason" } else { "204" };
                let message =
                    format!("The exit `{name}` leads nowhere: a message that takes it is answered by {what}.");
                self.told.tell(
                    Severity::Warning,
                    "exit_unconnected",
                    &live.spot.below("exits"),
                    message,
                    "Connect it.",
                );
                unconnected
            }
        }
    }

    /// Refuses exits that the node does not have.
    pub(super) fn check_exits(&self, live: &Live<'_, 'd>, known: &[&str]) {
        for (name, _, at) in live.node.exits.iter().filter(|(name, ..)| !known.contains(name)) {
            let message = format!("The node has no exit `{name}`.");
            let hint =
                if known.is_empty() { "It has none.".to_owned() } else { format!("It has `{}`.", known.join("`, `")) };
            self.told.refuse("exit_unknown", at, message, &hint);
        }
    }

    /// Secrets that stood in the configuration of a node, and those that it needs.
    pub(super) fn keep(&mut self, found: Vec<Inline>, needed: impl Iterator<Item = SecretRef>) {
        self.found.extend(found);
        self.flow.secrets.extend(needed);
    }

    /// Adds a request to a server outside.
    pub(super) fn request(&mut self, request: HttpRequest) -> FetchIx {
        self.requests.push(request);
        self.flow.fetches = index(self.requests.len());
        FetchIx(self.flow.fetches - 1)
    }

    /// Adds a script.
    pub(super) fn script(&mut self, script: ScriptPlan) -> ScriptIx {
        self.flow.scripts.push(script);
        ScriptIx(index(self.flow.scripts.len() - 1))
    }

    /// The end of a flow whose answer cannot be made.
    pub(super) fn failed(&self) -> NodeIx {
        self.failed
    }

    fn origin(&mut self, id: &str, kind: &str, name: &str) -> OriginIx {
        let origin = Origin { id: id.into(), kind: kind.into(), name: name.into(), section: "".into() };
        self.flow.origins.push(origin);
        OriginIx(index(self.flow.origins.len() - 1))
    }
}

impl<'d> Live<'_, 'd> {
    /// The node's configuration.
    pub(super) fn config(&self, told: &'d Told) -> Form<'d> {
        static NONE: std::sync::LazyLock<jose::json::Object> = std::sync::LazyLock::new(jose::json::Object::new);
        let object = self.node.config.unwrap_or(&NONE);
        Form::new(object, self.spot.below("config"), told)
    }
}

fn set(inline: Inline) -> FoundSecret {
    FoundSecret { secret: inline.secret, change: SecretChange::Set(inline.text) }
}

fn index(at: usize) -> u32 {
    u32::try_from(at).expect("a plan has far fewer nodes than a document has values")
}
