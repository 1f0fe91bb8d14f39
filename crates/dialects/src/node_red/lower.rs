//! Lowers a flow file to one flow of the plan, with the routes and replies that stand beside it.

use std::collections::{BTreeMap, HashMap, HashSet};

use jose::json::{Position, Value as Json};
use plan::{
    Diagnostic, ExpressionIx, ExpressionPlan, FetchIx, Flow, Handlers, NodeIx, Op, Origin, OriginIx, PolicyIx, ReplyIx,
    ScriptIx, ScriptPlan, SecretRef, Severity, Text, TokenIx, TokenPlan, Trigger, TriggerIx, TriggerKind, VerifyPlan,
    Wire,
};

use super::answers::{self, Answers};
use super::chains::{self, Behind};
use super::environment::Environment;
use super::events::{Events, Listener};
use super::faults;
use super::links::{self, LinkIn};
use super::lowered::{LowerSettings, Lowered, ResponseNode, Route, Serve};
use super::nodes::{self, Lower, NodeType};
use super::request::RequestNode;
use super::sections::{Fate, Sections};
use super::subflows::{self, INSTANCE};
use super::syntax::{self, Document, Node, Spot};
use crate::found::{FoundSecret, SecretChange};

/// What Node-RED's own editor sends for a secret that its author left alone (section 2, D8).
const UNCHANGED_SECRET: &str = "__PWRD__";

/// Lowers a flow file.
///
/// # Errors
/// Every diagnostic, if one of them is an error: the document is refused whole.
pub fn lower(document: &str, octets: &[u8], settings: &LowerSettings<'_>) -> Result<Lowered, Vec<Diagnostic>> {
    let parsed = syntax::read(octets).map_err(|told| vec![*told])?;
    let (parsed, refused) = subflows::inline(parsed);
    let mut lowering = Lowering::new(document, &parsed, settings);
    for subflows::Refused { code, message, spot } in refused {
        lowering.tell(Severity::Error, code, spot, message, "Take the instance out of its own subflow, or make fewer.");
    }
    lowering.refuse_repeated_ids();
    lowering.stop_sections();
    lowering.lower_nodes();
    lowering.find_secrets();
    lowering.tell_open_secrets();
    lowering.finish(octets)
}

/// The state of lowering one document, and what the node types may ask of it.
pub(super) struct Lowering<'d> {
    document: &'d Document,
    settings: &'d LowerSettings<'d>,
    environment: Environment<'d>,
    sections: Sections,
    by_id: HashMap<&'d str, &'d Node>,
    flow: Flow,
    routes: Vec<Route>,
    replies: Vec<ResponseNode>,
    requests: Vec<RequestNode>,
    told: Vec<(usize, Diagnostic)>,
    told_before: HashSet<(usize, &'static str, Text)>,
    secrets: Vec<FoundSecret>,
    link_ins: Vec<LinkIn>,
    answers: Answers,
    chains: Vec<(NodeIx, Vec<Wire>, Behind)>,
}

/// A node that runs, with its variables resolved, and what its type says of it.
pub(super) struct Live {
    /// The node.
    pub(super) node: Node,
    /// Where it comes from.
    pub(super) origin: OriginIx,
    /// Who hears of its events.
    pub(super) handling: Handling,
    kind: &'static NodeType,
}

impl<'d> Lowering<'d> {
    fn new(name: &str, document: &'d Document, settings: &'d LowerSettings<'d>) -> Self {
        Self {
            document,
            settings,
            environment: Environment::of(document, settings.environment),
            sections: Sections::of(document),
            by_id: document.nodes.iter().map(|node| (&*node.id, node)).collect(),
            flow: Flow { document: name.into(), faults: faults::faults(), ..Flow::default() },
            routes: Vec::new(),
            replies: Vec::new(),
            requests: Vec::new(),
            told: Vec::new(),
            told_before: HashSet::new(),
            secrets: Vec::new(),
            link_ins: Vec::new(),
            answers: Answers::default(),
            chains: Vec::new(),
        }
    }

