import { decode } from 'cborg'
import { describe, expect, test } from 'vitest'
import { readVectors } from './crypto/vectors.fixture.ts'
import { decoderCases } from './decoders.fixture.ts'
import { fromHex, toHex } from './wire/bytes.ts'

const file = 'sotto-examples.json'

/** `vectors/sotto-examples.json`: one of everything that is written, bytes in hexadecimal. */
interface Examples {
  readonly about: string
  readonly examples: readonly { readonly name: string; readonly bytes: string }[]
}

const examples = (): Examples => ({
  about:
    'One example of every struct and message of Sotto/2 as it is stored or sent; protocol/spec tells how to read each. Bytes in hexadecimal.',
  examples: decoderCases.map(({ name, sample }) => ({ name, bytes: toHex(sample) })),
})

/** What is sealed, or has a layout of its own, and is no CBOR. */
const notCbor = /envelope|Envelope|^respondToHandshake$|^decryptMessage$|^openSignal$|vault record|^readSafetyCode$/

test('the examples are what this code writes', async () => {
  await expect(`${JSON.stringify(examples(), null, 2)}\n`).toMatchFileSnapshot(`./vectors/${file}`)
})

describe('each example', () => {
  const { examples: written } = readVectors<Examples>(file)

  test.each(written)('$name reads, and encodes to the same bytes again', ({ name, bytes }) => {
    const reader = decoderCases.find((one) => one.name === name) ?? expect.fail('nothing reads it')
    const again = reader.recode(fromHex(bytes))
    if (again !== undefined) expect(toHex(again)).toBe(bytes)
  })

  test.each(written.filter(({ name }) => !notCbor.test(name)))('$name is CBOR for another library', ({ bytes }) => {
    expect(() => decode(fromHex(bytes), { useMaps: true, strict: true }) as unknown).not.toThrow()
  })
})
