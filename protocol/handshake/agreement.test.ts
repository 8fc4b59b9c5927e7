import { expect, test } from 'vitest'
import { noble } from '../crypto/noble-provider.ts'
import { pythonVectors } from '../ratchet/python-profile.fixture.ts'
import { encodeUtf8, fromHex, toHex } from '../wire/bytes.ts'
import { refusal } from '../wire/refusal.fixture.ts'
import { deriveHandshakeKey, identityAgreement, initiatorAgreement, responderAgreement } from './agreement.ts'

test.each(pythonVectors().x3dh.map((vector, i) => [i, vector] as const))(
  'python-x3dh, agreement %i: both sides derive the recorded key',
  (_, v) => {
    const hasOneTime = v.opkb_pub !== null && v.opkb_priv !== null
    const initiator = [
      identityAgreement(noble, fromHex(v.ika_priv), fromHex(v.spkb_pub)),
      ...initiatorAgreement(noble, fromHex(v.eka_priv), {
        identityKey: fromHex(v.ikb_pub),
        signedPrekey: fromHex(v.spkb_pub),
        ...(hasOneTime && { oneTimePrekey: fromHex(v.opkb_pub ?? '') }),
      }),
    ]
    const responder = [
      identityAgreement(noble, fromHex(v.spkb_priv), fromHex(v.ika_pub)),
      ...responderAgreement(
        noble,
        {
          identitySecret: fromHex(v.ikb_priv),
          signedPrekeySecret: fromHex(v.spkb_priv),
          ...(hasOneTime && { oneTimePrekeySecret: fromHex(v.opkb_priv ?? '') }),
        },
        fromHex(v.eka_pub),
      ),
    ]
    expect(initiator).toHaveLength(hasOneTime ? 4 : 3)
    expect(responder).toEqual(initiator)
    expect(toHex(deriveHandshakeKey(noble, initiator, encodeUtf8(v.info)))).toBe(v.sk)
  },
)

test('a low-order key of the remote aborts', () => {
  const zero = new Uint8Array(32)
  const secret = new Uint8Array(32).fill(5)
  const good = noble.x25519PublicKey(secret)
  expect(refusal(() => initiatorAgreement(noble, secret, { identityKey: good, signedPrekey: zero }))).toBe('key')
  const secrets = { identitySecret: secret, signedPrekeySecret: secret }
  expect(refusal(() => responderAgreement(noble, secrets, zero))).toBe('key')
  expect(refusal(() => identityAgreement(noble, secret, zero))).toBe('key')
})
