//! Which outputs a message takes: a value, and one test for each output.

use crate::cell::Scope;
use crate::effect::Fault;
use crate::expr::Expr;
use crate::pattern::Pattern;

/// What [`crate::Op::Branch`] decides by.
#[derive(Clone, Debug, PartialEq)]
pub struct BranchPlan {
    /// The value that is tested.
    pub on: Expr,
    /// One test for each output, in order.
    pub tests: Vec<Test>,
    /// Whether every test is tried; otherwise the first that holds is the last.
    pub all: bool,
    /// The variable, by scope and name, that holds the value for the next message's tests.
    pub remember: Option<(Scope, crate::Text)>,
}

/// A test of a value. Comparisons are ECMAScript's, loose between types.
#[derive(Clone, Debug, PartialEq)]
pub enum Test {
    /// `value == operand`.
    Equal(Expr),
    /// `value != operand`.
    NotEqual(Expr),
    /// `value < operand`.
    Less(Expr),
    /// `value <= operand`.
    LessOrEqual(Expr),
    /// `value > operand`.
    Greater(Expr),
    /// `value >= operand`.
    GreaterOrEqual(Expr),
    /// Between the operands, whichever is larger, both included.
    Between(Expr, Expr),
    /// The value's text holds the operand's text.
    Contains(Expr),
    /// The value's text holds a match of the pattern.
    Matches(Pattern),
    /// The value's text holds a match of the pattern that the operand spells.
    MatchesText {
        /// Spells the pattern.
        pattern: Expr,
        /// Whether capitals do not matter.
        ignore_case: bool,
    },
    /// The operand is `true`, whatever the value is.
    Holds(Expr),
    /// The value is this boolean.
    Is(bool),
    /// The value is null or undefined.
    Nothing,
    /// The value is neither null nor undefined.
    Something,
    /// A text, list, octets or map without content.
    Empty,
    /// A text, list, octets or map with content.
    NotEmpty,
    /// The value is of this type.
    Type(ValueType),
    /// The value has a member of its own by the operand's text.
    Has(Expr),
    /// The position of the message in its sequence, in place of the value, holds this test; a message without one raises
    /// the fault.
    Position {
        /// Where the message holds its position.
        at: Expr,
        /// What is asked of it.
        test: Box<Test>,
        /// Raised where there is none.
        fault: Box<Fault>,
    },
    /// Each of these holds.
    All(Vec<Test>),
    /// No test since the last of this kind held.
    Otherwise,
    /// Raises this fault.
    Refuse(Box<Fault>),
}

/// Types that values are told apart by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ValueType {
    /// A text.
    Text,
    /// A number.
    Number,
    /// A boolean.
    Boolean,
    /// A list.
    List,
    /// Octets.
    Octets,
    /// A map, or anything else with members that is neither list nor octets.
    Object,
    /// Something whose text is JSON.
    Json,
    /// Null.
    Null,
    /// Undefined.
    Undefined,
}

impl Test {
    /// The expressions that the test reads.
    pub fn operands(&self) -> Vec<&Expr> {
        match self {
            Self::Equal(operand)
            | Self::NotEqual(operand)
            | Self::Less(operand)
            | Self::LessOrEqual(operand)
            | Self::Greater(operand)
            | Self::GreaterOrEqual(operand)
            | Self::Contains(operand)
            | Self::Has(operand)
            | Self::Holds(operand)
            | Self::MatchesText { pattern: operand, .. } => vec![operand],
            Self::Between(low, high) => vec![low, high],
            Self::Position { at, test, .. } => [vec![at], test.operands()].concat(),
            Self::All(tests) => tests.iter().flat_map(Self::operands).collect(),
            Self::Matches(_)
            | Self::Is(_)
            | Self::Nothing
            | Self::Something
            | Self::Empty
            | Self::NotEmpty
            | Self::Type(_)
            | Self::Otherwise
            | Self::Refuse(_) => Vec::new(),
        }
    }
}
