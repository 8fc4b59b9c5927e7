import { describe, expect, test } from 'vitest'
import { noble } from '../crypto/noble-provider.ts'
import { pad } from '../envelope/padding.ts'
import { testTime } from '../identity/account.fixture.ts'
import { concatBytes } from '../wire/bytes.ts'
import { encodeCanonical, type CborValue } from '../wire/codec.ts'
import { refusalInFull } from '../wire/refusal.fixture.ts'
import { seededRandom } from '../wire/random.fixture.ts'
import { introduced, people } from './people.fixture.ts'
import { encodeSession, type Session } from './session.ts'
import { openSignal, sealSignal, signalLifetimeMs, type Signal } from './signal.ts'

const now = testTime
const random = seededRandom(7)
const { alice, bob } = introduced(people(60))

/** A signal as a later version might send it. */
const sealBytes = (session: Session, value: CborValue, length: number) => {
  const nonce = random(24)
  const padded = pad(encodeCanonical(value), length)
  return concatBytes(
    nonce,
    noble.xchacha20poly1305Seal(session.sendingSignalKey, nonce, padded, session.associatedData),
  )
}

describe('signals', () => {
  const signals: Signal[] = [
    { kind: 'hello' },
    { kind: 'hello-reply' },
    { kind: 'typing', active: true },
    { kind: 'typing', active: false },
    { kind: 'presence', state: 'online' },
    { kind: 'presence', state: 'away' },
    { kind: 'presence', state: 'untold' },
  ]
  test.each(signals)('%o arrives, in 72 bytes, and moves no ratchet', (signal) => {
    const before = encodeSession(alice)
    const sealed = sealSignal(alice, signal, { now, random })
    expect(sealed).toHaveLength(72)
    expect(openSignal(bob, sealed, { now })).toEqual({ signal, nonce: sealed.slice(0, 24) })
    expect(encodeSession(alice)).toEqual(before)
  })

  test('only the other side of the same session opens it', () => {
    const sealed = sealSignal(alice, { kind: 'hello' }, { now, random })
    expect(openSignal(alice, sealed, { now })).toBeNull()
    expect(openSignal(introduced(people(61)).bob, sealed, { now })).toBeNull()
    expect(openSignal({ ...bob, associatedData: new Uint8Array(32) }, sealed, { now })).toBeNull()
    sealed.forEach((byte, at) => {
      expect(openSignal(bob, sealed.with(at, byte ^ 1), { now })).toBeNull()
      expect(openSignal(bob, sealed.subarray(0, at), { now })).toBeNull()
    })
    expect(openSignal(bob, new Uint8Array(513), { now })).toBeNull()
  })

  test('ten seconds, into the past and the future', () => {
    const sealed = sealSignal(alice, { kind: 'hello' }, { now, random })
    for (const age of [-signalLifetimeMs, signalLifetimeMs])
      expect(openSignal(bob, sealed, { now: now + age })).not.toBeNull()
    for (const age of [-signalLifetimeMs - 1, signalLifetimeMs + 1]) {
      expect(openSignal(bob, sealed, { now: now + age })).toBeNull()
    }
  })

  test('codes of later versions are unknown, not errors; they cannot be sent', () => {
    const later = sealBytes(
      alice,
      new Map<number, CborValue>([
        [0, now],
        [1, 900],
        [2, new Uint8Array(60)],
      ]),
      128,
    )
    expect(openSignal(bob, later, { now })?.signal).toEqual({ kind: 'unknown' })
    expect(openSignal(bob, sealBytes(alice, [1], 32), { now })).toBeNull()
    const unsent = 'malformed: signal: an unknown signal cannot be sent'
    expect(refusalInFull(() => sealSignal(alice, { kind: 'unknown' }, { now, random }))).toBe(unsent)
  })

  test('kinds are numbers on the wire: none changes', () => {
    const kinds = [0, 1, 2, 3, 4, 5, 6, 7].map((code) => {
      const body = new Map([
        [0, now],
        [1, code],
      ])
      return openSignal(bob, sealBytes(alice, body, 32), { now })?.signal
    })
    expect(kinds).toEqual([...signals, { kind: 'unknown' }])
  })

  test('512 bytes are the longest that is looked at', () => {
    const body = new Map<number, CborValue>([
      [0, now],
      [1, 0],
    ])
    expect(openSignal(bob, sealBytes(alice, body, 472), { now })?.signal).toEqual({ kind: 'hello' })
    expect(openSignal(bob, sealBytes(alice, body, 473), { now })).toBeNull()
  })

  test('is sealed and opened with the primitives given; their own failures are not taken for a foreign signal', () => {
    const fail = (): never => {
      throw new Error('broken')
    }
    const crypto = { ...noble, xchacha20poly1305Seal: fail, xchacha20poly1305Open: fail }
    expect(() => sealSignal(alice, { kind: 'hello' }, { now, random, crypto })).toThrow('broken')
    const sealed = sealSignal(alice, { kind: 'hello' }, { now, random })
    expect(() => openSignal(bob, sealed, { now, crypto })).toThrow('broken')
  })

  test('a time that no clock shows is not sent', () => {
    const sealed = () => sealSignal(alice, { kind: 'hello' }, { now: -1, random })
    expect(refusalInFull(sealed)).toBe('malformed: signal.sentAtMs: expected an unsigned integer')
  })
})
