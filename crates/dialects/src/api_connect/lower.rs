//! Lowers an assembly to one flow: built from its end, so that every step knows where the message goes behind it.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use plan::{
    Diagnostic, EventField, Expr, ExpressionIx, ExpressionPlan, Fault, FaultKind, FaultText, FetchIx, Flow, Handler,
    Handlers, LogLevel, Node, NodeIx, Op, Origin, OriginIx, Path, ReplyIx, ScriptIx, ScriptPlan, Severity, ShapeStep,
    Trigger, TriggerIx, TriggerKind, Value,
};

use super::catch;
use super::hosts;
use super::invoke::Invoke;
use super::name::Names;
use super::policies;
use super::portable::OWN;
use super::sealed::{self, SealedFrom};
use super::served::Api;
use super::survey::Survey;
use super::syntax::{self, Choice, Definition, Gateway};
use super::tree::{self, Cursor};
use crate::found::FoundSecret;

/// The reply of a run that went well.
pub(super) const SUCCESS: ReplyIx = ReplyIx(0);
/// The reply to an error that nobody caught.
pub(super) const UNCAUGHT: ReplyIx = ReplyIx(1);
/// How many replies there are.
const REPLIES: u32 = 2;

/// What lowering depends on beside the document.
#[derive(Clone, Copy, Debug)]
pub struct LowerSettings<'a> {
    /// The catalog whose values of properties count.
    pub catalog: &'a str,
    /// What `$(catalog.host)` stands for: a host, with its port if that is not the usual one.
    pub host: &'a str,
    /// Properties that were set for this run.
    pub properties: &'a BTreeMap<String, String>,
    /// The names of crypto objects that keys are bound to; one may hold `*` for any text.
    pub crypto: &'a [String],
    /// Whether the operator lets steps that name `none` make tokens that nobody signed.
    pub allow_unsigned: bool,
    /// Whether a definition of which something does not run here is refused whole.
    pub strict: bool,
}

/// What a definition was lowered to.
#[derive(Clone, Debug)]
pub struct Lowered {
    /// The flow: one trigger, whatever the operation.
    pub flow: Flow,
    /// How requests become messages and messages replies.
    pub api: Api,
    /// What the author should know; none of it is an error.
    pub diagnostics: Vec<Diagnostic>,
    /// What stands in it at a glance.
    pub survey: Survey,
    /// The keys that stood in its properties.
    pub secrets: Vec<FoundSecret>,
    /// The document without them, to be kept; none if it had none.
    pub kept: Option<Vec<u8>>,
}

/// Lowers a definition.
///
/// # Errors
/// Every diagnostic, if one of them is an error: the document is refused whole.
pub fn lower(document: &str, octets: &[u8], settings: &LowerSettings<'_>) -> Result<Lowered, Vec<Diagnostic>> {
    let mut tree = tree::read(octets).map_err(|broken| vec![broken.told()])?;
    let taken = sealed::take(&mut tree);
    let kept = (!taken.is_empty()).then(|| sealed::kept(octets, &taken, &tree));
    let choice = Choice { document, catalog: settings.catalog, properties: settings.properties };
    let mut definition = syntax::read(&tree, &choice).map_err(|told| vec![*told])?;
    let mut told = std::mem::take(&mut definition.told);
    sealed::told_elsewhere(&Cursor::root(&tree), &mut told);
    let mut lowering = Lowering::new(document, &definition, settings, told);
    let entry = lowering.assembly();
    let lowered = lowering.finish(entry, &Cursor::root(&tree))?;
    Ok(Lowered { secrets: sealed::found(document, taken), kept, ..lowered })
}

/// The state of lowering one definition, and what the policies may ask of it.
pub(super) struct Lowering<'d> {
    pub(super) definition: &'d Definition<'d>,
    pub(super) settings: &'d LowerSettings<'d>,
    pub(super) names: Names,
    flow: Flow,
    invokes: Vec<Invoke>,
    told: Vec<Diagnostic>,
    told_before: HashSet<(&'static str, String)>,
    /// Where the errors of the steps that are being lowered go.
    handler: NodeIx,
}

