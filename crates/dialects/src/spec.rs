//! How a node describes itself: to the lowerer, the form, the manual and the test.

/// Everything about one node type that is the same for all its nodes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NodeSpec {
    /// The type, as documents write it.
    pub kind: &'static str,
    /// The drawer of the palette it lies in.
    pub category: &'static str,
    /// Its colour in the editor, as `#rrggbb`.
    pub colour: &'static str,
    /// What it does, in one sentence.
    pub summary: &'static str,
    /// How many inputs it has: 0 or 1.
    pub inputs: u8,
    /// Its outputs.
    pub outputs: Outputs,
    /// What its author may set, in the order of the form.
    pub fields: &'static [FieldSpec],
}

/// The outputs of a node type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outputs {
    /// As many as there are labels, each output under its label.
    Labelled(&'static [&'static str]),
    /// As many as the field of this name says.
    Field(&'static str),
}

/// One thing that the author of a node may set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FieldSpec {
    /// The property of the document.
    pub name: &'static str,
    /// Its label in the form.
    pub label: &'static str,
    /// What it means, in one sentence.
    pub summary: &'static str,
    /// What it may hold.
    pub kind: FieldKind,
}

/// What a field may hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FieldKind {
    /// One line of text, with what a new node holds.
    Text(&'static str),
    /// A number, with what a new node holds.
    Number(u32),
    /// Yes or no, with what a new node holds.
    Flag(bool),
    /// One of these values, each with its label; a new node holds the first.
    Choice(&'static [(&'static str, &'static str)]),
    /// JavaScript.
    Script,
    /// Names, each with a text.
    Pairs,
    /// Rows, each with these members.
    Rows(&'static [&'static str]),
    /// One or more of these values; a new node holds the first.
    Several(&'static [&'static str]),
    /// Texts of the author's own.
    Texts,
    /// A selection of other nodes.
    Nodes,
    /// Properties of a message, each with a value and its type.
    Assignments,
    /// The id of a config node of that type.
    Config(&'static str),
    /// Text that is kept sealed, outside the document.
    Secret,
}

impl FieldSpec {
    /// What a node is called, a field of nearly all types.
    pub const NAME: Self = Self::text("name", "Name", "What the node is called.", "");

    /// A field of any kind.
    pub const fn new(name: &'static str, label: &'static str, summary: &'static str, kind: FieldKind) -> Self {
        Self { name, label, summary, kind }
    }

    /// One line of text.
    pub const fn text(name: &'static str, label: &'static str, summary: &'static str, new: &'static str) -> Self {
        Self::new(name, label, summary, FieldKind::Text(new))
    }

    /// Yes or no.
    pub const fn flag(name: &'static str, label: &'static str, summary: &'static str, new: bool) -> Self {
        Self::new(name, label, summary, FieldKind::Flag(new))
    }
}

impl NodeSpec {
    /// The fields that are kept sealed, outside the document.
    pub fn secrets(&self) -> impl Iterator<Item = &'static FieldSpec> {
        self.fields.iter().filter(|field| field.kind == FieldKind::Secret)
    }
}
