import type { DecoderCase } from '../relay/calls.fixture.ts'
import { equalBytes, toHex } from '../wire/bytes.ts'
import { ProtocolError } from '../wire/error.ts'

/** What is wrong with a decoder, and the input that shows it. */
export interface Finding {
  readonly decoder: string
  readonly kind: 'threw' | 'second encoding' | 'too much work'
  /** The same for every input that shows the same fault, as far as can be told. */
  readonly detail: string
  readonly input: Uint8Array
}

/** How one input went; a refusal is a ProtocolError. */
export type Verdict = 'accepted' | 'refused' | Omit<Finding, 'decoder' | 'input'>

/** Where the error came from: the innermost call, without line numbers, which move. */
const whereOf = (error: Error): string => /at (\S+)/.exec(error.stack ?? '')?.[1] ?? 'somewhere'

const describe = (error: unknown): string =>
  error instanceof Error ? `${error.name}: ${error.message} (in ${whereOf(error)})` : typeof error

/** Decodes once: accepted inputs must be the one encoding of what they say, and refusals must be a ProtocolError. */
export const judge = ({ recode }: DecoderCase, input: Uint8Array): Verdict => {
  const given = input.slice()
  let again: Uint8Array | undefined
  try {
    again = recode(input)
  } catch (error) {
    return error instanceof ProtocolError ? 'refused' : { kind: 'threw', detail: describe(error) }
  }
  if (!equalBytes(given, input)) return { kind: 'threw', detail: 'the decoder changed its input' }
  if (again === undefined || equalBytes(again, input)) return 'accepted'
  return { kind: 'second encoding', detail: 'what was accepted encodes to other bytes' }
}

/** `toHex`, cut for a line on a screen. */
export const shown = (input: Uint8Array): string =>
  input.length <= 64 ? toHex(input) : `${toHex(input.subarray(0, 64))}… (${input.length} bytes)`
