import { describe, expect, test } from 'vitest'
import { noble } from '../crypto/noble-provider.ts'
import { encodeUtf8, toHex } from '../wire/bytes.ts'
import { encodeCanonical } from '../wire/codec.ts'
import { ProtocolError } from '../wire/error.ts'
import { dayMs, mailboxRetentionMs } from '../wire/limits.ts'
import { refusal } from '../wire/refusal.fixture.ts'
import { seededRandom } from '../wire/random.fixture.ts'
import { ratchetDecrypt, ratchetEncrypt, type BodyCipher } from './double-ratchet.ts'
import { sealedHeader, sealedHeaderBytes, type RatchetHeader } from './header.ts'
import type { HeaderKey, MessageKey, RatchetKey, RatchetSecret, RootKey } from './keys.ts'
import { initiatorState, ratchetState, responderState, type RatchetState } from './state.ts'
import { defaultSuite as suite } from './suite.ts'

const random = seededRandom(1)
const noData = new Uint8Array(0)
const start = 1_000_000

/** The body of message n is its key's seal of nothing: it opens under its own key alone. */
const seal: BodyCipher = (key) => noble.chacha20poly1305Seal(key, new Uint8Array(12), noData, noData)
const openWith =
  (body: Uint8Array): BodyCipher =>
  (key) =>
    noble.chacha20poly1305Open(key, new Uint8Array(12), body, noData)

interface Message {
  readonly header: Uint8Array
  readonly body: Uint8Array
}

/** One end of a ratchet that remembers nothing but its state. */
class End {
  state: RatchetState
  constructor(state: RatchetState) {
    this.state = state
  }
  send(now = start): Message {
    const { state, sealedHeader: header, body } = ratchetEncrypt(suite, this.state, seal, { now, random })
    this.state = state
    return { header, body }
  }
  sendMany(count: number): Message[] {
    return Array.from({ length: count }, () => this.send())
  }
  receive({ header, body }: Message, now = start): void {
    this.state = ratchetDecrypt(suite, this.state, header, openWith(body), { now }).state
  }
  refuses(message: Message, now = start): string {
    const before = encodeCanonical(ratchetState.toMap(this.state))
    const code = refusal(() => ratchetDecrypt(suite, this.state, message.header, openWith(message.body), { now }))
    expect(encodeCanonical(ratchetState.toMap(this.state))).toEqual(before)
    return code
  }
  get skipped(): number {
    return this.state.receiving.reduce((sum, { skipped = [] }) => sum + skipped.length, 0)
  }
}

const ends = (): { alice: End; bob: End } => {
  const keys = {
    rootKey: random(32) as RootKey,
    initiatorHeaderKey: random(32) as HeaderKey,
    responderHeaderKey: random(32) as HeaderKey,
  }
  const secret = random(32) as RatchetSecret
  const key = noble.x25519PublicKey(secret) as RatchetKey
  return { alice: new End(initiatorState(keys, key)), bob: new End(responderState(keys, { secret, key })) }
}

/** Both have sent and received once. */
const talking = (): { alice: End; bob: End } => {
  const { alice, bob } = ends()
  bob.receive(alice.send())
  alice.receive(bob.send())
  return { alice, bob }
}

const at = (messages: readonly Message[], index: number): Message => messages[index] ?? expect.fail('no such message')

