import { expect, test } from 'vitest'
import { fromHex, toHex } from '../wire/bytes.ts'
import { refusal } from '../wire/refusal.fixture.ts'
import { ratchetDecrypt, ratchetEncrypt } from './double-ratchet.ts'
import type { HeaderKey, RatchetKey, RatchetSecret, RootKey } from './keys.ts'
import { pythonOpen, pythonSeal, pythonSuite, pythonVectors, type PythonStep } from './python-profile.fixture.ts'
import { initiatorState, responderState, type RatchetState } from './state.ts'

/** A party of a recorded session: its state, and the ratchet secrets it is going to make. */
interface Party {
  readonly suite: ReturnType<typeof pythonSuite>
  readonly secrets: Uint8Array[]
  state: RatchetState
}

/** Their headers are not sealed. */
const nonce = new Uint8Array(24)

const { double_ratchet: recordings } = pythonVectors()

const parties = ({ sk, bob_spk_priv, bob_spk_pub }: (typeof recordings)[number]): Record<'A' | 'B', Party> => {
  // Plain sessions have no header keys; any two serve, the headers are not sealed.
  const keys = {
    rootKey: fromHex(sk) as RootKey,
    initiatorHeaderKey: new Uint8Array(32).fill(1) as HeaderKey,
    responderHeaderKey: new Uint8Array(32).fill(2) as HeaderKey,
  }
  const key = fromHex(bob_spk_pub) as RatchetKey
  const own = { secret: fromHex(bob_spk_priv) as RatchetSecret, key }
  return {
    A: { suite: pythonSuite(), secrets: [], state: initiatorState(keys, key, 0) },
    B: { suite: pythonSuite(), secrets: [], state: responderState(keys, own, 0) },
  }
}

const send = (party: Party, { pt, header, ct }: PythonStep, ad: Uint8Array): void => {
  const random = () => party.secrets.shift() ?? expect.fail('a ratchet secret too many')
  const sent = ratchetEncrypt(party.suite, party.state, pythonSeal(fromHex(pt), ad), { now: 0, random, nonce })
  expect([toHex(sent.sealedHeader), toHex(sent.body)]).toEqual([header, ct])
  party.state = sent.state
}

const receive = (party: Party, { pt }: PythonStep, { header = '', ct = '' }: PythonStep, ad: Uint8Array): void => {
  const open = (body: string, data: Uint8Array) =>
    ratchetDecrypt(party.suite, party.state, fromHex(header), pythonOpen(fromHex(body), data), { now: 0, nonce })
  const tampered = (ct.startsWith('0') ? '1' : '0') + ct.slice(1)
  expect(refusal(() => open(tampered, ad))).toBe('authentication')
  expect(refusal(() => open(ct, ad.subarray(1)))).toBe('authentication')
  const received = open(ct, ad)
  expect(toHex(received.body)).toBe(pt)
  party.state = received.state
  expect(refusal(() => open(ct, ad))).toBe('duplicate')
}

test.each(recordings.map((recording, i) => [i, recording] as const))(
  'python-doubleratchet, session %i: same headers and ciphertexts, everything opens once',
  (_, recording) => {
    const ad = fromHex(recording.ad)
    const party = parties(recording)
    for (const step of recording.steps) {
      const actor = party[step.by]
      actor.secrets.push(...step.new_ratchet_privs.map(fromHex))
      if (step.op === 'send') send(actor, step, ad)
      else receive(actor, step, recording.steps[step.msg ?? -1] ?? expect.fail('no such message'), ad)
    }
  },
)
