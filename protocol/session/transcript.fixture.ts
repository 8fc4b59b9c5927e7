import { conversationIdOf, encodeContent } from '../content/content.ts'
import { noble } from '../crypto/noble-provider.ts'
import type { CryptoProvider } from '../crypto/provider.ts'
import { inviteProof } from '../envelope/invite.ts'
import { verifyAccountLog } from '../identity/account-log.ts'
import { testTime } from '../identity/account.fixture.ts'
import type { DeviceRecord } from '../identity/device.ts'
import type { PrekeyBundle } from '../identity/prekeys.ts'
import type { Random } from '../wire/brand.ts'
import type { ResponderPrekeys } from './responding-device.ts'
import {
  decryptMessage,
  encodeSession,
  encryptMessage,
  initiateSession,
  respondToHandshake,
  type LocalIdentity,
  type Session,
} from './session.ts'

export type Role = 'initiator' | 'responder'

/** What anybody may know of an account. */
export interface PublicAccount {
  readonly accountId: Uint8Array
  /** Signed; published at the account's relays before and without any conversation. */
  readonly log: Uint8Array
}

export const deviceOf = ({ log }: PublicAccount): DeviceRecord => {
  const [device] = verifyAccountLog(log).devices
  if (device === undefined) throw new Error('an account has a device')
  return device
}

/** One message as the one who keeps the transcript saw it. */
export interface Step {
  readonly by: Role
  readonly envelope: Uint8Array
  readonly plaintext: Uint8Array
  /** The keeper's random bytes of this step; none when the other one spoke. */
  readonly drawn: readonly Uint8Array[]
  /** The keeper's session after the step, with every key in it (`encodeSession`). */
  readonly record: Uint8Array
}

/** Everything that one party has of a conversation. */
export interface Transcript {
  readonly keeper: Role
  readonly generation: number
  /** The keeper's random bytes of the handshake; none for a responder. */
  readonly drawn: readonly Uint8Array[]
  readonly steps: readonly Step[]
}

/** Two parties with all that they need to talk, and what they say. */
export interface Cast {
  readonly initiator: LocalIdentity & PublicAccount
  readonly responder: LocalIdentity & PublicAccount
  /** The responder's, as published and with private halves. */
  readonly bundle: PrekeyBundle
  readonly prekeys: ResponderPrekeys
  /** The responder's invite; who has made it or has been given it knows it. */
  readonly inviteSecret: Uint8Array
  readonly generation: number
  readonly script: readonly (readonly [by: Role, text: string])[]
}

interface Tools {
  readonly random: Random
  readonly crypto?: CryptoProvider
}

/** Keeps what was drawn since it was last asked. */
const recorder = (source: Random): { random: Random; take: () => Uint8Array[] } => {
  let drawn: Uint8Array[] = []
  return {
    random: (length) => {
      const bytes = source(length)
      // A copy, because secrets are wiped once used.
      drawn.push(bytes.slice())
      return bytes
    },
    take: () => drawn.splice(0),
  }
}

const contentOf = ({ initiator, responder, inviteSecret, script }: Cast, index: number, random: Random): Uint8Array => {
  const [by, text] = script[index] as Cast['script'][number]
  const sender = by === 'initiator' ? initiator : responder
  return encodeContent({
    messageId: random(16),
    conversationId: conversationIdOf(initiator.accountId, responder.accountId),
    sentAtMs: testTime + index,
    sequence: script.slice(0, index + 1).filter(([each]) => each === by).length,
    head: sender.head,
    body: { kind: 'text', text },
    ...(by === 'initiator' && {
      opening: { log: sender.log, inviteProof: inviteProof(inviteSecret, sender.accountId) },
    }),
  })
}

/**
 * Plays the script and returns what `keeper` has of it in the end. Real with noble and the secrets of both; a forgery with
 * the provider and the placeholders of `forger.fixture.ts`.
 */
export const converse = (cast: Cast, keeper: Role, { random, crypto = noble }: Tools): Transcript => {
  const { initiator, responder, bundle, prekeys, generation, script } = cast
  const chance = recorder(random)
  const now = testTime
  const tools = { now, random: chance.random, crypto }
  const sessions: Partial<Record<Role, Session>> = {
    initiator: initiateSession({
      local: initiator,
      remoteAccountId: responder.accountId,
      remoteDevice: deviceOf(responder),
      bundle,
      generation,
      ...tools,
    }),
  }
  const opening = chance.take()
  const steps = script.map(([by], index): Step => {
    const plaintext = contentOf(cast, index, random)
    const [from, to] = [sessions[by], by === 'initiator' ? 'responder' : 'initiator'] as const
    if (from === undefined) throw new Error('the initiator speaks first')
    const { session, envelope } = encryptMessage(from, plaintext, tools)
    const drawn = chance.take()
    sessions[by] = session
    const receiver = sessions[to]
    sessions[to] =
      receiver === undefined
        ? respondToHandshake({ local: responder, envelope, prekeys, now, crypto }).session
        : decryptMessage(receiver, envelope, { now, crypto }).session
    const kept = sessions[keeper] as Session
    return { by, envelope, plaintext, drawn: by === keeper ? drawn : [], record: encodeSession(kept) }
  })
  return { keeper, generation, drawn: keeper === 'initiator' ? opening : [], steps }
}
