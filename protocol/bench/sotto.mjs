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

/** Our production code, as the app calls it: signatures of the bundle checked, padded envelopes, immutable sessions. */
export const sotto = () => {
  const [alice, bob] = [person(), person()]
  const [signedPrekey, signed] = prekey(bob.local, 'signed', 1)
  const [oneTimePrekey, oneTime] = prekey(bob.local, 'one-time', 2)
  const [kemPrekey, kem] = prekey(bob.local, 'one-time-kem', 3)
  const { accountId, device } = bob.local
  const bundle = { accountId, deviceId: device.deviceId, signedPrekey, oneTimePrekey, kemPrekey }

  const establish = (message) => {
    const fresh = initiateSession({
      local: alice.local,
      remoteAccountId: accountId,
      remoteDevice: bob.record,
      bundle,
      generation: 1,
      now,
      random,
    })
    const { session, envelope } = encryptMessage(fresh, message, { now, random })
    const answered = respondToHandshake({ local: bob.local, envelope, prekeys: { signed, oneTime, kem }, now, random })
    return { near: session, far: answered.session, bytes: envelope.length }
  }

  const step = (pair, from, to, message) => {
    const sent = encryptMessage(pair[from], message, { now, random })
    pair[from] = sent.session
    pair[to] = decryptMessage(pair[to], sent.envelope, { now }).session
    return sent.envelope.length
  }

  return {
    name: 'Sotto',
    establish,
    pair: (message) => {
      const pair = establish(message)
      return { there: (m) => step(pair, 'near', 'far', m), back: (m) => step(pair, 'far', 'near', m) }
    },
  }
}
