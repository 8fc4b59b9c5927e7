import type { CryptoProvider } from '../crypto/provider.ts'
import { noble } from '../crypto/noble-provider.ts'
import { compareBytes } from '../wire/bytes.ts'
import { encodeCanonical } from '../wire/cbor.ts'
import {
  array,
  bytes,
  bytesUpTo,
  multiaddr,
  nested,
  optional,
  refine,
  struct,
  text,
  uint,
  versioned,
} from '../wire/codec.ts'
import { ProtocolError } from '../wire/error.ts'
import {
  maxAddressesPerRelay,
  maxAddressLength,
  maxDevicesPerAccount,
  maxLogBytes,
  maxNameLength,
  maxRelaysPerAccount,
} from '../wire/limits.ts'
import { bodyCodes, bodyFrame, fromBodyFrame, toBodyFrame, type ContentBody } from './body.ts'
import { cleanName } from './name.ts'

/** A display name; always as `cleanName` leaves it, whatever the sender wrote. Empty: the sender gave none. */
const profile = struct('profile', { name: [0, text(maxNameLength)] })
type Profile = ReturnType<typeof profile.decode>

/** Where the recipient of this content may deposit for the sender's devices: all of them, replacing earlier ones. */
const contentLanes = struct('lanes', {
  lanes: [
    0,
    array(
      nested(
        struct('lane', {
          /** Ed25519 peer key of the relay. */
          relayKey: [0, bytes(32)],
          addresses: [1, array(multiaddr(maxAddressLength), maxAddressesPerRelay, 1)],
          mailboxId: [2, bytes(32)],
          /** The capability itself; given to one contact account only. */
          lane: [3, bytes(32)],
        }),
      ),
      maxRelaysPerAccount * maxDevicesPerAccount,
    ),
  ],
})
export type ContentLanes = ReturnType<typeof contentLanes.decode>

/** Accompanies the first body of a handshake. */
const opening = struct('opening', {
  /** The initiator's account log. */
  log: [0, bytesUpTo(maxLogBytes)],
  /** `inviteProof` of the invite that led here. */
  inviteProof: [1, optional(bytes(32))],
})

/** 64 fields that a newer version may add beside the body; an older one ignores them. */
const extension = struct('extension', { code: [0, uint(0xffff)], data: [1, bytesUpTo(4_096)] })

const shape = struct('content', {
  /** Random; the same in every copy and repetition of the message. */
  messageId: [1, bytes(16)],
  /** `conversationIdOf` between two accounts. */
  conversationId: [2, bytes(16)],
  /** Unix milliseconds by the sender's clock. */
  sentAtMs: [3, uint()],
  /** Counts the shown messages of the sender's device in the conversation: 1, 2, 3, …; 0 for what is not shown. */
  sequence: [4, uint()],
  /** Head of the sender's account log. */
  head: [5, bytes(32)],
  /** Unix milliseconds after which the message is gone. */
  expiresAtMs: [6, optional(uint())],
  body: [7, nested(bodyFrame)],
  profile: [8, optional(nested(profile))],
  lanes: [9, optional(nested(contentLanes))],
  opening: [10, optional(nested(opening))],
  extensions: [11, optional(array(nested(extension), 64, 1))],
})
type Frame = ReturnType<typeof shape.decode>

/** What is inside an envelope. */
export type Content = Omit<Frame, 'body'> & { body: ContentBody }

const isChange = (code: number): boolean =>
  code === bodyCodes.edit || code === bodyCodes.deletion || code === bodyCodes.reaction

const checkFrame = ({ body, sequence, profile: name, lanes }: Frame): void => {
  const refuse = (reason: string): never => {
    throw new ProtocolError('malformed', `content: ${reason}`)
  }
  if (body.code === bodyCodes.text && sequence === 0) refuse('a text without its sequence number')
  if (body.code === bodyCodes.receipt && sequence !== 0) refuse('a receipt with a sequence number')
  if (body.code === bodyCodes.repair && sequence !== 0) refuse('a repair with a sequence number')
  if (isChange(body.code) && sequence !== 0) refuse('a change with a sequence number')
  if (body.code === bodyCodes.profile && (name === undefined || sequence !== 0))
    refuse('a profile body without a profile')
  if (body.code === bodyCodes.lanes && (lanes === undefined || sequence !== 0)) refuse('a lanes body without lanes')
}

const codec = versioned('content', 1, refine(shape, checkFrame))

const withCleanName = <T extends { profile?: Profile }>(value: T): T =>
  value.profile === undefined ? value : { ...value, profile: { name: cleanName(value.profile.name) } }

/** @throws ProtocolError `malformed` or `limit` for anything that `decodeContent` would refuse. */
export const encodeContent = (content: Content): Uint8Array => {
  const { body, ...rest } = withCleanName(content)
  return codec.encode({ ...rest, body: toBodyFrame(body) })
}

/**
 * Unknown kinds of body come back as `unknown` and encode again byte for byte; names come back clean.
 * @throws ProtocolError `malformed`, `limit` or `version`.
 */
export const decodeContent = (data: Uint8Array): Content => {
  const { body, ...rest } = codec.decode(data)
  return withCleanName({ ...rest, body: fromBodyFrame(body) })
}

/** 16 bytes, the same for both: SHA-256 over CBOR ["Sotto_conversation", lower account id, higher account id], truncated. */
export const conversationIdOf = (
  accountIdA: Uint8Array,
  accountIdB: Uint8Array,
  crypto: CryptoProvider = noble,
): Uint8Array => {
  const [low, high] = [accountIdA, accountIdB].sort(compareBytes) as [Uint8Array, Uint8Array]
  return crypto.sha256(encodeCanonical(['Sotto_conversation', low, high])).slice(0, 16)
}
