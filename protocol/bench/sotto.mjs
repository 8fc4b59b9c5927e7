import { aeadTagBytes } from '../crypto/provider.ts'
import { decodeEnvelope } from '../envelope/envelope.ts'
import { createAccount, verifyAccountLog } from '../identity/account-log.ts'
import { createDevice } from '../identity/device.ts'
import { generatePrekeys } from '../identity/prekeys.ts'
import { decryptMessage, encryptMessage, initiateSession, respondToHandshake } from '../session/session.ts'

const random = (length) => crypto.getRandomValues(new Uint8Array(length))
const now = Date.now()

const person = () => {
  const device = createDevice(random)
  const { accountId, log } = createAccount({ device, now, random })
  const { head, devices } = verifyAccountLog(log)
  return { local: { accountId, head, device }, record: devices[0] }
}

const prekey = (local, kind, firstId) => {
  const { published, secrets } = generatePrekeys({ ...local, kind, firstId, count: 1, now, random })
  return [published[0], secrets[0]]
}

/** Bytes of an envelope beside its padded content. */
const around = (envelope) => envelope.length - (decodeEnvelope(envelope).ciphertext.length - aeadTagBytes)

/**
 * Our production code, as the app calls it: signatures of the bundle checked, padded envelopes, immutable sessions.
 * @param provider what computes: the app's, or noble
 */
export const sotto = (name, provider) => {
  const [alice, bob] = [person(), person()]
  const [signedPrekey, signed] = prekey(bob.local, 'signed', 1)
  const [oneTimePrekey, oneTime] = prekey(bob.local, 'one-time', 2)
  const [kemPrekey, kem] = prekey(bob.local, 'one-time-kem', 3)
  const { accountId, device } = bob.local
  const bundle = { accountId, deviceId: device.deviceId, signedPrekey, oneTimePrekey, kemPrekey }
  const context = { now, random, crypto: provider }

  const establish = (message) => {
    const remote = { remoteAccountId: accountId, remoteDevice: bob.record, bundle, generation: 1 }
    const fresh = initiateSession({ local: alice.local, ...remote, ...context })
    const { session, envelope } = encryptMessage(fresh, message, context)
    const answered = respondToHandshake({ local: bob.local, envelope, prekeys: { signed, oneTime, kem }, ...context })
    return { near: session, far: answered.session, bytes: envelope.length }
  }

  const step = (pair, from, to, message) => {
    const sent = encryptMessage(pair[from], message, context)
    pair[from] = sent.session
    pair[to] = decryptMessage(pair[to], sent.envelope, context).session
    return {
      bytes: sent.envelope.length,
      // Asked for when lengths are compared, not while time is.
      get around() {
        return around(sent.envelope)
      },
    }
  }

  return {
    name,
    establish,
    pair: (message) => {
      const pair = establish(message)
      return {
        there: (m) => step(pair, 'near', 'far', m),
        back: (m) => step(pair, 'far', 'near', m),
        seal: (m) => void (pair.near = encryptMessage(pair.near, m, context).session),
      }
    },
  }
}
