//! Does what the engine asks until every message of a run rests.
//!
//! A run whose asks are all answered on the spot costs no task, no channel and no lock: [`Drive::advance`] takes it from
//! its trigger to its reply on the caller's own stack. Only a run that has to wait goes on in a task of its own.

use std::pin::Pin;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use dialects::node_red::{self, Rendered, Unanswered};

use engine::{Context, Run, Step, Told};
use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;
use http::Response;
use plan::{
    Answer, Ask, AskId, Fault, FaultKind, LogLevel, NodeIx, Origin, Parts, ReplyIx, ScriptEvent, ScriptIx, Value,
};
use sandbox::Conversation;
use tokio::sync::oneshot;

use crate::deployment::LiveDocument;
use crate::effects::reply::{Between, Desk, Outcome};
use crate::effects::script::{Call, Turns};
use crate::effects::{Begun, expression, file, hold, open, password, request, seal, sign, variable, verify};
use crate::front::{Absence, Exchange};
use crate::log::{Field, Log, SECRET_HEADERS};
use crate::problem::RequestId;

/// Steps that a run takes at a time before other work gets its turn.
const STEPS_AT_ONCE: u32 = 2_000;

/// A run on its way.
pub(crate) struct Drive {
    live: Arc<LiveDocument>,
    log: Log,
    run: Run,
    desk: Desk,
    /// What is under way; none was ever needed if this is `None`.
    later: Option<FuturesUnordered<Later>>,
    turns: Turns,
    exchange: Exchange,
    failed: Option<Unanswered>,
    id: RequestId,
}

/// Why a run has stopped for now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Pause {
    /// It waits for something that is under way.
    Waiting,
    /// It has worked long enough.
    Tired,
    /// It is over.
    Rest,
}

type Later = Pin<Box<dyn Future<Output = Came> + Send>>;

/// What came of something under way.
enum Came {
    /// The answer to an ask.
    Answer(AskId, Answer),
    /// A script did something, or its first turn is over; it may go on.
    Spoke(AskId, Call, Option<ScriptEvent>),
}

/// The clock, as the engine is told it.
pub(crate) fn now() -> Context {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    let now_epoch_ms = i64::try_from(since.as_millis()).unwrap_or(i64::MAX);
    let random = [RequestId::fresh(), RequestId::fresh()].map(|id| u128::from(id.as_u64()));
    Context { now_epoch_ms, random: random[0] << 64 | random[1] }
}

impl Drive {
    /// A run whose reply is looked for with [`Self::take_reply`], or sent on after [`Self::send_reply_on`].
    pub(crate) fn of_request(live: Arc<LiveDocument>, log: Log, run: Run, exchange: Exchange, id: RequestId) -> Self {
        Self {
            live,
            log,
            run,
            desk: Desk::Here(None),
            later: None,
            turns: Turns::default(),
            exchange,
            failed: None,
            id,
        }
    }

    /// A run that nobody waits for.
    pub(crate) fn of_schedule(live: Arc<LiveDocument>, log: Log, run: Run) -> Self {
        let (exchange, id) = (Exchange::NodeRed(node_red::Exchange::default()), RequestId::fresh());
        Self { live, log, run, desk: Desk::Closed, later: None, turns: Turns::default(), exchange, failed: None, id }
    }

    /// A run in which a script speaks by itself, under this ask.
    pub(crate) fn of_speaker(
        live: Arc<LiveDocument>,
        log: Log,
        (run, id, node): (Run, AskId, NodeIx),
        conversation: Conversation,
    ) -> Self {
        let mut drive = Self::of_schedule(live, log, run);
        let origin = drive.live.flow().nodes[node.0 as usize].origin;
        drive.listen(id, Call::of(conversation, origin));
        drive
    }

    /// Goes on as far as it gets without waiting.
    pub(crate) fn advance(&mut self) -> Pause {
        let context = now();
        for _ in 0..STEPS_AT_ONCE {
            match self.run.step(&context) {
                Step::Ask(id, ask) => self.take(id, ask, &context),
                Step::Told(told) => self.tell(told),
                Step::Waiting => return Pause::Waiting,
                Step::Rest => return Pause::Rest,
            }
        }
        Pause::Tired
    }

    /// The reply, if the run has given one by now.
    pub(crate) fn take_reply(&mut self) -> Option<Response<Bytes>> {
        let Desk::Here(place) = &mut self.desk else { return None };
        let reply = place.take();
        if reply.is_some() {
            self.desk = Desk::Closed;
        }
        reply
    }

    /// How the caller is told if this run gives no reply.
    pub(crate) fn absence(&self) -> Absence {
        self.exchange.absence(self.id)
    }

