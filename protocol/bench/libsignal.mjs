import * as Signal from '@signalapp/libsignal-client'

const plain = (bytes) => new Uint8Array(bytes)

/**
 * Stores in memory, which keep the records as objects. Signal's apps also write them down, as ours does; neither is measured.
 */
const stores = (identity) => {
  const records = () => {
    const kept = new Map()
    return { get: async (id) => kept.get(id), save: async (id, record) => void kept.set(id, record), kept }
  }
  const [sessions, preKeys, signed, kyber] = [records(), records(), records(), records()]
  class Sessions extends Signal.SessionStore {
    saveSession = (address, record) => sessions.save(address.toString(), record)
    getSession = async (address) => (await sessions.get(address.toString())) ?? null
    getExistingSessions = async (addresses) => addresses.map((address) => sessions.kept.get(address.toString()))
  }
  class Identities extends Signal.IdentityKeyStore {
    getIdentityKey = async () => identity.privateKey
    getLocalRegistrationId = async () => 1
    saveIdentity = async () => Signal.IdentityChange.NewOrUnchanged
    isTrustedIdentity = async () => true
    getIdentity = async () => null
  }
  class PreKeys extends Signal.PreKeyStore {
    savePreKey = preKeys.save
    getPreKey = preKeys.get
    // Kept, so that making them is not part of establishing.
    removePreKey = async () => undefined
  }
  class SignedPreKeys extends Signal.SignedPreKeyStore {
    saveSignedPreKey = signed.save
    getSignedPreKey = signed.get
  }
  class KyberPreKeys extends Signal.KyberPreKeyStore {
    saveKyberPreKey = kyber.save
    getKyberPreKey = kyber.get
    markKyberPreKeyUsed = async () => undefined
  }
  return {
    sessions: new Sessions(),
    identities: new Identities(),
    preKeys: new PreKeys(),
    signed: new SignedPreKeys(),
    kyber: new KyberPreKeys(),
    forget: () => sessions.kept.clear(),
  }
}

const person = (name) => {
  const identity = Signal.IdentityKeyPair.generate()
  return { identity, address: Signal.ProtocolAddress.new(name, 1), ...stores(identity) }
}

/** A bundle with a one-time and a Kyber prekey, whose private halves are in the stores. */
const publish = async ({ identity, preKeys, signed, kyber }) => {
  const [oneTime, medium, kem] = [
    Signal.PrivateKey.generate(),
    Signal.PrivateKey.generate(),
    Signal.KEMKeyPair.generate(),
  ]
  const sign = (key) => plain(identity.privateKey.sign(plain(key.serialize())))
  const [mediumKey, kemKey] = [medium.getPublicKey(), kem.getPublicKey()]
  const [mediumSignature, kemSignature] = [sign(mediumKey), sign(kemKey)]
  await preKeys.savePreKey(1, Signal.PreKeyRecord.new(1, oneTime.getPublicKey(), oneTime))
  await signed.saveSignedPreKey(2, Signal.SignedPreKeyRecord.new(2, Date.now(), mediumKey, medium, mediumSignature))
  await kyber.saveKyberPreKey(3, Signal.KyberPreKeyRecord.new(3, Date.now(), kem, kemSignature))
  return Signal.PreKeyBundle.new(
    ...[1, 1, 1, oneTime.getPublicKey(), 2, mediumKey, mediumSignature],
    ...[identity.publicKey, 3, kemKey, kemSignature],
  )
}

/** `from` seals, `to` opens: both as the apps call it, through the stores. */
const deliver = async (from, to, message) => {
  const sent = await Signal.signalEncrypt(message, to.address, from.address, from.sessions, from.identities)
  const bytes = plain(sent.serialize())
  if (sent.type() === Signal.CiphertextMessageType.PreKey) {
    const received = Signal.PreKeySignalMessage.deserialize(bytes)
    const { sessions, identities, preKeys, signed, kyber } = to
    await Signal.signalDecryptPreKey(received, from.address, to.address, sessions, identities, preKeys, signed, kyber)
  } else {
    const received = Signal.SignalMessage.deserialize(bytes)
    await Signal.signalDecrypt(received, from.address, to.address, to.sessions, to.identities)
  }
  return { bytes: bytes.length, around: bytes.length - message.length }
}

/** libsignal, native code in this process: PQXDH with Kyber, a ratchet with SPQR. */
export const libsignal = async () => {
  const [alice, bob] = [person('alice'), person('bob')]
  const bundle = await publish(bob)
  const open = async (near, far, message) => {
    near.forget()
    far.forget()
    await Signal.processPreKeyBundle(bundle, far.address, near.address, near.sessions, near.identities)
    return deliver(near, far, message)
  }
  return {
    name: 'libsignal 0.103.0 (native)',
    establish: (message) => open(alice, bob, message),
    // Stores of their own, so that a pair lives on while others are made.
    pair: async (message) => {
      const near = person('near')
      const far = { ...bob, ...stores(bob.identity), preKeys: bob.preKeys, signed: bob.signed, kyber: bob.kyber }
      await open(near, far, message)
      const { sessions, identities } = near
      return {
        there: (m) => deliver(near, far, m),
        back: (m) => deliver(far, near, m),
        seal: (m) => Signal.signalEncrypt(m, far.address, near.address, sessions, identities),
      }
    },
  }
}
