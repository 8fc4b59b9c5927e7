import { expect, test } from 'vitest'
import { noble } from '../crypto/noble-provider.ts'
import { headerLengthOf } from '../ratchet/header.ts'
import type { MessageKey } from '../ratchet/keys.ts'
import { concatBytes } from '../wire/bytes.ts'
import { seededRandom } from '../wire/random.fixture.ts'
import { openBody, sealBody } from './message-body.ts'

const random = seededRandom(5)
const context = { crypto: noble, associatedData: random(32), kind: 'session', nonce: random(24) } as const
const key = random(32) as MessageKey
const body = random(200)

test('a body is bound to the session, the head and the whole header, whatever was sealed before it', () => {
  // Longest first: nothing of it may stand behind the shorter ones.
  for (const fields of [3, 2, 1, 0]) {
    const header = random(headerLengthOf(fields))
    const bound = concatBytes(context.associatedData, Uint8Array.of(0x24 + fields), header)
    const sealed = sealBody(context, key, header, body)
    expect(sealed).toEqual(noble.xchacha20poly1305Seal(key, context.nonce, body, bound))
    expect(openBody(context, key, header, sealed)).toEqual(body)
    const last = header.length - 1
    expect(() => openBody(context, key, header.with(last, (header[last] ?? 0) ^ 1) as Uint8Array, sealed)).toThrow(
      'open',
    )
  }
})