describe('limits', () => {
  test('a thousand skipped messages, not one more, within a chain', () => {
    const { alice, bob } = talking()
    const messages = alice.sendMany(1_002)
    expect(bob.refuses(at(messages, 1_001))).toBe('limit')
    bob.receive(at(messages, 1_000))
    expect(bob.skipped).toBe(1_000)
    bob.receive(at(messages, 1_001))
    for (const index of [0, 999, 500]) bob.receive(at(messages, index))
    expect(bob.refuses(at(messages, 500))).toBe('duplicate')
  })

  test('a thousand skipped messages, not one more, at the end of the chain before', () => {
    for (const [lost, code] of [
      [1_000, 'accepted'],
      [1_001, 'limit'],
    ] as const) {
      const { alice, bob } = talking()
      bob.receive(alice.send())
      alice.sendMany(lost)
      alice.receive(bob.send())
      const next = alice.send()
      expect(alice.state.sending?.next).toBe(1)
      expect(bob.refuses(next)).toBe(code)
    }
  })

  test('two thousand kept, the oldest given up first', () => {
    const { alice, bob } = talking()
    const messages = alice.sendMany(2_504)
    for (const index of [834, 1_669, 2_503]) bob.receive(at(messages, index))
    expect(bob.skipped).toBe(2_000)
    // 2,501 were skipped; the 501 oldest are gone.
    expect(bob.refuses(at(messages, 0))).toBe('duplicate')
    expect(bob.refuses(at(messages, 500))).toBe('duplicate')
    bob.receive(at(messages, 501))
    bob.receive(at(messages, 2_502))
  })

  test('given up first are the keys of older chains', () => {
    const { alice, bob } = talking()
    bob.receive(alice.send())
    const old = alice.sendMany(1_000)
    alice.receive(bob.send())
    const newer = alice.sendMany(1_001)
    bob.receive(at(newer, 1_000))
    expect(bob.skipped).toBe(2_000)
    bob.receive(at(alice.sendMany(2), 1))
    expect(bob.skipped).toBe(2_000)
    expect(bob.refuses(at(old, 0))).toBe('duplicate')
    bob.receive(at(old, 1))
    bob.receive(at(newer, 0))
  })

  test('skipped keys expire with the mailbox retention, at the next message either way', () => {
    const { alice, bob } = talking()
    const messages = alice.sendMany(3)
    bob.receive(at(messages, 1))
    expect(bob.refuses(at(messages, 0), start + mailboxRetentionMs)).toBe('accepted')
    expect(bob.refuses(at(messages, 0), start + mailboxRetentionMs + 1)).toBe('duplicate')
    expect(bob.skipped).toBe(1)
    bob.send(start + mailboxRetentionMs + 1)
    expect(bob.skipped).toBe(0)
    bob.receive(at(messages, 2), start + mailboxRetentionMs + dayMs)
  })

  test('five chains are remembered for repeats, older ones only while something of theirs is missing', () => {
    const { alice, bob } = talking()
    const first = alice.sendMany(2)
    bob.receive(at(first, 0))
    const rounds = Array.from({ length: 8 }, () => {
      alice.receive(bob.send())
      const message = alice.send()
      bob.receive(message)
      return message
    })
    expect(rounds.map((message) => bob.refuses(message))).toEqual([
      ...['foreign', 'foreign', 'foreign'],
      ...['duplicate', 'duplicate', 'duplicate', 'duplicate', 'duplicate'],
    ])
    expect(bob.state.receiving).toHaveLength(6)
    bob.receive(at(first, 1))
    expect(bob.state.receiving).toHaveLength(5)
  })

  test('two hundred chains with something missing, the oldest given up first', () => {
    const { alice, bob } = talking()
    const [newest] = bob.state.receiving
    const old = Array.from({ length: 199 }, (_, number) => ({
      headerKey: random(32) as HeaderKey,
      next: 1,
      skipped: [{ number, messageKey: random(32) as MessageKey, storedAtMs: start }],
    }))
    bob.state = { ...bob.state, receiving: [newest ?? expect.fail('bob has received'), ...old] }
    bob.receive(alice.send())
    const numbers = bob.state.receiving.map(({ skipped = [] }) => skipped[0]?.number)
    expect(numbers).toEqual([undefined, undefined, ...Array.from({ length: 198 }, (_, i) => i)])
  })
})

