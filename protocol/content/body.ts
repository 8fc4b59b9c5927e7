import {
  array,
  boolean,
  bytes,
  bytesUpTo,
  nested,
  optional,
  refine,
  struct,
  text as shortText,
  uint,
  utf8,
  type StructCodec,
} from '../wire/codec.ts'
import { ProtocolError } from '../wire/error.ts'
import { maxEnvelopeBytes, maxIdsPerCall, maxTextBytes } from '../wire/limits.ts'

/**
 * What a content says. `profile` and `lanes` only announce what stands beside the body. `unknown` is a kind of a newer
 * version: kept byte for byte and shown as "update needed", never dropped.
 */
export type ContentBody =
  /** `replyTo`: the message that is answered; the quotation itself is nowhere but in that message. */
  | { kind: 'text'; text: string; replyTo?: ContentReference }
  /** Message ids, 16 bytes each; `read` implies delivered. */
  | { kind: 'receipt'; delivered: Uint8Array[]; read: Uint8Array[] }
  | { kind: 'profile' }
  | { kind: 'lanes' }
  /** Ids of envelopes that did not open here, 16 bytes each: what was in them is asked for again. */
  | { kind: 'repair'; envelopeIds: Uint8Array[] }
  /**
   * The sender's own message says this now. `revision`: 1 for the first edit of a message, then ascending; the highest counts,
   * in whatever order they come.
   */
  | { kind: 'edit'; messageId: Uint8Array; revision: number; text: string }
  /** The sender's own message is gone, with all that was said by and to it. Nothing undoes that. */
  | { kind: 'deletion'; messageId: Uint8Array }
  /** What the sender thinks of a message; empty: nothing any more. `revision` counts per message and sender. */
  | { kind: 'reaction'; target: ContentReference; revision: number; emoji: string }
  | { kind: 'unknown'; code: number; raw: Uint8Array }

type Known = Exclude<ContentBody, { kind: 'unknown' }>

/** What is said of a message after it was sent. */
export type Change = Extract<ContentBody, { kind: 'edit' | 'deletion' | 'reaction' }>

export const isChange = (body: ContentBody): body is Change =>
  body.kind === 'edit' || body.kind === 'deletion' || body.kind === 'reaction'

/** The number of each kind on the wire. */
export const bodyCodes = {
  text: 0,
  receipt: 1,
  profile: 2,
  lanes: 3,
  repair: 4,
  edit: 5,
  deletion: 6,
  reaction: 7,
} as const satisfies Record<Known['kind'], number>

/** A body on the wire: its kind's number and the kind's own struct as bytes, which an older version can carry unread. */
export const bodyFrame = struct('body', { code: [0, uint(0xffff)], raw: [1, bytesUpTo(maxEnvelopeBytes)] })
export type BodyFrame = ReturnType<typeof bodyFrame.decode>

/**
 * A message of the conversation. Ids are chosen by whoever writes, so the side belongs to the name: `bySender`, whether whoever
 * refers to it has written it, too.
 */
const reference = struct('reference', { messageId: [0, bytes(16)], bySender: [1, boolean] })
type ContentReference = ReturnType<typeof reference.decode>

const text = struct('text', { text: [0, utf8(maxTextBytes)], replyTo: [1, optional(nested(reference))] })

const messageIds = array(bytes(16), maxIdsPerCall)
const receipt = refine(
  struct('receipt', { delivered: [0, messageIds], read: [1, messageIds] }),
  ({ delivered, read }) => {
    if (delivered.length + read.length === 0) throw new ProtocolError('malformed', 'receipt: names no message')
  },
)

/** 200 ids, about 3.4 KB: as many as a receipt names, in a small envelope; whoever misses more asks again. */
export const maxRepairIds = 200

const repair = struct('repair', { envelopeIds: [0, array(bytes(16), maxRepairIds, 1)] })

/** 2^31: nobody changes their mind so often, and there is always a next number. 0 is never newer than what is there. */
const revision = uint(2 ** 31)
const edit = struct('edit', { messageId: [0, bytes(16)], revision: [1, revision], text: [2, utf8(maxTextBytes)] })
const deletion = struct('deletion', { messageId: [0, bytes(16)] })

/** 32 UTF-16 code units: the longest emoji (two people, skin tones, joined) has 15. What is no emoji is not shown. */
export const maxEmojiLength = 32
const reaction = struct('reaction', {
  target: [0, nested(reference)],
  revision: [1, revision],
  emoji: [2, shortText(maxEmojiLength)],
})

/** Kinds that only announce what stands beside the body. */
const announcement = struct('announcement', {})

const frame = <T>(kind: Known['kind'], codec: StructCodec<T>, value: T): BodyFrame => ({
  code: bodyCodes[kind],
  raw: codec.encode(value),
})

/** @throws ProtocolError `malformed` or `limit`, also for an `unknown` body with the number of a known kind. */
export const toBodyFrame = (body: ContentBody): BodyFrame => {
  switch (body.kind) {
    case 'text':
      return frame(body.kind, text, body)
    case 'receipt':
      return frame(body.kind, receipt, body)
    case 'repair':
      return frame(body.kind, repair, body)
    case 'edit':
      return frame(body.kind, edit, body)
    case 'deletion':
      return frame(body.kind, deletion, body)
    case 'reaction':
      return frame(body.kind, reaction, body)
    case 'profile':
    case 'lanes':
      return frame(body.kind, announcement, {})
    case 'unknown':
      if (isKnown(body.code)) throw new ProtocolError('malformed', 'body: a known kind as unknown')
      return { code: body.code, raw: body.raw }
  }
}

const isKnown = (code: number): boolean => Object.values<number>(bodyCodes).includes(code)

/** @throws ProtocolError `malformed` or `limit` when a known kind does not hold its struct. */
export const fromBodyFrame = ({ code, raw }: BodyFrame): ContentBody => {
  switch (code) {
    case bodyCodes.text:
      return { kind: 'text', ...text.decode(raw) }
    case bodyCodes.receipt:
      return { kind: 'receipt', ...receipt.decode(raw) }
    case bodyCodes.profile:
      announcement.decode(raw)
      return { kind: 'profile' }
    case bodyCodes.lanes:
      announcement.decode(raw)
      return { kind: 'lanes' }
    case bodyCodes.repair:
      return { kind: 'repair', ...repair.decode(raw) }
    case bodyCodes.edit:
      return { kind: 'edit', ...edit.decode(raw) }
    case bodyCodes.deletion:
      return { kind: 'deletion', ...deletion.decode(raw) }
    case bodyCodes.reaction:
      return { kind: 'reaction', ...reaction.decode(raw) }
    default:
      return { kind: 'unknown', code, raw }
  }
}
