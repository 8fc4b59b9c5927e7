import { noSalt, type CryptoProvider } from '../crypto/provider.ts'
import { noble } from '../crypto/noble-provider.ts'
import { fromBase64Url, toBase64Url } from '../wire/bytes.ts'
import { encodeCanonical } from '../wire/cbor.ts'
import { array, bytes, multiaddr, nested, struct, versioned } from '../wire/codec.ts'
import { ProtocolError } from '../wire/error.ts'
import { maxAddressesPerRelay, maxAddressLength, maxRelaysPerAccount } from '../wire/limits.ts'

const invite = versioned(
  'invite',
  1,
  struct('invite', {
    /** Who invites. */
    accountId: [1, bytes(32)],
    /** Head of the inviter's account log: a relay cannot answer with an older one. */
    head: [2, bytes(32)],
    relays: [
      3,
      array(
        nested(
          struct('invite-relay', {
            relayKey: [0, bytes(32)],
            addresses: [1, array(multiaddr(maxAddressLength), maxAddressesPerRelay, 1)],
            mailboxId: [2, bytes(32)],
          }),
        ),
        maxRelaysPerAccount,
        1,
      ),
    ],
    /** Random, for this invite alone. */
    secret: [4, bytes(32)],
  }),
)

/** Everything a stranger needs to write first. Travels in the URL fragment only, which browsers send to no server. */
export type Invite = ReturnType<typeof invite.decode>

/** 24,576 characters: more than the largest invite with every address at its limit. */
const maxFragmentLength = 24_576

/** Envelopes that the lane of an invite takes: a first conversation, and no use as a free mailbox. */
export const inviteLaneEnvelopes = 20

/** The fragment of an invite link: base64url of the canonical CBOR. @throws ProtocolError `malformed` or `limit`. */
export const encodeInvite = (value: Invite): string => toBase64Url(invite.encode(value))

/**
 * Reads a fragment (without `#`). Every invite has exactly one text.
 * @throws ProtocolError `malformed`, `limit` or `version`.
 */
export const decodeInvite = (fragment: string): Invite => {
  if (fragment.length > maxFragmentLength) throw new ProtocolError('limit', 'invite: longer than any invite')
  return invite.decode(fromBase64Url(fragment))
}

const derive = (secret: Uint8Array, info: Uint8Array, crypto: CryptoProvider): Uint8Array =>
  crypto.hkdfSha256(secret, noSalt, info, 32)

/** 32 bytes: the lane that an invite's secret (32 bytes) opens at one mailbox (ids 32 bytes each), by HKDF-SHA256. */
export const inviteLane = (
  secret: Uint8Array,
  relayKey: Uint8Array,
  mailboxId: Uint8Array,
  crypto: CryptoProvider = noble,
): Uint8Array => derive(secret, encodeCanonical(['Sotto_invite_lane', relayKey, mailboxId]), crypto)

/**
 * 32 bytes: HMAC-SHA256 that shows knowledge of the secret and names who shows it, so that a proof seen by anybody else is
 * of no use to them. Carried inside the first sealed body; compare with `equalBytes`.
 */
export const inviteProof = (
  secret: Uint8Array,
  initiatorAccountId: Uint8Array,
  crypto: CryptoProvider = noble,
): Uint8Array =>
  crypto.hmacSha256(
    derive(secret, encodeCanonical(['Sotto_invite_proof']), crypto),
    encodeCanonical([initiatorAccountId]),
  )