describe('steps', () => {
  test('a responder sends nothing before it has received, and receives only under the first header key', () => {
    const { alice, bob } = ends()
    expect(refusal(() => bob.send())).toBe('key')
    expect(bob.refuses(ends().alice.send())).toBe('foreign')
    bob.receive(alice.send())
    bob.send()
  })

  test('a ratchet secret is gone as soon as it is answered', () => {
    const { alice, bob } = talking()
    expect(alice.state.own).toBeUndefined()
    alice.send()
    expect(alice.state.own).toBeDefined()
    expect(toHex(alice.state.own?.key ?? noData)).not.toBe(toHex(bob.state.remoteRatchetKey ?? noData))
  })

  test('steps alternate: a second chain that answers nothing is not tried', () => {
    const { alice, bob } = talking()
    const message = alice.send()
    const forged = { ...bob.state, receiving: [], own: undefined }
    expect(
      refusal(() => ratchetDecrypt(suite, forged as never, message.header, openWith(message.body), { now: start })),
    ).toBe('foreign')
    bob.receive(message)
  })

  const forge = (change: (header: RatchetHeader, bob: End) => RatchetHeader): string => {
    const { alice, bob } = ends()
    const message = alice.send()
    const key = bob.state.nextReceivingHeaderKey
    const header = sealedHeader.open(message.header, key, noble) ?? expect.fail('the header opens')
    return bob.refuses({ ...message, header: sealedHeader.seal(change(header, bob), key, { crypto: noble, random }) })
  }

  test('a new chain needs a valid, fresh ratchet key', () => {
    expect(forge((header) => header)).toBe('accepted')
    expect(forge((header) => ({ ...header, ratchetKey: new Uint8Array(32) as RatchetKey }))).toBe('key')
    expect(forge((header) => ({ ...header, ratchetKey: new Uint8Array(32).fill(0xff) as RatchetKey }))).toBe('key')
    const own = (bob: End) => bob.state.own?.key ?? expect.fail('a responder has a key')
    expect(forge((header, bob) => ({ ...header, ratchetKey: own(bob) }))).toBe('key')
  })

  test('a new chain with the ratchet key of the one before is refused', () => {
    const { alice, bob } = talking()
    alice.send()
    const { sending } = alice.state
    if (sending === undefined) expect.fail('there is a chain')
    const ratchetKey = bob.state.own === undefined ? expect.fail('bob has sent') : alice.state.own?.key
    bob.receive(alice.send())
    bob.send()
    const header = { ratchetKey: ratchetKey ?? expect.fail('alice has sent'), previousCount: 2, number: 0 }
    const tools = { crypto: noble, random }
    const forged = sealedHeader.seal(header, bob.state.nextReceivingHeaderKey, tools)
    expect(bob.refuses({ header: forged, body: noData })).toBe('key')
  })

  test('numbers beyond the end that a chain announced, or beyond 32 bits, are refused', () => {
    const { alice, bob } = talking()
    alice.send()
    const chain = alice.state.sending ?? expect.fail('there is a chain')
    bob.receive(alice.send())
    alice.receive(bob.send())
    bob.receive(alice.send())
    const tools = { crypto: noble, random }
    const header = { ratchetKey: random(32) as RatchetKey, previousCount: 0, number: 2 }
    expect(bob.refuses({ header: sealedHeader.seal(header, chain.headerKey, tools), body: noData })).toBe('malformed')
    const current = alice.state.sending ?? expect.fail('there is a chain')
    const last = { ...header, number: 0xffff_ffff }
    const [newest, ...older] = bob.state.receiving
    bob.state = { ...bob.state, receiving: [{ ...(newest ?? expect.fail('a chain')), next: 0xffff_ffff }, ...older] }
    expect(bob.refuses({ header: sealedHeader.seal(last, current.headerKey, tools), body: noData })).toBe('limit')
    alice.state = { ...alice.state, sending: { ...current, next: 0xffff_ffff } }
    expect(refusal(() => alice.send())).toBe('limit')
  })

  test('message keys are wiped once used', () => {
    const { alice, bob } = talking()
    const kept: MessageKey[] = []
    const keep =
      (cipher: BodyCipher): BodyCipher =>
      (key, header) => {
        kept.push(key)
        return cipher(key, header)
      }
    const sent = ratchetEncrypt(suite, alice.state, keep(seal), { now: start, random })
    const { body, sealedHeader: header } = sent
    ratchetDecrypt(suite, bob.state, header, keep(openWith(body)), { now: start })
    expect(refusal(() => ratchetDecrypt(suite, bob.state, header, keep(openWith(header)), { now: start }))).toBe(
      'authentication',
    )
    expect(kept.map((key) => toHex(key))).toEqual(Array.from({ length: 3 }, () => '00'.repeat(32)))
  })
})

describe('headers', () => {
  const header = { ratchetKey: random(32) as RatchetKey, previousCount: 70_000, number: 3 }
  const key = random(32) as HeaderKey

  test('open under their key only, and have one length', () => {
    const sealed = sealedHeader.seal(header, key, { crypto: noble, random })
    expect(sealed).toHaveLength(sealedHeaderBytes)
    expect(sealedHeader.open(sealed, key, noble)).toEqual(header)
    expect(sealedHeader.open(sealed, random(32) as HeaderKey, noble)).toBeNull()
    expect(sealedHeader.open(sealed.subarray(0, 40), key, noble)).toBeNull()
    expect(sealedHeader.seal({ ...header, number: 0xffff_fffe }, key, { crypto: noble, random })).toHaveLength(81)
  })

  test('the fields of the KEM step have their place and are refused by this version', () => {
    const sealPlain = (plain: Uint8Array) => {
      const nonce = random(24)
      return Uint8Array.of(...nonce, ...noble.xchacha20poly1305Seal(key, nonce, plain, noData))
    }
    const plain = Uint8Array.of(0, ...header.ratchetKey, 0, 0, 0, 0, 0, 0, 0, 3)
    expect(sealedHeader.open(sealPlain(plain), key, noble)).toEqual({ ...header, previousCount: 0 })
    const withKem = [plain.with(0, 1), Uint8Array.of(...plain.with(0, 2), ...new Uint8Array(1_184))]
    for (const other of withKem) expect(refusal(() => sealedHeader.open(sealPlain(other), key, noble))).toBe('version')
    expect(refusal(() => sealedHeader.open(sealPlain(plain.subarray(1)), key, noble))).not.toBe('accepted')
    expect(refusal(() => sealedHeader.open(sealPlain(Uint8Array.of(...plain, 0)), key, noble))).toBe('malformed')
  })

  test('a failure of the provider itself is not taken for a foreign header', () => {
    const broken = {
      ...noble,
      xchacha20poly1305Open: () => {
        throw new ProtocolError('key', 'broken')
      },
    }
    expect(refusal(() => sealedHeader.open(new Uint8Array(81), key, broken))).toBe('key')
  })
})

test('labels separate suites', () => {
  const { alice, bob } = talking()
  const other = { ...suite, rootLabel: encodeUtf8('Other_root') }
  const { sealedHeader: header, body } = ratchetEncrypt(other, alice.state, seal, { now: start, random })
  expect(bob.refuses({ header, body })).toBe('authentication')
})