    /// The settings of this deploy.
    pub(super) fn settings(&self) -> &LowerSettings<'d> {
        self.settings
    }

    /// The config node of type `kind` that a property names, its variables resolved; none if there is none that runs.
    pub(super) fn config(&self, node: &Node, property: &str, kind: &str) -> Option<Node> {
        let found = self.by_id.get(node.text(property)).filter(|config| &*config.kind == kind && !config.disabled)?;
        Some(self.environment.resolve(found))
    }

    /// All variables that a node sees.
    pub(super) fn variables(&self, node: &Node) -> BTreeMap<String, Json> {
        self.environment.visible(node)
    }

    /// The link in nodes that run.
    pub(super) fn link_ins(&self) -> &[LinkIn] {
        &self.link_ins
    }

    /// Tells the author something about a place, unless the same was told there before.
    pub(super) fn tell(
        &mut self,
        severity: Severity,
        code: &'static str,
        spot: Spot,
        message: impl Into<String>,
        hint: &str,
    ) {
        let told = Diagnostic::new(severity, code, spot.place, message).hint(hint);
        if self.told_before.insert((spot.offset, code, told.message.as_str().into())) {
            self.told.push((spot.offset, told));
        }
    }

    /// Adds a token plan.
    pub(super) fn add_token(&mut self, token: TokenPlan) -> TokenIx {
        TokenIx(push(&mut self.flow.tokens, token))
    }

    /// Adds a policy.
    pub(super) fn add_policy(&mut self, policy: VerifyPlan) -> PolicyIx {
        PolicyIx(push(&mut self.flow.policies, policy))
    }

    /// Adds a script.
    pub(super) fn add_script(&mut self, script: ScriptPlan) -> ScriptIx {
        ScriptIx(push(&mut self.flow.scripts, script))
    }

    /// Adds an expression.
    pub(super) fn add_expression(&mut self, expression: ExpressionPlan) -> ExpressionIx {
        ExpressionIx(push(&mut self.flow.expressions, expression))
    }

    /// Adds a reply.
    pub(super) fn add_reply(&mut self, reply: ResponseNode) -> ReplyIx {
        ReplyIx(push(&mut self.replies, reply))
    }

    /// Makes this output of the function that is being lowered answer requests.
    pub(super) fn answer_by_hand(&mut self, live: &Live, output: usize) {
        let reply = ResponseNode { node: live.node.id.clone(), by_hand: true, ..ResponseNode::default() };
        let reply = self.add_reply(reply);
        self.answers.add(live, answers::next(&self.flow.nodes), output, reply);
    }

    /// Adds a request to somebody outside.
    pub(super) fn add_request(&mut self, request: RequestNode) -> FetchIx {
        FetchIx(push(&mut self.requests, request))
    }

    /// Says that the flow cannot do without this secret.
    pub(super) fn need_secret(&mut self, secret: &SecretRef) {
        if !self.flow.secrets.contains(secret) {
            self.flow.secrets.push(secret.clone());
        }
    }

    fn refuse_repeated_ids(&mut self) {
        let document = self.document;
        let mut seen = HashSet::new();
        for node in &document.nodes {
            if !seen.insert(&*node.id) {
                let message = format!("Another node has the id `{}` too.", node.id);
                self.tell(Severity::Error, "id_repeated", node.spot(), message, "Give one of them another id.");
            }
        }
    }

    /// Stops the tabs that hold a node which cannot run, or refer to such a config node (section 16).
    fn stop_sections(&mut self) {
        let document = self.document;
        let mut broken_configs = Vec::new();
        for node in &document.nodes {
            if self.sections.fate(node) == Fate::Absent {
                continue;
            }
            let obstacle = nodes::obstacle(&self.environment.resolve(node)).or_else(|| self.undefined(node));
            let Some(obstacle) = obstacle else { continue };
            let stopped = self.sections.stop(node);
            if stopped.is_none() {
                broken_configs.push(node);
            }
            let (severity, effect) = match stopped {
                Some(tab) => (Severity::Stopped, format!("so the tab `{tab}` does not run.")),
                None => (Severity::Warning, "so nothing that refers to it runs.".to_owned()),
            };
            let message = format!("{}, {effect}", obstacle.message);
            self.tell(severity, obstacle.code, node.spot(), message, obstacle.hint);
        }
        for node in document.nodes.iter().filter(|_| !broken_configs.is_empty()) {
            let referred = broken_configs.iter().find(|config| node.refers_to(&config.id));
            if let (Some(config), Fate::Runs) = (referred, self.sections.fate(node)) {
                self.stop_for_config(node, config);
            }
        }
    }

    /// What stands against an instance of a subflow that is not there.
    fn undefined(&self, node: &Node) -> Option<nodes::Obstacle> {
        let id = node.kind.strip_prefix(INSTANCE)?;
        let defined = self.by_id.get(id).is_some_and(|definition| &*definition.kind == "subflow");
        (!defined).then(|| nodes::Obstacle {
            code: "missing_type",
            message: format!("The document holds no subflow `{id}`"),
            hint: "Export the flow together with its subflows, or disable the node.",
        })
    }

    fn stop_for_config(&mut self, node: &Node, config: &Node) {
        let Some(tab) = self.sections.stop(node) else { return };
        let message = format!(
            "The node refers to `{}`, whose type `{}` does not run here, so the tab `{tab}` does not run.",
            config.id, config.kind
        );
        self.tell(
            Severity::Stopped,
            "missing_type",
            node.spot(),
            message,
            "Remove the reference, or disable the node.",
        );
    }

    fn lower_nodes(&mut self) {
        let mut live = self.live_nodes();
        live.sort_by_key(|live| self.sections.order(&live.node));
        let mut places: HashMap<Text, NodeIx> = HashMap::new();
        for live in live.iter().filter(|live| live.kind.lower.is_op()) {
            let next = u32::try_from(places.len()).expect("a document holds at most 2 000 000 values");
            places.insert(live.node.id.clone(), NodeIx(next));
        }
        let listeners = live.iter().filter_map(|live| match live.kind.lower {
            Lower::Listener(event) => Some(Listener::of(&live.node, event, *places.get(&live.node.id)?)),
            Lower::Op(_) | Lower::Chain(_) | Lower::Schedule(_) | Lower::Route(_) | Lower::Nothing => None,
        });
        self.link_ins = live.iter().filter_map(|live| link_in(&live.node, &places)).collect();
        let instances = live.iter().map(|live| &live.node).filter(|node| node.kind.starts_with(INSTANCE));
        let instances = instances.map(|node| (node.id.clone(), node.clone())).collect();
        let events = Events::new(listeners.collect(), self.groups(), instances);
        for live in &mut live {
            live.handling = events.of(&live.node);
            self.lower_node(live, &places);
        }
        std::mem::take(&mut self.answers).wire(&mut self.flow.nodes);
        chains::wire(&mut self.flow.nodes, std::mem::take(&mut self.chains));
    }

    fn lower_node(&mut self, live: &Live, places: &HashMap<Text, NodeIx>) {
        match live.kind.lower {
            Lower::Op(lower) => {
                let op = lower(self, live);
                self.add_node(live, op, places);
            }
            Lower::Chain(lower) => {
                let (first, behind) = lower(self, live);
                let failing = live.node.wires.get(1).map(|ids| wires(ids, places)).unwrap_or_default();
                self.chains.extend(behind.map(|behind| (answers::next(&self.flow.nodes), failing, behind)));
                self.add_node(live, first, places);
            }
            Lower::Listener(_) => self.add_node(live, Op::Pass, places),
            Lower::Schedule(lower) => {
                if let Some(kind) = lower(self, live) {
                    self.add_trigger(live, kind, places);
                }
            }
            Lower::Route(lower) => {
                if let Some(route) = lower(self, &live.node) {
                    let trigger = self.add_trigger(live, TriggerKind::Request, places);
                    self.routes.push(Route { serve: Serve::Trigger(trigger), ..route });
                }
            }
            Lower::Nothing => {}
        }
    }

    fn add_node(&mut self, live: &Live, op: Op, places: &HashMap<Text, NodeIx>) {
        let mut outputs: Vec<Vec<Wire>> = live.node.wires.iter().map(|ids| wires(ids, places)).collect();
        outputs.truncate(op.outputs().unwrap_or(usize::MAX));
        let Handling { on_error, on_done, on_status } = live.handling.clone();
        self.flow.nodes.push(plan::Node { op, origin: live.origin, outputs, on_error, on_done, on_status });
    }

    fn add_trigger(&mut self, live: &Live, kind: TriggerKind, places: &HashMap<Text, NodeIx>) -> TriggerIx {
        let over = live.node.wires.first().map(|ids| wires(ids, places)).unwrap_or_default();
        TriggerIx(push(&mut self.flow.triggers, Trigger { origin: live.origin, kind, wires: over }))
    }

    /// The nodes that run. Routes of stopped tabs are kept on the way: they answer, if only to say so.
    fn live_nodes(&mut self) -> Vec<Live> {
        let document = self.document;
        let links = links::targets(document.nodes.iter());
        let mut live = Vec::new();
        for node in &document.nodes {
            let Some(kind) = nodes::find(&node.kind) else { continue };
            match self.sections.fate(node) {
                Fate::Absent => {}
                Fate::Stopped => self.keep_route(node, kind),
                Fate::Runs => {
                    let mut node = self.environment.resolve(node);
                    if let Some(targets) = links.get(&node.id) {
                        node.wires = vec![targets.clone()];
                    }
                    let origin = OriginIx(push(&mut self.flow.origins, origin(&node)));
                    live.push(Live { node, origin, handling: Handling::default(), kind });
                }
            }
        }
        live
    }

    fn keep_route(&mut self, node: &Node, kind: &NodeType) {
        if let Lower::Route(lower) = kind.lower {
            let node = self.environment.resolve(node);
            let route = lower(self, &node);
            self.routes.extend(route.map(|route| Route { serve: Serve::Stopped, ..route }));
        }
    }

    /// The group that each group stands in.
    fn groups(&self) -> HashMap<Text, Text> {
        let groups = self.document.nodes.iter().filter(|node| &*node.kind == "group");
        groups.map(|group| (group.id.clone(), group.group.clone())).collect()
    }

    /// Finds the credentials of node types that have any; others are left out of the document and forgotten.
    fn find_secrets(&mut self) {
        for node in &self.document.nodes {
            let Some(kind) = nodes::find(&node.kind) else { continue };
            let beside = self.document.credentials.get(&node.id).and_then(Json::as_object);
            for field in kind.spec.secrets() {
                let value =
                    beside.and_then(|fields| fields.get(field.name)).or_else(|| node.credentials.get(field.name));
                let value = value.or_else(|| node.open_secret(field.name));
                if let Some(text) = value.and_then(Json::as_text) {
                    let secret = SecretRef { owner: node.id.clone(), field: field.name.into() };
                    self.secrets.push(FoundSecret { secret, change: change(text) });
                }
            }
        }
    }

    /// Tells of key material among the properties of a node: it is moved out of the document.
    fn tell_open_secrets(&mut self) {
        let document = self.document;
        for node in &document.nodes {
            let Some(name) = nodes::open_secret(&node.kind).filter(|name| node.open_secret(name).is_some()) else {
                continue;
            };
            let message =
                format!("The property `{name}` held a secret in the open; it is kept sealed now, outside the flow.");
            let hint = "Take it out of the file as well, and out of every copy.";
            self.tell(Severity::Warning, "secret_in_flow", node.spot_of(name), message, hint);
        }
    }

    fn finish(mut self, octets: &[u8]) -> Result<Lowered, Vec<Diagnostic>> {
        self.flow.replies = u32::try_from(self.replies.len()).expect("a document holds at most 2 000 000 values");
        self.flow.fetches = u32::try_from(self.requests.len()).expect("a document holds at most 2 000 000 values");
        let diagnostics = placed(self.told, octets);
        if diagnostics.iter().any(|told| told.severity == Severity::Error) {
            return Err(diagnostics);
        }
        self.routes.sort_by_key(|route| route.serve == Serve::Stopped);
        let mut cuts = self.document.cuts.clone();
        cuts.sort_by_key(|cut| cut.start);
        Ok(Lowered {
            flow: self.flow,
            routes: self.routes,
            replies: self.replies,
            requests: self.requests,
            diagnostics,
            secrets: self.secrets,
            cuts,
        })
    }
}

