import { bytesUpTo, nested, oneOf, optional, refine, struct, text, uint } from '../wire/codec.ts'
import { ProtocolError } from '../wire/error.ts'
import { kib } from '../wire/limits.ts'

/**
 * What travels on a relay stream `/sotto/<service>/1`, each frame with an unsigned varint length before it
 * (multiformats unsigned-varint). A client sends requests, each with an id unique on its stream; the relay sends one
 * answer per request, in any order, and pushes (mailbox and prekeys) that belong to no request.
 */

/** 256 KiB: the largest call is a publication of 50 ML-KEM prekeys (about 65 KB) or a push of three full envelopes. */
export const maxFrameBytes = 256 * kib

/** Room for a frame's own map around its payload. */
const maxPayloadBytes = maxFrameBytes - 256

/**
 * Why a relay refuses; the sentence with it names the limit.
 *
 * - `bad-request`: the frame or its parameters are not what the call takes. Repeating it will not help.
 * - `not-owner`: the connection's peer key does not own what it asks for.
 * - `slow-down`: a rate limit; try again after `retryAfterMs`.
 * - `too-large`: over a size limit.
 * - `not-found`: nothing there, or nothing this asker may see.
 * - `stale-head`: the account log does not extend the one already stored.
 * - `overloaded`: short of memory, disk or time; try again after `retryAfterMs`.
 * - `internal`: the relay failed; nothing was promised.
 */
export const refusalCodes = {
  'bad-request': 0,
  'not-owner': 1,
  'slow-down': 2,
  'too-large': 3,
  'not-found': 4,
  'stale-head': 5,
  overloaded: 6,
  internal: 7,
} as const

export type RefusalCode = keyof typeof refusalCodes

export const requestFrame = struct('request', {
  id: [0, uint(0xffff_ffff)],
  method: [1, text(32)],
  params: [2, bytesUpTo(maxPayloadBytes)],
})
export type RequestFrame = ReturnType<typeof requestFrame.decode>

const refusal = struct('refusal', {
  code: [0, oneOf<RefusalCode>(refusalCodes)],
  message: [1, text(200)],
  retryAfterMs: [2, optional(uint())],
})
export type Refusal = ReturnType<typeof refusal.decode>

const reply = struct('reply', {
  id: [0, optional(uint(0xffff_ffff))],
  result: [1, optional(bytesUpTo(maxPayloadBytes))],
  refusal: [2, optional(nested(refusal))],
  push: [3, optional(bytesUpTo(maxPayloadBytes))],
})

/**
 * Exactly one of: an answer (`id`, `result`), a refusal (`id`, `refusal`), a push (`push` alone), or, for a frame from which
 * no id could be read, a refusal alone.
 */
export const replyFrame = refine(reply, ({ id, result, refusal: refused, push }) => {
  const parts = [result, refused, push].filter((part) => part !== undefined)
  const answers = id !== undefined
  if (parts.length !== 1 || (result !== undefined && !answers) || (push !== undefined && answers)) {
    throw new ProtocolError('malformed', 'reply: expected an answer, a refusal or a push')
  }
})
export type ReplyFrame = ReturnType<typeof replyFrame.decode>

/** The answer of a call that has nothing to say but yes: an empty map. */
export const done = struct('done', {})
