import { afterEach, expect, it } from 'vitest'
import type { Diagnosis } from '../services/engine-api.ts'
import { fromHex } from '../../protocol/wire/bytes.ts'
import { accountTable } from '../store/records/account.ts'
import { contactTable } from '../store/records/contact.ts'
import { meet, Person } from '../services/person.fixture.ts'
import { inStore } from '../services/repair.fixture.ts'
import { TestWorld } from '../services/test-network.fixture.ts'
import { diagnosisReport } from './diagnosis-report.ts'

const soon = { timeout: 20_000, interval: 20 }
const people: Person[] = []
afterEach(async () => {
  for (const one of people.splice(0)) await one.end()
})

/** Every string, number of digits and byte string in a value, in the ways in which it could stand in a text. */
const spellings = (bytes: Uint8Array): string[] => {
  const hex = [...bytes].map((byte) => byte.toString(16).padStart(2, '0')).join('')
  return [hex, hex.slice(0, 12), btoa(String.fromCharCode(...bytes)).slice(0, 12)]
}

it('holds nobody’s name, no id, address, key or word that was written, and no moment closer than a minute', async () => {
  const world = new TestWorld()
  const names = ['Xanthippe Canary', 'Belisarius Canary']
  const [alice, bob] = [new Person({ world, name: names[0] ?? '' }), new Person({ world, name: names[1] ?? '' })]
  people.push(alice, bob)
  const id = await meet(alice, bob)
  await bob.send(id, 'canary in the mine')
  await expect.poll(() => alice.conversation(id)?.messages, soon).toBe(1)
  world.relayUp = false
  await alice.send(id, 'a second canary')
  const found = await alice.engine.diagnostics()
  expect(found.contacts).toMatchObject([{ name: names[1], waiting: 1 }])
  expect(found.relays).toMatchObject([{ name: 'Test relay' }])

  const report = diagnosisReport(found, '1.0')
  expect(report).toContain('contact 1')
  expect(report).toContain('waiting: 1')
  expect(report).toContain('relay 1')
  const bytes = await inStore(alice, async (tx) => {
    const account = await tx.get(accountTable, [0])
    const contact = await tx.get(contactTable, [fromHex(bob.accountId ?? '')])
    if (!account || !contact) throw new Error('the two have met')
    return [
      account.accountId,
      account.head,
      account.device.deviceSeed,
      contact.contactId,
      contact.conversationId,
    ].concat(
      [...account.relays, ...contact.mailboxes].flatMap((one) => [one.relayKey, one.mailboxId]),
      contact.devices.flatMap((one) => [one.deviceId, one.deviceKey, one.identityKey]),
      contact.mailboxes.map((one) => one.lane),
    )
  })
  const canaries = [
    ...names,
    'Xanthippe',
    'Belisarius',
    'anary',
    'Test relay',
    world.address,
    'relay1',
    'dns4',
    '/tcp/',
  ]
  for (const canary of [...canaries, ...bytes.flatMap(spellings)]) expect(report).not.toContain(canary)
  expect(report).not.toMatch(/\d:\d\d:\d\d|\d{9,}/)
})

it('takes no word of a log line that is not a code, and no name that looks like one', () => {
  const found: Diagnosis = {
    atMs: Date.UTC(2026, 0, 2, 3, 4, 5, 678),
    contacts: [
      {
        conversationId: 'cafe',
        name: 'contact 7',
        path: 'none',
        waiting: 2,
        unreceipted: 0,
        hasSession: false,
        reason: 'no-keys',
      },
    ],
    relays: [{ relayId: 'beef', name: 'relay 9', state: 'offline', sinceMs: Date.UTC(2026, 0, 2), lacks: ['lanes'] }],
    confirmed: false,
    lines: [
      { atMs: Date.UTC(2026, 0, 2, 1, 1, 1), area: 'relay', code: 'slow-down', detail: 'for Belisarius at 10.0.0.7' },
      { atMs: Date.UTC(2026, 0, 2, 1, 1, 1), area: 'envelope', code: '10.0.0.7', detail: '' },
    ],
    persisted: true,
    usageBytes: 12_345_678,
    quotaBytes: 1_000_000_000,
  }
  expect(diagnosisReport(found, '1.0').split('\n')).toEqual([
    'Sotto 1.0, 2026-01-02 03:04 UTC',
    'newest copy of the profile: not confirmed yet',
    'storage: kept, 12 MB of 1000 MB',
    '',
    'relay 1: Not reachable since 2026-01-02 00:00',
    '  Not there yet: your mailbox’s lanes.',
    '',
    'contact 1: Not reached now: neither directly nor through a relay.',
    '  last heard of: never',
    '  session: none',
    '  waiting: 2; on their way, not receipted: 0',
    '  why: no-keys. Waiting: contact 1’s keys could not be fetched, because none of their relays can be reached. It is tried again by itself.',
    '  last direct attempt: none',
    '',
    '2026-01-02 01:01 relay slow-down',
    '2026-01-02 01:01 envelope other',
    '',
  ])
})