/// Who hears of a node's events.
#[derive(Clone, Default)]
pub(super) struct Handling {
    /// Of its faults.
    pub(super) on_error: Handlers,
    /// That it is done.
    pub(super) on_done: Handlers,
    /// Of its status.
    pub(super) on_status: Handlers,
}

fn link_in(node: &Node, places: &HashMap<Text, NodeIx>) -> Option<LinkIn> {
    let place = *places.get(&node.id).filter(|_| &*node.kind == "link in")?;
    Some(LinkIn { id: node.id.clone(), name: node.name.clone(), section: node.section.clone(), place })
}

fn wires(ids: &[Text], places: &HashMap<Text, NodeIx>) -> Vec<Wire> {
    ids.iter().filter_map(|id| places.get(id).copied()).collect()
}

fn origin(node: &Node) -> Origin {
    Origin { id: node.id.clone(), kind: node.kind.clone(), name: node.name.clone(), section: node.section.clone() }
}

fn push<T>(list: &mut Vec<T>, item: T) -> u32 {
    list.push(item);
    u32::try_from(list.len() - 1).expect("a document holds at most 2 000 000 values")
}

fn change(text: &str) -> SecretChange {
    match text {
        UNCHANGED_SECRET => SecretChange::Keep,
        blank if blank.trim().is_empty() => SecretChange::Delete,
        _ => SecretChange::Set(text.to_owned()),
    }
}

/// Counts lines and columns for all diagnostics in one pass over the document, and puts them in its order.
fn placed(mut told: Vec<(usize, Diagnostic)>, octets: &[u8]) -> Vec<Diagnostic> {
    told.sort_by_key(|(offset, _)| *offset);
    let (mut counted, mut at) = (0, Position { line: 1, column: 1 });
    let place = |(offset, mut diagnostic): (usize, Diagnostic)| {
        let step = Position::of(&octets[counted..], offset - counted);
        let column = if step.line == 1 { at.column + step.column - 1 } else { step.column };
        at = Position { line: at.line + step.line - 1, column };
        counted = offset;
        diagnostic.place.line_column = Some((at.line, at.column));
        diagnostic
    };
    told.into_iter().map(place).collect()
}
