import type { CryptoProvider } from '../crypto/provider.ts'
import type { RespondingDevice } from '../handshake/pqxdh.ts'
import type { PublicPrekey } from '../handshake/transcript.ts'
import type { DeviceSecrets } from '../identity/device.ts'
import type { PrekeyKind, PrekeySecret } from '../identity/prekeys.ts'
import { ProtocolError } from '../wire/error.ts'

/** Private halves of the prekeys that a handshake names. */
export interface ResponderPrekeys {
  readonly signed: PrekeySecret
  readonly oneTime?: PrekeySecret
  /** One-time or last-resort. */
  readonly kem: PrekeySecret
}

const requireKind = ({ kind }: PrekeySecret, ...allowed: readonly PrekeyKind[]): void => {
  if (!allowed.includes(kind))
    throw new ProtocolError('unknown-prekey', `prekey of kind ${kind} stands in another's place`)
}

/** This device as the handshake wants it: public halves are computed, not trusted from a store. */
export const respondingDevice = (
  crypto: CryptoProvider,
  { accountId, device }: { readonly accountId: Uint8Array; readonly device: DeviceSecrets },
  { signed, oneTime, kem }: ResponderPrekeys,
): RespondingDevice => {
  requireKind(signed, 'signed')
  if (oneTime !== undefined) requireKind(oneTime, 'one-time')
  requireKind(kem, 'one-time-kem', 'last-resort-kem')
  const curvePrekey = ({ id, secret }: PrekeySecret): PublicPrekey => ({
    id,
    key: crypto.x25519PublicKey(secret),
    lastResort: false,
  })
  const { encapsulationKey, decapsulationKey } = crypto.mlkem768Keygen(kem.secret)
  return {
    accountId,
    deviceId: device.deviceId,
    identityKey: device.identityKey,
    secrets: {
      identitySecret: device.identitySecret,
      signedPrekeySecret: signed.secret,
      ...(oneTime && { oneTimePrekeySecret: oneTime.secret }),
    },
    signedPrekey: curvePrekey(signed),
    ...(oneTime && { oneTimePrekey: curvePrekey(oneTime) }),
    kemPrekey: { id: kem.id, key: encapsulationKey, lastResort: kem.kind === 'last-resort-kem' },
    decapsulationKey,
  }
}
