import fc from 'fast-check'
import { maxNameLength } from '../wire/limits.ts'
import { anyText, wellFormedText } from '../wire/text.fixture.ts'
import type { Content } from './content.ts'
import { cleanName } from './name.ts'

const fixed = (length: number) => fc.uint8Array({ minLength: length, maxLength: length })

const lane = fc.record({
  relayKey: fixed(32),
  addresses: fc.array(fc.constantFrom('/dns4/relay.example/tcp/443/wss', '/ip4/192.0.2.1/tcp/8787/ws'), {
    minLength: 1,
    maxLength: 3,
  }),
  mailboxId: fixed(32),
  lane: fixed(32),
})

const optionalFields = {
  profile: fc.record({ name: anyText(maxNameLength).map(cleanName) }),
  lanes: fc.record({ lanes: fc.array(lane, { maxLength: 3 }) }),
  opening: fc.record({ log: fc.uint8Array({ maxLength: 500 }), inviteProof: fixed(32) }, { requiredKeys: ['log'] }),
  expiresAtMs: fc.maxSafeNat(),
  extensions: fc.array(fc.record({ code: fc.nat({ max: 0xffff }), data: fc.uint8Array({ maxLength: 20 }) }), {
    minLength: 1,
    maxLength: 3,
  }),
}

const ids = fc.array(fixed(16), { maxLength: 5 })

const body: fc.Arbitrary<Content['body']> = fc.oneof(
  fc.record(
    {
      kind: fc.constant('text' as const),
      text: wellFormedText(200, 1),
      replyTo: fc.record({ messageId: fixed(16), bySender: fc.boolean() }),
    },
    { requiredKeys: ['kind', 'text'] },
  ),
  fc
    .record({ kind: fc.constant('receipt' as const), delivered: ids, read: ids })
    .filter(({ delivered, read }) => delivered.length + read.length > 0),
  fc.record({ kind: fc.constantFrom('profile' as const, 'lanes' as const) }),
  fc.record({
    kind: fc.constant('repair' as const),
    envelopeIds: fc.array(fixed(16), { minLength: 1, maxLength: 5 }),
  }),
  fc.record({
    kind: fc.constant('edit' as const),
    messageId: fixed(16),
    revision: fc.nat({ max: 2 ** 31 - 1 }),
    text: wellFormedText(200, 1),
  }),
  fc.record({ kind: fc.constant('deletion' as const), messageId: fixed(16) }),
  fc.record({
    kind: fc.constant('reaction' as const),
    target: fc.record({ messageId: fixed(16), bySender: fc.boolean() }),
    revision: fc.nat({ max: 2 ** 31 - 1 }),
    emoji: wellFormedText(32),
  }),
  fc.record({
    kind: fc.constant('unknown' as const),
    code: fc.integer({ min: 8, max: 0xffff }),
    raw: fc.uint8Array({ maxLength: 100 }),
  }),
)

/** Any content that may be sent. For tests only. */
export const arbitraryContent: fc.Arbitrary<Content> = fc
  .tuple(
    fc.record({
      messageId: fixed(16),
      conversationId: fixed(16),
      sentAtMs: fc.maxSafeNat(),
      sequence: fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER }),
      head: fixed(32),
    }),
    body,
    fc.record(optionalFields, { requiredKeys: [] }),
    fc.record(optionalFields),
  )
  .map(([common, said, some, all]): Content => {
    const content: Content = { ...common, ...some, body: said }
    if (said.kind === 'text' || said.kind === 'unknown') return content
    content.sequence = 0
    if (said.kind === 'profile') content.profile = all.profile
    if (said.kind === 'lanes') content.lanes = all.lanes
    return content
  })
