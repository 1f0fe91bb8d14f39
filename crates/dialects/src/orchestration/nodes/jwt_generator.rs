//! `jwt-generator`: makes a token (sections 1 to 7).

use super::NodeType;
use crate::orchestration::lower::{Live, Lowering};
use crate::token_form::{GENERATOR, Generator, Keeping, LABEL, Ops};

pub(super) const TYPE: NodeType = NodeType { label: LABEL, spec: GENERATOR, lower };

fn lower<'d>(lowering: &mut Lowering<'d>, live: &Live<'_, 'd>) {
    let keeping = Keeping::new(&live.id, live.scope.whole.id);
    let generator = Generator::read(live.config(lowering.told()), &keeping);
    let found = keeping.into_found();
    let needed = generator.iter().flat_map(Generator::secrets).cloned().collect::<Vec<_>>();
    lowering.keep(found, needed.into_iter());
    chain(lowering, live, generator.map(|generator| generator.ops(&live.who)));
}

/// The ops of a node that leaves by True or Failure, one behind the other; none if its configuration is refused.
pub(super) fn chain<'d>(lowering: &mut Lowering<'d>, live: &Live<'_, 'd>, ops: Option<Ops>) {
    lowering.check_exits(live, &["True", "Failure"]);
    let (well, badly) = (lowering.exit(live, "True"), lowering.exit(live, "Failure"));
    let Some(Ops { prepare, token, save }) = ops else { return };
    let failing = lowering.failing(live, badly);
    let save = lowering.add(save, live.origin, vec![vec![well]], failing.clone());
    let token = lowering.add(token, live.origin, vec![vec![save]], failing.clone());
    lowering.put(live, prepare, vec![vec![token]], failing);
}