    /// What the last fault that nobody took makes of a run without a reply.
    pub(crate) fn failed(&self) -> Option<Unanswered> {
        self.failed
    }

    /// From now on the reply goes through a channel.
    pub(crate) fn send_reply_on(&mut self) -> (oneshot::Receiver<Outcome>, Arc<Between>) {
        let (sender, receiver) = oneshot::channel();
        let between = Arc::new(Between { failed: self.failed.into(), late: false.into() });
        self.desk = Desk::There(Some(sender), Arc::clone(&between));
        (receiver, between)
    }

    /// Goes on until the run rests, or its flow was taken away and its time is over.
    pub(crate) async fn finish(mut self) {
        let mut cut = self.live.on_cut();
        let ended = tokio::select! {
            biased;
            _ = cut.wait_for(|cut| *cut) => Outcome::Cut,
            () = self.step_to_rest() => Outcome::Rested,
        };
        self.desk.close(ended);
    }

    /// Goes on until the run rests, even though its flow was taken away.
    pub(crate) async fn finish_regardless(mut self) {
        self.step_to_rest().await;
    }

    /// Goes on until the run rests, for this long at most; gives the reply, and what the exchange has become.
    pub(crate) async fn settled(mut self, most: Duration) -> (Option<Response<Bytes>>, Exchange) {
        // Without an answer in time there is none.
        let _ = tokio::time::timeout(most, self.step_to_rest()).await;
        (self.take_reply(), self.exchange)
    }

    async fn step_to_rest(&mut self) {
        loop {
            match self.advance() {
                Pause::Rest => return,
                Pause::Tired => tokio::task::yield_now().await,
                Pause::Waiting => self.wait().await,
            }
        }
    }

    async fn wait(&mut self) {
        let came = match &mut self.later {
            Some(later) => later.next().await,
            None => None,
        };
        match came.expect("a run that waits has something under way") {
            Came::Answer(id, answer) => self.answer(id, answer, &now()),
            Came::Spoke(id, call, event) => self.hear(id, call, event),
        }
    }

    fn take(&mut self, id: AskId, ask: Ask, context: &Context) {
        let begun = match ask {
            Ask::Mint(request) => sign::mint(self.live.minter(request.token), request.claims),
            Ask::Verify(request) => Begun::Done(verify::check(self.live.verifier(request.policy), &request.token)),
            Ask::Seal(request) => seal::seal(self.live.holders(), *request),
            Ask::Open(request) => Begun::Done(open::open(self.live.holders(), &request)),
            Ask::Reply { reply, message } => Begun::Done(self.reply(reply, &message, context)),
            Ask::Read(variable) => Begun::Done(variable::read(self.live.variables(), &variable)),
            Ask::Write(variable, value) => Begun::Done(variable::write(self.live.variables(), &variable, value)),
            Ask::Fetch { fetch, to, message } => {
                self.exchange.note_fetch(self.live.front(), fetch);
                request::fetch(&self.live, fetch, &to, &message, self.run.cells())
            }
            Ask::Hold { node, order } => hold::hold(&self.live, node, &order),
            Ask::Evaluate { expression, input } => {
                expression::evaluate(&self.live, expression, &input, self.run.cells())
            }
            Ask::Password(ask) => password::answer(&self.live, ask),
            Ask::ReadFile(name) => file::read(self.live.files(), name),
            Ask::Wait { delay_ms } => Begun::Later(Box::pin(async move {
                tokio::time::sleep(Duration::from_millis(delay_ms)).await;
                Answer::Elapsed
            })),
            Ask::Script { script, message } => {
                if self.turns.begin(id, script, &message) && !self.call_script(id, script, &message) {
                    self.end_turn(id);
                }
                return;
            }
        };
        match begun {
            Begun::Done(answer) => self.answer(id, answer, context),
            Begun::Later(answer) => self.later().push(Box::pin(async move { Came::Answer(id, answer.await) })),
        }
    }

    fn reply(&mut self, reply: ReplyIx, message: &Value, context: &Context) -> Answer {
        let message = (message, self.run.cells());
        match self.live.front().render(reply, message, &mut self.exchange, context.now_epoch_ms) {
            Ok(Rendered::Answer(response)) => self.desk.hand_out(response),
            Ok(Rendered::NobodyWaits) => {
                Answer::Declined("the message leads to no request, so nothing is answered".into())
            }
            Err(fault) => Answer::Failed(fault),
        }
    }

    /// Whether the script could be called.
    fn call_script(&mut self, id: AskId, script: ScriptIx, message: &Value) -> bool {
        match Call::begin(&self.live, script, message, self.run.cells()) {
            Ok(call) => {
                self.listen(id, call);
                true
            }
            Err(fault) => {
                self.answer(id, Answer::Failed(fault), &now());
                false
            }
        }
    }

