import { describe, expect, test } from 'vitest'
import { decodeContent } from '../content/content.ts'
import { noble } from '../crypto/noble-provider.ts'
import type { CryptoProvider } from '../crypto/provider.ts'
import { testAccount, testBundle, testTime } from '../identity/account.fixture.ts'
import { encodeUtf8, equalBytes } from '../wire/bytes.ts'
import { refusal } from '../wire/refusal.fixture.ts'
import { seededRandom } from '../wire/random.fixture.ts'
import { converse, deviceOf, type Cast, type Role, type Step, type Transcript } from './transcript.fixture.ts'
import { forgeAsInitiator, forgeAsResponder } from './forger.fixture.ts'
import { judge, verdict, type Evidence } from './judge.fixture.ts'
import { localOf } from './people.fixture.ts'
import { decodeSession, encryptMessage, initiateSession, readEnvelope, respondToHandshake } from './session.ts'
import { openSignal, sealSignal } from './signal.ts'

const person = (seed: number) => {
  const account = testAccount(seed)
  return { ...localOf(account), log: account.log }
}

const alice = person(1)
const bob = person(1_001)
const { bundle, secrets: prekeys } = testBundle(testAccount(1_001))

const setting: Omit<Cast, 'initiator' | 'responder' | 'prekeys'> = {
  bundle,
  inviteSecret: seededRandom(5)(32),
  generation: 7,
  script: [
    ['initiator', 'Here are the papers.'],
    ['initiator', 'Did you get them?'],
    ['responder', 'I did.'],
    ['initiator', 'Burn them.'],
    ['responder', 'They are ashes.'],
    ['responder', 'And you?'],
    ['initiator', 'I was never here. '.repeat(30)],
  ],
}
const cast: Cast = { ...setting, initiator: alice, responder: bob, prekeys }
const publicly = ({ accountId, log }: typeof alice) => ({ accountId, log })

/** What each of them lays before the judge. */
const evidenceOf = (transcript: Transcript): Evidence =>
  transcript.keeper === 'responder'
    ? { keeper: bob, other: publicly(alice), bundle, prekeys, transcript }
    : { keeper: alice, other: publicly(bob), bundle, transcript }

const real = (keeper: Role): Transcript => converse(cast, keeper, { random: seededRandom(10) })

const forged = (keeper: Role): Transcript =>
  keeper === 'responder'
    ? forgeAsResponder(bob, prekeys, publicly(alice), setting, seededRandom(20))
    : forgeAsInitiator(alice, publicly(bob), setting, seededRandom(20))

/** Everything about a transcript but the bytes themselves. */
const shapeOf = ({ keeper, generation, drawn, steps }: Transcript) => ({
  keeper,
  generation,
  drawn: drawn.map(({ length }) => length),
  steps: steps.map((step) => ({
    by: step.by,
    kind: readEnvelope(step.envelope).kind,
    envelope: step.envelope.length,
    plaintext: step.plaintext.length,
    drawn: step.drawn.map(({ length }) => length),
    record: step.record.length,
  })),
})

describe.each(['responder', 'initiator'] as const)('a judge who is shown everything that the %s has', (keeper) => {
  test('accepts a forged transcript as it accepts a real one', () => {
    const [truth, forgery] = [real(keeper), forged(keeper)]
    const said = setting.script.map(([by, text]) => `${by}: ${text}`)
    expect(judge(evidenceOf(truth))).toEqual(said)
    expect(judge(evidenceOf(forgery))).toEqual(said)
    expect(shapeOf(forgery)).toEqual(shapeOf(truth))
    // Made anew, not copied: no envelope and no state is the same.
    forgery.steps.forEach(({ envelope, record }, i) => {
      expect(equalBytes(envelope, truth.steps[i]?.envelope ?? envelope)).toBe(false)
      expect(equalBytes(record, truth.steps[i]?.record ?? record)).toBe(false)
    })
  })

  test('refuses one that was altered', () => {
    const transcript = forged(keeper)
    const after = (change: (steps: readonly Step[]) => readonly Step[]) =>
      verdict(evidenceOf({ ...transcript, steps: change(transcript.steps) }))
    const flip = (bytes: Uint8Array) => bytes.with(bytes.length - 20, (bytes.at(-20) as number) ^ 1)
    const alterations: readonly ((step: Step) => Step)[] = [
      (step) => ({ ...step, envelope: flip(step.envelope) }),
      (step) => ({ ...step, plaintext: flip(step.plaintext) }),
      (step) => ({ ...step, record: flip(step.record) }),
    ]
    transcript.steps.forEach((step, i) => {
      const alter = alterations[i % alterations.length] ?? expect.fail('one of three')
      expect(after((steps) => steps.with(i, alter(step)))).toBe('refused')
    })
    expect(after((steps) => steps.map((step) => ({ ...step, drawn: [] })))).toBe('refused')
    expect(after((steps) => steps.toSpliced(2, 1))).toBe('refused')
    expect(after(([first, second, ...others]) => [second, first, ...others] as Step[])).toBe('refused')
    expect(after((steps) => steps)).toBe('accepted')
  })

  test('refuses it when it is said to be of somebody else', () => {
    expect(verdict({ ...evidenceOf(forged(keeper)), other: publicly(person(77)) })).toBe('refused')
  })
})