/// A step of an assembly: its policy's block.
#[derive(Clone, Debug)]
pub(super) struct Step<'t> {
    /// The policy's name.
    pub(super) kind: &'t str,
    /// Its properties.
    pub(super) block: Cursor<'t>,
    /// Where it comes from.
    pub(super) origin: OriginIx,
}

/// How an error of a step is told to handlers and to the client.
pub(super) enum Telling {
    /// In the words of the error itself.
    Own,
    /// In general words: the cause goes to the log and to a variable of the policy.
    General {
        /// The root of the variable `error-message`.
        variable: &'static str,
        /// The reason phrase.
        reason: &'static str,
        /// What the client is told.
        text: &'static str,
    },
}

impl<'d> Lowering<'d> {
    fn new(
        document: &str,
        definition: &'d Definition<'d>,
        settings: &'d LowerSettings<'d>,
        told: Vec<Diagnostic>,
    ) -> Self {
        let mut properties = definition.properties.clone();
        properties.insert("catalog.host".into(), Value::text(settings.host));
        properties
            .insert("catalog.url".into(), Value::text(format!("http://{}{}", settings.host, definition.base_path)));
        let flow = Flow { document: document.into(), replies: REPLIES, faults: faults(), ..Flow::default() };
        let sealed = definition.sealed.iter().map(|sealed| sealed.name.clone()).collect();
        let names = Names { gateway: definition.gateway, properties, sealed };
        Self {
            definition,
            settings,
            names,
            flow,
            invokes: Vec::new(),
            told,
            told_before: HashSet::new(),
            handler: NodeIx(0),
        }
    }

    /// The whole assembly; gives its first node.
    fn assembly(&mut self) -> NodeIx {
        let origin = self.origin("", "assembly", "");
        self.handler = self.node(Op::Reply(UNCAUGHT), origin, Vec::new(), Handlers::default());
        let reply = self.node(Op::Reply(SUCCESS), origin, Vec::new(), Handlers::default());
        self.flow.nodes[reply.0 as usize].on_error = self.handlers(origin, &Telling::Own);
        let definition = self.definition;
        let after = definition.steps("finally").map_or(reply, |steps| self.chain(&steps, reply));
        if let Some(clauses) = definition.steps("catch") {
            self.handler = catch::lower(self, &clauses, origin, after);
        }
        definition.steps("execute").map_or(after, |steps| self.chain(&steps, after))
    }

    /// The steps of a list, one behind the other; gives the first node. Behind the last the message goes to `next`.
    pub(super) fn chain(&mut self, steps: &Cursor<'d>, next: NodeIx) -> NodeIx {
        let mut next = next;
        for item in steps.items().into_iter().rev() {
            for (kind, block) in item.members() {
                let title = block.text("title").unwrap_or_default();
                let origin = self.origin(&block.pointer, kind, &title);
                next = policies::lower(self, &Step { kind, block, origin }, next);
            }
        }
        next
    }

    /// A list of steps under a member; where there is none the message goes on.
    pub(super) fn steps_of(&mut self, of: &Cursor<'d>, name: &str, next: NodeIx) -> NodeIx {
        of.get(name).map_or(next, |steps| self.chain(&steps, next))
    }

    /// A step of one op that goes on to `next`.
    pub(super) fn step(&mut self, step: &Step<'_>, op: Op, next: NodeIx) -> NodeIx {
        self.step_told(step, op, vec![vec![next]], &Telling::Own)
    }

    /// A step of one op with these outputs, whose errors are told like this.
    pub(super) fn step_told(
        &mut self,
        step: &Step<'_>,
        op: Op,
        mut outputs: Vec<Vec<NodeIx>>,
        telling: &Telling,
    ) -> NodeIx {
        outputs.truncate(op.outputs().unwrap_or(usize::MAX));
        let handlers = self.handlers(step.origin, telling);
        self.node(op, step.origin, outputs, handlers)
    }

    fn node(&mut self, op: Op, origin: OriginIx, outputs: Vec<Vec<NodeIx>>, on_error: Handlers) -> NodeIx {
        let none = Handlers::default();
        self.flow.nodes.push(Node { op, origin, outputs, on_error, on_done: none.clone(), on_status: none });
        NodeIx(index(self.flow.nodes.len() - 1))
    }

