import { noble } from '../crypto/noble-provider.ts'
import { profile } from '../crypto/profile.ts'
import type { CryptoProvider } from '../crypto/provider.ts'
import { envelopeId } from '../envelope/envelope.ts'
import { testTime } from '../identity/account.fixture.ts'
import type { PrekeySecret } from '../identity/prekeys.ts'
import type { Random } from '../wire/brand.ts'
import { encodeUtf8, toHex } from '../wire/bytes.ts'
import { seededRandom } from '../wire/random.fixture.ts'
import { initiate, people, respond } from './people.fixture.ts'
import { decryptMessage, encodeSession, encryptMessage, type LocalIdentity, type Session } from './session.ts'
import { sealSignal } from './signal.ts'

/** One step of the example: who sends what, with which random bytes, in the order they were drawn. */
interface ExampleStep {
  readonly by: 'alice' | 'bob'
  readonly plaintext: string
  readonly random: readonly string[]
  readonly envelope: string
  readonly envelopeId: string
}

/** `vectors/sotto-session.json`. All bytes in hexadecimal. */
export interface Example {
  readonly about: string
  readonly now: number
  readonly alice: Record<string, string>
  readonly bob: Record<string, string>
  readonly prekeys: Record<'signed' | 'oneTime' | 'kem', { id: number; kind: string; secret: string; public: string }>
  readonly handshake: { generation: number; random: string[]; derived: Record<string, string>; tag: string }
  readonly session: Record<string, string>
  readonly steps: ExampleStep[]
  readonly signal: { by: 'alice'; kind: string; sentAtMs: number; random: string[]; bytes: string }
  readonly records: { alice: string; bob: string }
}

/** Remembers what was drawn, so that the example can tell. */
const recorder = (seed: number): { random: Random; take: () => string[] } => {
  const source = seededRandom(seed)
  let drawn: string[] = []
  const random: Random = (length) => {
    const bytes = source(length)
    drawn.push(toHex(bytes))
    return bytes
  }
  const take = () => {
    const taken = drawn
    drawn = []
    return taken
  }
  return { random, take }
}

/** Remembers HKDF outputs by the label that their info begins with. */
const derivations = (): { crypto: CryptoProvider; derived: Record<string, string> } => {
  const derived: Record<string, string> = {}
  const labels = Object.values(profile.labels)
  const crypto: CryptoProvider = {
    ...noble,
    hkdfSha256: (ikm, salt, info, length) => {
      const okm = noble.hkdfSha256(ikm, salt, info, length)
      const label = labels.find((each) => toHex(info).startsWith(toHex(encodeUtf8(each))))
      if (label !== undefined) derived[label] ??= toHex(okm)
      return okm
    },
  }
  return { crypto, derived }
}

const identityOf = ({ accountId, head, device }: LocalIdentity): Record<string, string> => ({
  accountId: toHex(accountId),
  head: toHex(head),
  deviceId: toHex(device.deviceId),
  identitySecret: toHex(device.identitySecret),
  identityKey: toHex(device.identityKey),
})

const prekeyOf = ({ id, kind, secret }: PrekeySecret, publicKey: Uint8Array) => ({
  id,
  kind,
  secret: toHex(secret),
  public: toHex(publicKey),
})

const texts: readonly (readonly ['alice' | 'bob', string])[] = [
  ['alice', 'Hello Bob, this is Alice.'],
  ['alice', 'Are you there?'],
  ['bob', 'I am.'],
  ['alice', 'Good. '.repeat(60)],
  ['bob', ''],
]

const converse = (first: Session, who: ReturnType<typeof people>, { random, take }: ReturnType<typeof recorder>) => {
  const now = testTime
  const sessions: Partial<Record<'alice' | 'bob', Session>> = { alice: first }
  const steps = texts.map(([by, plaintext]): ExampleStep => {
    const sender = sessions[by]
    if (sender === undefined) throw new Error('Alice speaks first')
    const { session, envelope } = encryptMessage(sender, encodeUtf8(plaintext), { now, random })
    const to = by === 'alice' ? 'bob' : 'alice'
    const receiver = sessions[to]
    sessions[by] = session
    sessions[to] = (
      receiver === undefined ? respond(who, envelope) : decryptMessage(receiver, envelope, { now })
    ).session
    return { by, plaintext, random: take(), envelope: toHex(envelope), envelopeId: toHex(envelopeId(envelope)) }
  })
  const { alice = first, bob = first } = sessions
  return { steps, alice, bob }
}

/** The example, computed anew. The same every time. */
export const example = (): Example => {
  const { crypto, derived } = derivations()
  const chance = recorder(2_026)
  const who = { ...people(70), random: chance.random, crypto }
  const { bundle, prekeys } = who
  const started = initiate(who)
  const handshakeRandom = chance.take()
  const { steps, alice, bob } = converse(started, who, chance)
  const signal = sealSignal(alice, { kind: 'typing', active: true }, { now: testTime, random: chance.random })
  const { oneTimePrekey = bundle.signedPrekey } = bundle
  return {
    about:
      'A session of Sotto/2 with every secret in it; protocol/spec tells how each value comes about. Bytes in hexadecimal.',
    now: testTime,
    alice: identityOf(who.alice),
    bob: identityOf(who.bob),
    prekeys: {
      signed: prekeyOf(prekeys.signed, bundle.signedPrekey.key),
      oneTime: prekeyOf(prekeys.oneTime ?? prekeys.signed, oneTimePrekey.key),
      kem: prekeyOf(prekeys.kem, bundle.kemPrekey.key),
    },
    handshake: { generation: 7, random: handshakeRandom, derived: { ...derived }, tag: toHex(started.handshakeTag) },
    session: {
      sessionId: toHex(started.sessionId),
      associatedData: toHex(started.associatedData),
      initiatorSignalKey: toHex(started.sendingSignalKey),
      responderSignalKey: toHex(started.receivingSignalKey),
    },
    steps,
    signal: { by: 'alice', kind: 'typing', sentAtMs: testTime, random: chance.take(), bytes: toHex(signal) },
    records: { alice: toHex(encodeSession(alice)), bob: toHex(encodeSession(bob)) },
  }
}
