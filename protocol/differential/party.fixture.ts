import { ratchetDecrypt, ratchetEncrypt } from '../ratchet/double-ratchet.ts'
import { pythonOpen, pythonSeal, pythonSuite } from '../ratchet/python-profile.fixture.ts'
import { ratchetState, type RatchetState } from '../ratchet/state.ts'
import type { Random } from '../wire/brand.ts'
import { equalBytes, fromHex, toHex } from '../wire/bytes.ts'
import { encodeCanonical } from '../wire/codec.ts'
import { ProtocolError } from '../wire/error.ts'
import type { Answer, PythonPeer } from './python-peer.fixture.ts'

/** A message under way: header in the clear (40 bytes) and sealed body. */
export interface Sealed {
  readonly header: Uint8Array
  readonly body: Uint8Array
}

/** One end of a session, whichever implementation it is. */
export interface Party {
  send(plaintext: Uint8Array): Promise<Sealed>
  /** The plaintext, or the name of the refusal. */
  receive(message: Sealed): Promise<Uint8Array | string>
}

/** Neither the headers in the clear nor the AEAD of python-doubleratchet take one. */
const noNonce = new Uint8Array(0)

/** The production ratchet with the labels, headers and AEAD of python-doubleratchet. */
export class SottoParty implements Party {
  private readonly suite = pythonSuite()
  private readonly associatedData: Uint8Array
  private readonly random: Random
  private state: RatchetState

  constructor(state: RatchetState, associatedData: Uint8Array, random: Random) {
    this.state = state
    this.associatedData = associatedData
    this.random = random
  }

  async send(plaintext: Uint8Array): Promise<Sealed> {
    const { suite, state, associatedData, random } = this
    const sent = ratchetEncrypt(suite, state, pythonSeal(plaintext, associatedData), {
      now: 0,
      random,
      nonce: noNonce,
    })
    this.state = sent.state
    return { header: sent.sealedHeader, body: sent.body }
  }

  async receive({ header, body }: Sealed): Promise<Uint8Array | string> {
    const given = this.state
    const before = encodeCanonical(ratchetState.toMap(given))
    const result = this.open(header, body)
    // Neither success nor failure changes the value that was given.
    if (!equalBytes(before, encodeCanonical(ratchetState.toMap(given)))) throw new Error('the given state was changed')
    return result
  }

  private open(header: Uint8Array, body: Uint8Array): Uint8Array | string {
    const { suite, state, associatedData } = this
    try {
      const received = ratchetDecrypt(suite, state, header, pythonOpen(body, associatedData), {
        now: 0,
        nonce: noNonce,
      })
      this.state = received.state
      return received.body
    } catch (error) {
      if (error instanceof ProtocolError) return error.code
      throw error
    }
  }
}

/** A field of an answer, as bytes. @throws Error when the Python package refused instead. */
export const field = (answer: Answer, name: Exclude<keyof Answer, 'refused'>): Uint8Array => {
  const value = answer[name]
  if (typeof value !== 'string') throw new Error(`Python: ${answer.refused ?? `no ${name}`}`)
  return fromHex(value)
}

/** python-doubleratchet at the other end of the pipe. */
export class PythonParty implements Party {
  private readonly peer: PythonPeer
  private readonly session: number

  constructor(peer: PythonPeer, session: number) {
    this.peer = peer
    this.session = session
  }

  async send(plaintext: Uint8Array): Promise<Sealed> {
    const answer = await this.peer.request({ op: 'send', session: this.session, plaintext: toHex(plaintext) })
    return { header: field(answer, 'header'), body: field(answer, 'body') }
  }

  async receive({ header, body }: Sealed): Promise<Uint8Array | string> {
    const sealed = { header: toHex(header), body: toHex(body) }
    const answer = await this.peer.request({ op: 'receive', session: this.session, ...sealed })
    return answer.refused ?? field(answer, 'plaintext')
  }
}
