//! Our own specification in the manner of Node-RED's: each thing that theirs ask of the support module, once.
'use strict';
const should = require('should');
const sinon = require('sinon');
const helper = require('node-red-node-test-helper');
const functionNode = require('nr-test-utils').require('@node-red/nodes/core/function/10-function.js');
const { util } = require('nr-test-utils').require('@node-red/util');
const Context = require('nr-test-utils').require('@node-red/runtime/lib/nodes/context');

describe('the support module', function () {
  before(done => { helper.startServer(done); });
  after(done => { helper.stopServer(done); });
  afterEach(() => helper.unload());

  const body = (func, more = {}) => [
    { id: 'n1', z: 'tab', type: 'function', name: 'body', func, wires: [['n2'], ['n3']], ...more },
    { id: 'n2', z: 'tab', type: 'helper' },
    { id: 'n3', z: 'tab', type: 'helper' },
  ];
  const load = (flow, credentials) => helper.load(functionNode, flow, credentials);

  it('loads with a callback and hands out nodes', function (done) {
    helper.load(functionNode, body('return msg;'), function () {
      helper.getNode('n1').should.have.property('name', 'body');
      should(helper.getNode('n9')).be.null();
      done();
    });
  });

  it('brings a message in and out, each kind of value as it is', async function () {
    await load(body('msg.seen = [Buffer.isBuffer(msg.b), msg.d instanceof Date, msg.u === undefined]; return msg;'));
    const sent = { b: Buffer.from([0, 255]), d: new Date(5), u: undefined, n: -0, list: [null, { $: 'x' }], big: 1e300, e: NaN };
    const heard = input('n2');
    helper.getNode('n1').receive(sent);
    const message = await heard;
    message.seen.should.eql([true, true, true]);
    message._msgid.should.match(/^[0-9a-f]{16}$/);
    Buffer.isBuffer(message.b).should.be.true();
    [...message.b].should.eql([0, 255]);
    message.d.getTime().should.equal(5);
    should(Object.is(message.n, -0)).be.true();
    message.list.should.eql([null, { $: 'x' }]);
    message.big.should.equal(1e300);
    should(message.e).be.NaN();
  });

  it('keeps the order of messages', async function () {
    await load(body('node.send([[{ n: msg.n }, { n: msg.n + 0.5 }]]);'));
    const seen = [];
    const done = new Promise(resolve => helper.getNode('n2').on('input', ({ n }) => { seen.push(n); if (n === 3.5) resolve(); }));
    for (const n of [1, 2, 3]) helper.getNode('n1').receive({ n });
    await done;
    seen.should.eql([1, 1.5, 2, 2.5, 3, 3.5]);
  });

  it('tells warnings, errors, lines and statuses', async function () {
    await load(body('node.status({ text: "on" }); node.warn("w"); node.log("l"); node.error("e", msg); throw new Error("t");'));
    const n1 = helper.getNode('n1');
    const thrown = new Promise(resolve => n1.on('call:error', call => { if (call.args[0] instanceof Error) resolve(call.args[0]); }));
    n1.receive({});
    (await thrown).message.should.equal('t');
    sinon.assert.calledWithExactly(n1.status, { text: 'on' });
    sinon.assert.calledWithExactly(n1.warn, 'w');
    sinon.assert.calledWith(n1.error, 'e');
    const { WARN, ERROR, INFO } = helper.log();
    helper.log().args.map(([line]) => line.level).should.eql([WARN, INFO, ERROR, ERROR]);
    helper.log().args[0][0].should.have.properties({ id: 'n1', type: 'function', name: 'body', msg: 'w' });
  });

  it('shows messages of the catalogue by their keys', async function () {
    await load(body('return "text";'));
    const line = new Promise(resolve => helper.getNode('n1').on('call:error', call => resolve(call.args[0])));
    helper.getNode('n1').receive({});
    (await line).should.equal('function.error.non-message-returned');
  });

  it('reads and writes contexts before and after a message', async function () {
    await load(body('msg.global = global.get("a.b"); flow.set("list[1]", msg.global); context.set("own", 3); return msg;'));
    Context.init({ contextStorage: { memory1: { module: 'memory' } } });
    await Context.load();
    const context = helper.getNode('n1').context();
    context.global.set('a.b', 7);
    const heard = input('n2');
    helper.getNode('n1').receive({});
    (await heard).global.should.equal(7);
    context.flow.get('list[1]').should.equal(7);
    context.get('own').should.equal(3);
    context.global.keys().should.eql(['a']);
    await new Promise(resolve => context.get(['own', 'none'], (error, values) => { values.should.eql([3, undefined]); resolve(); }));
  });

  it('supplies credentials and variables of the environment', async function () {
    process.env.TITLES_SMOKE = 'seen';
    await load([
      ...body('msg.payload = env.get("TITLES_SMOKE"); return msg;'),
      { id: 'c', type: 'jwt-config', expiresin: '60', algorithm: 'HS256' },
      { id: 'j', z: 'tab', type: 'jwt', jwtconfig: 'c', generatejwt: 'true', wires: [['n3']] },
    ], { c: { tokensecret: 'a secret' } });
    const both = Promise.all([input('n2'), input('n3')]);
    helper.getNode('n1').receive({});
    helper.getNode('j').receive({ payload: {} });
    const [variable, token] = await both;
    variable.payload.should.equal('seen');
    token.payload.should.match(/^ey[\w-]+\.[\w-]+\.[\w-]+$/);
  });

  it('lets nodes of the type helper send', async function () {
    await load([...body('return msg;'), { id: 'n4', z: 'tab', type: 'helper', wires: [['n1']] }]);
    const heard = input('n2');
    helper.getNode('n4').send({ payload: 1 });
    (await heard).payload.should.equal(1);
  });

  it('lets nodes of the type helper answer within a call', async function () {
    await load([
      { id: 'call', z: 'tab', type: 'link call', links: ['in'], timeout: '5', wires: [['n2']] },
      { id: 'in', z: 'tab', type: 'link in', wires: [['n4']] },
      { id: 'n4', z: 'tab', type: 'helper', wires: [['back']] },
      { id: 'back', z: 'tab', type: 'link out', mode: 'return' },
      { id: 'n2', z: 'tab', type: 'helper' },
    ]);
    helper.getNode('n4').on('input', (message, send, done) => { message.payload += 1; send(message); done(); });
    const heard = input('n2');
    helper.getNode('call').receive({ payload: 1 });
    (await heard).payload.should.equal(2);
  });

  it('hands on the very object if nothing has changed it', async function () {
    await load([{ id: 'n1', z: 'tab', type: 'switch', property: 'a', rules: [{ t: 'else' }], wires: [['n2']] }, { id: 'n2', z: 'tab', type: 'helper' }]);
    const [heard, sent] = [input('n2'), { a: { b: 1 } }];
    helper.getNode('n1').receive(sent);
    should(await heard === sent).be.true();
  });

  it('sets off what time sets off', async function () {
    await load([
      { id: 'n1', z: 'tab', type: 'inject', props: [{ p: 'payload', v: 'now', vt: 'str' }], wires: [['n2']] },
      { id: 'n2', z: 'tab', type: 'helper' },
    ]);
    const heard = input('n2');
    helper.getNode('n1').receive({});
    (await heard).payload.should.equal('now');
  });

  it('replaces flows by others', async function () {
    await load(body('msg.payload = 1; return msg;'));
    await helper.setFlows(body('msg.payload = 2; return msg;'), 'full');
    const heard = input('n2');
    helper.getNode('n1').receive({});
    (await heard).payload.should.equal(2);
  });

  it('reads the utilities', () => util.normalisePropertyExpression('a[0]').should.eql(['a', 0]));
  it('sees a wrong value (fails)', () => should(1).equal(2));
  it('sees that nothing comes (fails)', async function () {
    this.timeout(50);
    await load(body('return null;'));
    await input('n2');
  });
  it('says when a utility is replaced (is skipped)', () => sinon.stub(util, 'cloneMessage'));
  it('says when a module is looked into (is skipped)', () => functionNode.anything);
  it('says when a property is Node-RED\'s own (is skipped)', async function () {
    await load(body('return msg;'));
    helper.getNode('n1').should.have.property('script');
  });
  it('says when the admin API is needed (is skipped)', () => helper.request());

  const input = id => new Promise(resolve => helper.getNode(id).on('input', resolve));
});