    fn hear(&mut self, id: AskId, call: Call, event: Option<ScriptEvent>) {
        let is_last = event == Some(ScriptEvent::Rest);
        let is_over = is_last || event.is_none();
        if let Some(event) = event {
            self.answer(id, Answer::Script(event), &now());
        }
        if !is_last {
            self.listen(id, call);
        }
        if is_over {
            self.end_turn(id);
        }
    }

    fn end_turn(&mut self, mut over: AskId) {
        while let Some((id, script, message)) = self.turns.end(over) {
            if self.call_script(id, script, &message) {
                return;
            }
            over = id;
        }
    }

    fn listen(&mut self, id: AskId, mut call: Call) {
        let live = Arc::clone(&self.live);
        self.later().push(Box::pin(async move {
            let event = call.next(&live).await;
            Came::Spoke(id, call, event)
        }));
    }

    fn answer(&mut self, id: AskId, answer: Answer, context: &Context) {
        self.run.answer(id, answer, context).expect("each ask gets answers of its own kind, until the last");
    }

    fn later(&mut self) -> &mut FuturesUnordered<Later> {
        self.later.get_or_insert_default()
    }

    fn tell(&mut self, told: Told) {
        if let Some(listener) = self.live.listener() {
            listener(self.live.origin(told.node()), &told);
        }
        match told {
            Told::Uncaught { node, fault } => {
                self.fail(&fault);
                self.tell_fault("flow_fault", node, &fault);
            }
            Told::FaultLoop { node, fault } => {
                self.fail(&fault);
                self.tell_fault("flow_fault_loop", node, &fault);
            }
            Told::Log { node, level, value } => self.tell_line(node, level, &value),
            // Nobody reads statuses in a log; listeners have heard it.
            Told::Status { .. } => {}
        }
    }

    fn fail(&mut self, fault: &Fault) {
        let why = if fault.kind == FaultKind::Busy { Unanswered::Busy } else { Unanswered::Error };
        self.failed = Some(why);
        self.desk.failed(why);
    }

    fn tell_fault(&self, event: &'static str, node: NodeIx, fault: &Fault) {
        let code = fault.code.as_deref().unwrap_or("none");
        let stack = fault.stack.as_deref().unwrap_or_default();
        let told = [Field::Code(code), Field::Cause(&fault.message), Field::Place(stack)];
        self.log.warn(event, &self.fields(node, &told[..if stack.is_empty() { 2 } else { 3 }]));
    }

    fn tell_line(&self, node: NodeIx, level: LogLevel, value: &Value) {
        let text = shown(value);
        let fields = self.fields(node, &[Field::Message(&text)]);
        match level {
            LogLevel::Trace | LogLevel::Debug => self.log.debug("flow_log", &fields),
            LogLevel::Info => self.log.info("flow_log", &fields),
            LogLevel::Warn => self.log.warn("flow_log", &fields),
            LogLevel::Error => self.log.error("flow_log", &fields),
        }
    }

    fn fields<'f>(&'f self, node: NodeIx, told: &[Field<'f>]) -> Vec<Field<'f>> {
        let Origin { id, kind, name, section } = self.live.origin(node);
        let place = [
            Field::RequestId(self.id),
            Field::Document(self.live.name()),
            Field::Tab(section),
            Field::NodeId(id),
            Field::NodeType(kind),
        ];
        let named = (!name.is_empty()).then_some(Field::NodeName(name));
        let called = self.exchange.operation().map(|(method, path)| [Field::Method(method), Field::Path(path)]);
        place.into_iter().chain(named).chain(called.into_iter().flatten()).chain(told.iter().copied()).collect()
    }
}

/// A value as a line of the log shows it: members that are named like a secret header show nothing.
fn shown(value: &Value) -> String {
    if let Value::Text(text) = value {
        return text.to_string();
    }
    let mut text = Vec::new();
    match plan::write_json(&mut text, &masked(value)) {
        Ok(true) => String::from_utf8_lossy(&text).into_owned(),
        Ok(false) => "undefined".to_owned(),
        Err(why) => format!("[{why}]"),
    }
}

fn masked(value: &Value) -> Value {
    match value.parts() {
        Parts::List(items) => Value::list(items.iter().map(masked).collect()),
        Parts::Map(map) => Value::map(map.iter().map(|(name, member)| {
            let is_secret = SECRET_HEADERS.iter().any(|secret| secret.eq_ignore_ascii_case(name));
            (name, if is_secret { Value::text("***") } else { masked(member) })
        })),
        Parts::None => value.clone(),
    }
}
