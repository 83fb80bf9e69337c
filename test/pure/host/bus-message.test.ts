import { describe, expect, test } from 'bun:test';
import {
  BadMessage,
  buildMethodCall,
  MessageReader,
  takeMessage,
} from '../../../src/host/systemd/bus-message.ts';
import { parseUnitList } from '../../../src/host/systemd/unit-state.ts';

const units = ['etcd.service', 'flannel.service'];
const call = {
  serial: 2,
  destination: 'org.freedesktop.systemd1',
  path: '/org/freedesktop/systemd1',
  interface: 'org.freedesktop.systemd1.Manager',
  member: 'ListUnitsByNames',
  args: [units],
};
/** What systemd 252 answered for a service that runs and one that it does not know. */
const answer = Buffer.from(
  '6c0201012e0100007b0100003d000000050175000200000006017300040000003a312e3200000000080167000d612873' +
    '73737373736f75736f2900000000000007017300040000003a312e3000000000260100000000000009000000782e7365' +
    '727669636500000009000000782e73657276696365000000060000006c6f616465640000060000006163746976650000' +
    '0700000072756e6e696e670000000000000000002a0000002f6f72672f667265656465736b746f702f73797374656d64' +
    '312f756e69742f785f3265736572766963650000000000000000000000000000010000002f0000000a0000006e6f2e73' +
    '65727669636500000a0000006e6f2e736572766963650000090000006e6f742d666f756e6400000008000000696e6163' +
    '746976650000000004000000646561640000000000000000000000002b0000002f6f72672f667265656465736b746f70' +
    '2f73797374656d64312f756e69742f6e6f5f32657365727669636500000000000000000000000000010000002f00',
  'hex',
);
/** What it answered to a call without the list. */
const refusal = Buffer.from(
  '6c030101660000007e0100005d000000050175000300000006017300040000003a312e32000000000401730026000000' +
    '6f72672e667265656465736b746f702e444275732e4572726f722e496e76616c69644172677300000801670001730000' +
    '07017300040000003a312e300000000061000000496e76616c696420617267756d656e747320272720746f2063616c6c' +
    '206f72672e667265656465736b746f702e73797374656d64312e4d616e616765722e4c697374556e69747342794e616d' +
    '657328292c20657870656374696e6720276173272e00',
  'hex',
);

/** What it says when the start of x.service has ended. */
const signal = Buffer.from(
  '6c04010145000000880100008d00000001016f00190000002f6f72672f667265656465736b746f702f73797374656d64' +
    '310000000000000002017300200000006f72672e667265656465736b746f702e73797374656d64312e4d616e61676572' +
    '0000000000000000030173000a0000004a6f6252656d6f7665640000000000000801670004756f737300000000000000' +
    '07017300040000003a312e30000000003b000000200000002f6f72672f667265656465736b746f702f73797374656d64' +
    '312f6a6f622f35390000000009000000782e7365727669636500000004000000646f6e6500',
  'hex',
);

describe('a call', () => {
  test('is a message of its own, with the list of its strings as body', () => {
    const bytes = buildMethodCall(call);
    const { message, length } = takeMessage(bytes) ?? {};
    expect(length).toBe(bytes.length);
    expect(message).toMatchObject({ kind: 'other', answers: undefined, error: undefined, signature: 'as' });
    const body = new MessageReader(message?.body ?? new Uint8Array());
    expect(body.readNumber()).toBe(message?.body.length ? message.body.length - 4 : 0);
    expect([body.readString(), body.readString(), body.isAtEnd()]).toEqual([...units, true]);
  });

  test('without strings has no body', () => {
    expect(takeMessage(buildMethodCall({ ...call, args: [] }))?.message).toMatchObject({
      signature: '',
      body: new Uint8Array(),
    });
  });
});

test('a signal has a name, and answers nothing', () => {
  const { message, length } = takeMessage(signal) ?? {};
  expect(length).toBe(signal.length);
  expect(message).toMatchObject({
    ...{ kind: 'signal', member: 'JobRemoved', answers: undefined, signature: 'uoss' },
  });
  const body = new MessageReader(message?.body ?? new Uint8Array());
  expect([body.readNumber(), body.readString(), body.readString(), body.readString()]).toEqual([
    ...[59, '/org/freedesktop/systemd1/job/59', 'x.service', 'done'],
  ]);
});

describe('an answer', () => {
  test('has the states of the units in the order of the question', () => {
    const { message } = takeMessage(answer) ?? {};
    expect(message).toMatchObject({ kind: 'answer', answers: 2, signature: 'a(ssssssouso)' });
    expect(parseUnitList(message?.body ?? new Uint8Array())).toEqual([
      { loadState: 'loaded', activeState: 'active', job: 0 },
      { loadState: 'not-found', activeState: 'inactive', job: 0 },
    ]);
  });

  test('may be an error with a name', () => {
    expect(takeMessage(refusal)?.message).toMatchObject({
      kind: 'error',
      answers: 3,
      error: 'org.freedesktop.DBus.Error.InvalidArgs',
    });
  });

  test('is taken only when it is complete, and leaves what follows', () => {
    for (let length = 0; length < answer.length; length += 1) {
      expect(takeMessage(answer.subarray(0, length))).toBeUndefined();
    }
    expect(takeMessage(Buffer.concat([answer, refusal]))?.length).toBe(answer.length);
  });

  test('of any other bytes is refused, and never read beyond its end', () => {
    for (let offset = 0; offset < answer.length; offset += 1) {
      for (const value of [0x00, 0x01, 0x7f, 0xff]) {
        const bytes = Buffer.from(answer);
        bytes[offset] = value;
        try {
          const taken = takeMessage(bytes);
          if (taken !== undefined) parseUnitList(taken.message.body);
        } catch (error) {
          expect(error).toBeInstanceOf(BadMessage);
        }
      }
    }
  });
});