    /// The branch that errors come to, which itself cannot fail.
    pub(super) fn catcher(&mut self, op: Op, origin: OriginIx, outputs: Vec<Vec<NodeIx>>) -> NodeIx {
        self.node(op, origin, outputs, Handlers::default())
    }

    /// The handler that errors go to now.
    pub(super) fn handler(&self) -> NodeIx {
        self.handler
    }

    /// The log hears of an error, then the handler of the steps around.
    fn handlers(&mut self, origin: OriginIx, telling: &Telling) -> Handlers {
        let (level, at) = match telling {
            Telling::Own => (LogLevel::Warn, Path::keys(["error", "message"])),
            Telling::General { variable, .. } => (LogLevel::Error, Path::keys([variable, "error-message"])),
        };
        let log = Op::Log { level, value: Expr::Message(at) };
        let log = self.node(log, origin, Vec::new(), Handlers::default());
        let dress = dress(telling);
        let group = vec![Handler { node: log, dress: Arc::clone(&dress) }, Handler { node: self.handler, dress }];
        Handlers([group].into())
    }

    fn origin(&mut self, id: &str, kind: &str, name: &str) -> OriginIx {
        let section = self.definition.name.clone();
        let origin = Origin { id: id.into(), kind: kind.into(), name: name.into(), section };
        self.flow.origins.push(origin);
        OriginIx(index(self.flow.origins.len() - 1))
    }

    /// Adds a script.
    pub(super) fn add_script(&mut self, script: ScriptPlan) -> ScriptIx {
        self.flow.scripts.push(script);
        ScriptIx(index(self.flow.scripts.len() - 1))
    }

    /// Adds an expression in JSONata.
    pub(super) fn add_expression(&mut self, expression: ExpressionPlan) -> ExpressionIx {
        self.flow.expressions.push(expression);
        ExpressionIx(index(self.flow.expressions.len() - 1))
    }

    /// Adds what calls a back end.
    pub(super) fn add_invoke(&mut self, invoke: Invoke) -> FetchIx {
        self.invokes.push(invoke);
        self.flow.fetches = index(self.invokes.len());
        FetchIx(self.flow.fetches - 1)
    }

    /// Tells of a property that changes nothing here, each name once.
    pub(super) fn tell_ignored(&mut self, step: &Step<'_>, name: &str, at: &Cursor<'_>) {
        if self.told_before.insert(("property_ignored", format!("{}.{name}", step.kind))) {
            let message = format!("`{name}` of the policy `{}` changes nothing here.", step.kind);
            self.tell(Severity::Warning, "property_ignored", (at, step.kind), message, "It may stay for the gateway.");
        }
    }