describe('what the forgery rests on', () => {
  test('the secrets of one of the two: a stranger comes to no first message', () => {
    const random = seededRandom(30)
    const made = { ...prekeys, signed: { ...prekeys.signed, secret: random(32) } }
    expect(() => forgeAsResponder(bob, made, publicly(alice), setting, random)).toThrow(/holds neither end/)

    const madeUp: CryptoProvider = {
      ...noble,
      x25519: (secret, key) => (equalBytes(secret, unknown) ? random(32) : noble.x25519(secret, key)),
    }
    const unknown = random(32)
    const session = initiateSession({
      local: { ...alice, device: { ...alice.device, deviceSeed: unknown, identitySecret: unknown } },
      remoteAccountId: bob.accountId,
      remoteDevice: deviceOf(bob),
      bundle,
      generation: 7,
      now: testTime,
      random,
      crypto: madeUp,
    })
    const { envelope } = encryptMessage(session, encodeUtf8('in her name'), { now: testTime, random })
    expect(refusal(() => respondToHandshake({ local: bob, envelope, prekeys, now: testTime }))).toBe('foreign')
  })

  test('no signature: neither side signs anything from the handshake to the last message', () => {
    const called = { signatures: 0, agreements: 0 }
    const crypto: CryptoProvider = {
      ...noble,
      ed25519Sign: (...given) => {
        called.signatures++
        return noble.ed25519Sign(...given)
      },
      x25519: (...given) => {
        called.agreements++
        return noble.x25519(...given)
      },
    }
    converse(cast, 'responder', { random: seededRandom(10), crypto })
    expect(called.signatures).toBe(0)
    expect(called.agreements).toBeGreaterThan(setting.script.length)
  })

  test('signals can be made by either side in the name of the other', () => {
    const last = real('responder').steps.at(-1) ?? expect.fail('a step')
    const his = decodeSession(last.record)
    const tools = { now: testTime, random: seededRandom(40) }
    const inHerName = sealSignal({ ...his, sendingSignalKey: his.receivingSignalKey }, { kind: 'hello' }, tools)
    expect(openSignal(his, inHerName, tools)?.signal).toEqual({ kind: 'hello' })
  })

  test('the log in a first message is signed, but it is the published one, older than every conversation', () => {
    const logs = real('responder').steps.flatMap(({ plaintext }) => decodeContent(plaintext).opening?.log ?? [])
    expect(logs.length).toBeGreaterThan(0)
    for (const log of logs) expect(log).toEqual(alice.log)
  })

  test('a format with a signature of the sender could not be forged', () => {
    const sign = ({ steps }: Transcript, seed: Uint8Array) =>
      steps.map(({ envelope }) => noble.ed25519Sign(seed, envelope))
    const isSigned = ({ steps }: Transcript, signatures: readonly Uint8Array[]) =>
      steps.every(({ by, envelope }, i) => {
        const signature = signatures[i] ?? new Uint8Array(64)
        return by === 'responder' || noble.ed25519Verify(signature, envelope, deviceOf(alice).deviceKey)
      })
    const [truth, forgery] = [real('responder'), forged('responder')]
    const hers = sign(truth, alice.device.deviceSeed)
    expect(isSigned(truth, hers)).toBe(true)
    // His own signatures, hers from elsewhere, none: all that the forger has.
    for (const his of [sign(forgery, bob.device.deviceSeed), hers, []]) expect(isSigned(forgery, his)).toBe(false)
  })
})
