import { array, boolean, bytesUpTo, nested, optional, struct, uint } from '../../protocol/wire/codec.ts'
import { ProtocolError } from '../../protocol/wire/error.ts'
import { kib, maxEnvelopeBytes } from '../../protocol/wire/limits.ts'

/** The protocol of a direct link between a courier (who dials) and a home host; see protocol/spec/link.md. */
export const linkProtocol = '/sotto/link/1'

/** A sealed signal is a few dozen bytes with its padding; 1 KiB leaves room for kinds to come. */
const maxSignalBytes = kib

/** Envelopes that may be under way unacknowledged, per direction. */
export const linkWindowEnvelopes = 64
/** And their bytes: WebRTC streams have no read back-pressure and abort at 4 MB unread. */
export const linkWindowBytes = 1024 * kib

/** A frame is an envelope with a little around it. */
export const maxLinkFrameBytes = maxEnvelopeBytes + 64

/** `number`: 1, 2, 3, … per direction of a link. */
const numberedEnvelope = struct('link-envelope', {
  number: [0, uint(0xffff_ffff)],
  envelope: [1, bytesUpTo(maxEnvelopeBytes, 1)],
})

const frame = struct('link', {
  /** A sealed signal: the first one of each side is its hello. */
  signal: [0, optional(bytesUpTo(maxSignalBytes, 1))],
  envelope: [1, optional(nested(numberedEnvelope))],
  /** Numbers of envelopes the receiver wants nothing more of. */
  ack: [2, optional(array(uint(0xffff_ffff), linkWindowEnvelopes))],
  /** Numbers of envelopes the receiver could not take now; they have to come another way or later. */
  refuse: [3, optional(array(uint(0xffff_ffff), linkWindowEnvelopes))],
  /** Asks for a sign of life; `pong` answers. */
  ping: [4, optional(boolean)],
  pong: [5, optional(boolean)],
  /** The sender leaves; nothing more comes. */
  bye: [6, optional(boolean)],
})
export type LinkFrame = ReturnType<typeof frame.decode>

/** Encodes a frame; exactly one field may be set. @throws ProtocolError `malformed` or `limit`. */
export const encodeLinkFrame = (value: LinkFrame): Uint8Array => frame.encode(onlyOne(value))

/** Decodes a frame. @throws ProtocolError `malformed` (also when not exactly one field is set) or `limit`. */
export const decodeLinkFrame = (data: Uint8Array): LinkFrame => onlyOne(frame.decode(data))

const onlyOne = (value: LinkFrame): LinkFrame => {
  if (Object.keys(value).length !== 1) throw new ProtocolError('malformed', 'link: expected exactly one field')
  return value
}