    /// Tells the author something about a place.
    pub(super) fn tell(
        &mut self,
        severity: Severity,
        code: &'static str,
        (at, kind): (&Cursor<'_>, &str),
        message: impl Into<String>,
        hint: &str,
    ) {
        self.told.push(Diagnostic::new(severity, code, at.place(kind), message).hint(hint));
    }

    /// Tells of properties that the policy does not have, each name once; one that only we could have is an error.
    pub(super) fn tell_unknown(&mut self, step: &Step<'_>, known: &[&str]) {
        for (name, value) in step.block.members().filter(|(name, _)| !known.contains(name)) {
            if name.starts_with(OWN) {
                let message = format!("The policy `{}` has no member `{name}` here.", step.kind);
                let hint = "Take it out; what it would do is not done. docs/contracts/api-connect.md, section 16, names those there are.";
                self.tell(Severity::Error, "extension_unknown", (&value, step.kind), message, hint);
            } else if self.told_before.insert(("property_unknown", format!("{}.{name}", step.kind))) {
                let message = format!("The policy `{}` has no property `{name}`; it is ignored.", step.kind);
                self.tell(Severity::Warning, "property_unknown", (&value, step.kind), message, "Take it out.");
            }
        }
    }

    fn finish(mut self, entry: NodeIx, root: &Cursor<'_>) -> Result<Lowered, Vec<Diagnostic>> {
        let at = |told: &Diagnostic| told.place.line_column;
        self.told.sort_by_key(at);
        let refuses = |told: &Diagnostic| match told.severity {
            Severity::Error => true,
            Severity::Stopped => self.settings.strict,
            Severity::Warning => false,
        };
        if self.told.iter().any(refuses) {
            return Err(self.told);
        }
        let trigger = Trigger { origin: OriginIx(0), kind: TriggerKind::Request, wires: vec![entry] };
        self.flow.triggers.push(trigger);
        self.name_secrets();
        let hosts = hosts::named(self.definition.extension.as_ref(), &self.names.properties);
        let mut api = Api::of(self.definition, &self.names, self.settings, TriggerIx(0));
        (api.invokes, api.hosts) = (self.invokes, Arc::new(hosts));
        let survey = Survey::of(self.definition, root, &self.told);
        Ok(Lowered { flow: self.flow, api, diagnostics: self.told, survey, secrets: Vec::new(), kept: None })
    }

    /// The secrets that the flow cannot do without, and the document as their owner.
    fn name_secrets(&mut self) {
        let secrets = self.definition.sealed.iter().filter_map(|sealed| match &sealed.from {
            SealedFrom::Secret { secret, .. } => Some(secret.clone()),
            SealedFrom::Given(_) => None,
        });
        self.flow.secrets = secrets.collect();
        if !self.flow.secrets.is_empty() {
            let document = self.flow.document.clone();
            self.origin(&document, "api", "");
        }
    }

    /// Whether the definition is written for the v5 gateway.
    pub(super) fn is_v5(&self) -> bool {
        self.definition.gateway == Gateway::V5
    }
}

/// What a handler finds of an error (section 8): `error.name`, `.message`, `.status.code`, `.status.reason`; and, for an
/// uncaught one, `.information`, which is what the client is told.
fn dress(telling: &Telling) -> Arc<[ShapeStep]> {
    let text = |text: &str| Expr::Literal(Value::text(text));
    let status = |code: i64, reason: &str| {
        Expr::Literal(Value::map([("code", Value::integer(code)), ("reason", Value::text(reason))]))
    };
    let or = |value: Expr, otherwise: Expr| Expr::Choose {
        present: Box::new(value.clone()),
        then: Box::new(value),
        otherwise: Box::new(otherwise),
    };
    let thrown = |name: &str| Expr::Member { of: Box::new(Expr::Event(EventField::Thrown)), path: Path::keys([name]) };
    let (message, status, information) = match telling {
        Telling::Own => (
            Expr::Event(EventField::Message),
            or(thrown("status"), status(500, "Internal Server Error")),
            or(thrown("information"), text("The request could not be completed.")),
        ),
        Telling::General { reason, text: told, .. } => (text(told), status(500, reason), text(told)),
    };
    let name = or(Expr::Event(EventField::Code), text("RuntimeError"));
    let members = [("name", name), ("message", message), ("status", status), ("information", information)];
    let error = Expr::Map(members.into_iter().map(|(name, value)| (name.into(), value)).collect());
    let mut steps = vec![ShapeStep::Set(Path::keys(["error"]), error)];
    if let Telling::General { variable, .. } = telling {
        let detail = Path::keys([variable, "error-message"]);
        steps.push(ShapeStep::Set(detail, Expr::Event(EventField::Message)));
    }
    steps.into()
}

/// An error of that name; what it says to the client if nobody catches it.
pub(super) fn fault(name: &str, message: impl AsRef<str>, status: (i64, &str), information: &str) -> Fault {
    let (code, reason) = status;
    let status = Value::map([("code", Value::integer(code)), ("reason", Value::text(reason))]);
    let thrown = Value::map([("status", status), ("information", Value::text(information))]);
    Fault { thrown, ..Fault::new(FaultKind::Configuration, message).with_code(name) }
}

/// What the engine itself raises when a script does not come to its end.
fn faults() -> BTreeMap<FaultKind, FaultText> {
    let kinds = [FaultKind::Script, FaultKind::ScriptTimeout, FaultKind::ScriptMemory, FaultKind::ScriptUnavailable];
    let text = FaultText { code: "JavaScriptError".into(), message: "The script failed.".into() };
    kinds.map(|kind| (kind, text.clone())).into()
}

fn index(at: usize) -> u32 {
    u32::try_from(at).expect("a document holds at most 200 000 values")
}
