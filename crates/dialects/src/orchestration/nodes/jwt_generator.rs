//! `jwt-generator`: makes a token (sections 1 to 7).

use super::NodeType;
use crate::orchestration::lower::{Live, Lowering};
use crate::token_form::{GENERATOR, Generator, Keeping, LABEL, Ops};

pub(super) const TYPE: NodeType = NodeType { label: LABEL, spec: GENERATOR, lower };

fn lower<'d>(lowering: &mut Lowering<'d>, live: &Live<'_, 'd>) {
    lowering.check_exits(live, &["True", "Failure"]);
    let keeping = Keeping::new(&live.id, live.scope.whole.id);
    let generator = Generator::read(live.config(lowering.told()), &keeping);
    let (well, badly) = (lowering.exit(live, "True"), lowering.exit(live, "Failure"));
    let found = keeping.into_found();
    let Some(generator) = generator else { return lowering.keep(found, std::iter::empty()) };
    lowering.keep(found, generator.secrets().cloned());
    let Ops { prepare, seal, save } = generator.ops(&live.who);
    let failing = lowering.failing(live, badly);
    let save = lowering.add(save, live.origin, vec![vec![well]], failing.clone());
    let seal = lowering.add(seal, live.origin, vec![vec![save]], failing.clone());
    lowering.put(live, prepare, vec![vec![seal]], failing);
}
