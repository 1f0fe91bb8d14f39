//! `jwt-verifier`: checks a token (section 8).

use super::NodeType;
use super::jwt_generator::chain;
use crate::orchestration::lower::{Live, Lowering};
use crate::token_form::{Keeping, VERIFIER, Verifier};

pub(super) const TYPE: NodeType = NodeType { label: "JWT - Verifier", spec: VERIFIER, lower };

fn lower<'d>(lowering: &mut Lowering<'d>, live: &Live<'_, 'd>) {
    let keeping = Keeping::new(&live.id, live.scope.whole.id);
    let verifier = Verifier::read(live.config(lowering.told()), &keeping);
    let found = keeping.into_found();
    let needed = verifier.iter().flat_map(Verifier::secrets).cloned().collect::<Vec<_>>();
    lowering.keep(found, needed.into_iter());
    chain(lowering, live, verifier.map(|verifier| verifier.ops(&live.who)));
}
