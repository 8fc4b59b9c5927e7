import { maxHandshakeBytes } from '../envelope/envelope.ts'
import { handshakeMessage } from '../handshake/handshake-message.ts'
import { ratchetState } from '../ratchet/state.ts'
import { boolean, bytes, bytesUpTo, nested, oneOf, optional, refine, struct, uint, versioned } from '../wire/codec.ts'
import { ProtocolError } from '../wire/error.ts'

const shape = struct('session', {
  sessionId: [1, bytes(16)],
  role: [2, oneOf({ initiator: 0, responder: 1 })],
  generation: [3, uint()],
  remoteAccountId: [4, bytes(32)],
  remoteDeviceId: [5, bytes(16)],
  confirmed: [6, boolean],
  handshakeTag: [7, bytes(32)],
  createdAtMs: [8, uint()],
  associatedData: [9, bytes(32)],
  sendingSignalKey: [10, bytes(32)],
  receivingSignalKey: [11, bytes(32)],
  handshake: [12, optional(bytesUpTo(maxHandshakeBytes, 1))],
  ratchet: [13, nested(ratchetState)],
})

/** The stored form of a session; the vault seals it. */
export const sessionRecord = versioned(
  'session',
  2,
  refine(shape, ({ role, confirmed, handshake }) => {
    if ((role === 'initiator' && !confirmed) !== (handshake !== undefined)) {
      throw new ProtocolError(
        'malformed',
        'session: an initiator keeps its handshake until the first reply, and no longer',
      )
    }
    if (handshake !== undefined) handshakeMessage.decode(handshake)
  }),
)
