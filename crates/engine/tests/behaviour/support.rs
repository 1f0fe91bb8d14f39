//! The one helper of these tests that knows the engine: builds flows by hand and drives them by a closure.

use std::collections::BTreeMap;
use std::sync::Arc;

use engine::{Context, Run, Step, Told};
use jose::jwa::{SignatureAlgorithm, Switches};
use plan::{
    Answer, Ask, Cells, ExpiryRules, Expr, ExpressionPlan, Flow, Handler, Handlers, JsonRules, KeySource, LogLevel,
    Node, NodeIx, Op, Origin, OriginIx, Path, ScriptEvent, ScriptIx, ScriptPlan, ShapeStep, Trigger, TriggerIx,
    TriggerKind, ValidFlow, Value, VerifyPlan, validate,
};

pub(crate) const NOW: Context = Context { now_epoch_ms: 1_700_000_000_999, random: 1 };

/// A flow whose one trigger leads to node 0; each node is named `n<place>`.
#[derive(Default)]
pub(crate) struct Sketch {
    pub(crate) flow: Flow,
}

impl Sketch {
    /// Adds a node with these outputs.
    pub(crate) fn node(mut self, op: Op, outputs: &[&[u32]]) -> Self {
        let place = self.flow.nodes.len();
        let origin =
            Origin { id: format!("n{place}").into(), kind: "test".into(), name: "".into(), section: "".into() };
        self.flow.origins.push(origin);
        let outputs = outputs.iter().map(|wires| wires.iter().map(|to| NodeIx(*to)).collect()).collect();
        let origin = OriginIx(u32::try_from(place).unwrap());
        let none = Handlers::default;
        self.flow.nodes.push(Node { op, origin, outputs, on_error: none(), on_done: none(), on_status: none() });
        self
    }

    /// Adds a node that logs `msg.<name>`.
    pub(crate) fn log(self, name: &str) -> Self {
        let value = Expr::Message(Path::keys([name]));
        self.node(Op::Log { level: LogLevel::Info, value }, &[])
    }

    /// Adds a script node; what it says is up to the driver.
    pub(crate) fn script(mut self, outputs: &[&[u32]]) -> Self {
        let script = ScriptIx(u32::try_from(self.flow.scripts.len()).unwrap());
        self.flow.scripts.push(script_plan());
        self.node(Op::Script(script), outputs)
    }

    /// Lets these nodes hear of the last node's faults, in groups.
    pub(crate) fn on_error(mut self, groups: &[&[u32]], dress: Vec<ShapeStep>) -> Self {
        self.flow.nodes.last_mut().unwrap().on_error = handlers(groups, dress);
        self
    }

    /// Lets these nodes hear that the last node is done.
    pub(crate) fn on_done(mut self, groups: &[&[u32]], dress: Vec<ShapeStep>) -> Self {
        self.flow.nodes.last_mut().unwrap().on_done = handlers(groups, dress);
        self
    }

    /// Lets these nodes hear of the last node's status.
    pub(crate) fn on_status(mut self, groups: &[&[u32]], dress: Vec<ShapeStep>) -> Self {
        self.flow.nodes.last_mut().unwrap().on_status = handlers(groups, dress);
        self
    }

    /// Gives the flow this many expressions.
    pub(crate) fn expressions(mut self, count: usize) -> Self {
        let expression = ExpressionPlan {
            prelude: "".into(),
            origin: OriginIx(0),
            source: "".into(),
            functions: [].into(),
            cpu_ms: 1,
            complaint: "".into(),
            code: None,
        };
        self.flow.expressions = vec![expression; count];
        self
    }

    pub(crate) fn valid(mut self) -> ValidFlow {
        self.flow.replies = 1;
        if self.flow.triggers.is_empty() {
            let wires = vec![NodeIx(0)];
            self.flow.triggers.push(Trigger { origin: OriginIx(0), kind: TriggerKind::Request, wires });
        }
        validate(self.flow).unwrap()
    }

    /// Sends a message through and answers every ask; what was told comes back.
    pub(crate) fn run(self, message: Value, answer: impl FnMut(&Ask) -> Vec<Answer>) -> Vec<Told> {
        let mut run = Run::start(&self.valid(), TriggerIx(0), message, Cells::default());
        drive(&mut run, answer)
    }

    /// Sends a message through that nothing is asked for.
    pub(crate) fn run_alone(self, message: Value) -> Vec<Told> {
        self.run(message, |ask| panic!("nothing should be asked: {ask:?}"))
    }
}

/// Steps until the run rests; every ask is answered at once.
pub(crate) fn drive(run: &mut Run, mut answer: impl FnMut(&Ask) -> Vec<Answer>) -> Vec<Told> {
    let mut told = Vec::new();
    loop {
        match run.step(&NOW) {
            Step::Ask(id, ask) => answer(&ask).into_iter().for_each(|it| run.answer(id, it, &NOW).unwrap()),
            Step::Told(it) => told.push(it),
            Step::Waiting => panic!("an ask was left open"),
            Step::Rest => return told,
        }
    }
}

/// What a script says that sends these messages in one call and ends.
pub(crate) fn sends(outputs: Vec<Vec<Value>>) -> Vec<Answer> {
    vec![Answer::Script(ScriptEvent::Send(outputs)), Answer::Script(ScriptEvent::Rest)]
}

pub(crate) fn script_plan() -> ScriptPlan {
    ScriptPlan {
        origin: OriginIx(0),
        surface: Arc::from(""),
        reader: Arc::from(""),
        source: "".into(),
        initialize: "".into(),
        finalize: "".into(),
        facts: "{}".into(),
        outputs: 1,
        cpu_ms: 100,
        shares: false,
    }
}

/// A policy for HS256 that asks nothing of the claims but their times.
pub(crate) fn policy(token: Expr) -> VerifyPlan {
    VerifyPlan {
        token,
        algorithms: vec![hs256()],
        switches: Switches::NONE,
        key: KeySource::Given("k".into()),
        times: ExpiryRules { exp_required: false, iat_checked: false, leeway_secs: 0 },
        audience: None,
        listed: None,
        claims: JsonRules::Ecmascript,
        any_claims: false,
        prepare: Vec::new(),
        refused: BTreeMap::new(),
    }
}

pub(crate) fn hs256() -> &'static SignatureAlgorithm {
    SignatureAlgorithm::by_name("HS256").unwrap()
}

/// A message with this payload.
pub(crate) fn payload(value: Value) -> Value {
    Value::map([("payload", value)])
}

/// What the log lines and statuses say, by the place of the node that wrote them.
pub(crate) fn logged(told: &[Told]) -> Vec<(u32, Value)> {
    told.iter()
        .map(|it| match it {
            Told::Log { node, value, .. } | Told::Status { node, status: value } => (node.0, value.clone()),
            Told::Uncaught { .. } | Told::FaultLoop { .. } => panic!("no fault was expected: {it:?}"),
        })
        .collect()
}

fn handlers(groups: &[&[u32]], dress: Vec<ShapeStep>) -> Handlers {
    let dress: Arc<[ShapeStep]> = dress.into();
    let handler = |node: &u32| Handler { node: NodeIx(*node), dress: dress.clone() };
    Handlers(groups.iter().map(|group| group.iter().map(handler).collect()).collect())
}
