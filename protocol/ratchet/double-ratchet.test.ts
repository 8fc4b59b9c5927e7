import { describe, expect, test } from 'vitest'
import { noble } from '../crypto/noble-provider.ts'
import { encodeUtf8, toHex } from '../wire/bytes.ts'
import { ProtocolError } from '../wire/error.ts'
import { dayMs, mailboxRetentionMs } from '../wire/limits.ts'
import { refusal } from '../wire/refusal.fixture.ts'
import { ratchetDecrypt, ratchetEncrypt, type BodyCipher } from './double-ratchet.ts'
import { headerLengthOf, sealedHeader, sealedHeaderBytes, type RatchetHeader } from './header.ts'
import { End, ends, noData, openWith, random, seal, start, talking, withHeader, type Message } from './ends.fixture.ts'
import type { HeaderKey, MessageKey, RatchetKey } from './keys.ts'
import { defaultSuite as suite } from './suite.ts'

const nonce = random(24)
const tools = { crypto: noble, nonce }

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

  test('keys of one chain expire each in its own time', () => {
    const { alice, bob } = talking()
    const messages = alice.sendMany(5)
    bob.receive(at(messages, 1))
    bob.receive(at(messages, 3), start + dayMs)
    expect(bob.skipped).toBe(2)
    bob.receive(at(messages, 4), start + mailboxRetentionMs + 1)
    expect(bob.skipped).toBe(1)
    bob.receive(at(messages, 2), start + mailboxRetentionMs + 1)
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
    const received = { now: start, nonce: message.nonce }
    expect(
      refusal(() => ratchetDecrypt(suite, forged as never, message.header, openWith(message.body), received)),
    ).toBe('foreign')
    bob.receive(message)
  })

  const forge = (change: (header: RatchetHeader, bob: End) => RatchetHeader): string => {
    const { alice, bob } = ends()
    return bob.refuses(withHeader(bob, alice.send(), (header) => change(header, bob)))
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
    const forged = sealedHeader.seal(header, bob.state.nextReceivingHeaderKey, tools)
    expect(bob.refuses({ nonce, header: forged, body: noData })).toBe('key')
  })

  test('numbers beyond the end that a chain announced, or beyond 32 bits, are refused', () => {
    const { alice, bob } = talking()
    alice.send()
    const chain = alice.state.sending ?? expect.fail('there is a chain')
    bob.receive(alice.send())
    alice.receive(bob.send())
    bob.receive(alice.send())
    const header = { ratchetKey: random(32) as RatchetKey, previousCount: 0, number: 2 }
    const refuses = (forged: RatchetHeader, key: HeaderKey) =>
      bob.refuses({ nonce, header: sealedHeader.seal(forged, key, tools), body: noData })
    expect(refuses(header, chain.headerKey)).toBe('malformed')
    const current = alice.state.sending ?? expect.fail('there is a chain')
    const last = { ...header, number: 0xffff_ffff }
    const [newest, ...older] = bob.state.receiving
    bob.state = { ...bob.state, receiving: [{ ...(newest ?? expect.fail('a chain')), next: 0xffff_ffff }, ...older] }
    expect(refuses(last, current.headerKey)).toBe('limit')
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
    const sent = ratchetEncrypt(suite, alice.state, keep(seal), { now: start, random, nonce })
    const { body, sealedHeader: header } = sent
    const received = { now: start, nonce }
    ratchetDecrypt(suite, bob.state, header, keep(openWith(body)), received)
    expect(refusal(() => ratchetDecrypt(suite, bob.state, header, keep(openWith(header)), received))).toBe(
      'authentication',
    )
    expect(kept.map((key) => toHex(key))).toEqual(Array.from({ length: 3 }, () => '00'.repeat(32)))
  })
})

describe('headers', () => {
  const header = { ratchetKey: random(32) as RatchetKey, previousCount: 70_000, number: 3 }
  const key = random(32) as HeaderKey
  const kemCiphertext = random(1_088)
  const kemKey = random(1_184)

  test('open under their key and nonce only', () => {
    const sealed = sealedHeader.seal(header, key, tools)
    expect(sealedHeader.open(sealed, key, tools)).toEqual(header)
    expect(sealedHeader.open(sealed, random(32) as HeaderKey, tools)).toBeNull()
    expect(sealedHeader.open(sealed, key, { ...tools, nonce: random(24) })).toBeNull()
  })

  test('have one length for each set of fields, which tells them', () => {
    const cases = [
      [header, 56],
      [{ ...header, number: 0xffff_fffe }, 56],
      [{ ...header, kemCiphertext }, 1_144],
      [{ ...header, kemKey }, 1_240],
      [{ ...header, kemCiphertext, kemKey }, 2_328],
    ] as const
    for (const [each, length] of cases) {
      const sealed = sealedHeader.seal(each, key, tools)
      expect(sealed).toHaveLength(length)
      expect(sealedHeader.open(sealed, key, tools)).toEqual(each)
    }
    expect([0, 1, 2, 3].map(headerLengthOf)).toEqual([sealedHeaderBytes, 1_144, 1_240, 2_328])
    for (const length of [0, 16, 55, 57, 1_143, 2_329]) {
      expect(refusal(() => sealedHeader.open(new Uint8Array(length), key, tools))).toBe('malformed')
    }
  })

  test('a failure of the provider itself is not taken for a foreign header', () => {
    const broken = {
      ...noble,
      xchacha20poly1305Open: () => {
        throw new ProtocolError('key', 'broken')
      },
    }
    expect(refusal(() => sealedHeader.open(new Uint8Array(56), key, { ...tools, crypto: broken }))).toBe('key')
  })
})

test('labels separate suites', () => {
  for (const other of [{ rootLabel: encodeUtf8('Other_root') }, { kemRootLabel: encodeUtf8('Other_root_kem') }]) {
    const { alice, bob } = ends()
    bob.receive(alice.send())
    // Bob's first answer takes the KEM step, Alice's next chain is an ordinary one.
    const isKem = 'kemRootLabel' in other
    if (!isKem) alice.receive(bob.send())
    const [sender, receiver] = isKem ? [bob, alice] : [alice, bob]
    const drawn = { now: start, random, nonce }
    const { sealedHeader: header, body } = ratchetEncrypt({ ...suite, ...other }, sender.state, seal, drawn)
    expect(receiver.refuses({ nonce, header, body })).toBe('authentication')
  }
})
