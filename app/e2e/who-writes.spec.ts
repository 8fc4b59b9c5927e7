import { DatabaseSync } from 'node:sqlite'
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { expect } from '@playwright/test'
import { introduce, test } from './harness/scenario.ts'

/** Shorter values (counts, times, flags) are equal by chance. */
const tellingBytes = 8

interface Row {
  readonly table: string
  readonly values: readonly Buffer[]
}

/** Every row of every table, as bytes: numbers are left out, texts and blobs kept whole. */
const readRows = (database: DatabaseSync): Row[] => {
  const tables = database.prepare("SELECT name FROM sqlite_master WHERE type = 'table'").all()
  return tables.flatMap(({ name }) =>
    database
      .prepare(`SELECT * FROM "${String(name)}"`)
      .all()
      .map((row) => ({
        table: String(name),
        values: Object.values(row).flatMap((value) =>
          value instanceof Uint8Array || typeof value === 'string' ? [Buffer.from(value as string)] : [],
        ),
      })),
  )
}

test('the relay’s whole database does not tell which account sent an envelope', async ({ world }) => {
  const { relay, alice, bob } = await introduce(world)
  const carol = await world.person('Carol')
  const link = await bob.invite()
  await carol.acceptAsNewcomer(link)
  await expect(bob.conversations).toContainText('Carol')
  await carol.send('hello from Carol')
  await bob.openConversation('Carol')
  await bob.expectMessage('hello from Carol')
  await carol.expectStatus('hello from Carol', 'Delivered', 'Read')
  await bob.profile.close()

  for (const number of [1, 2, 3]) {
    for (const sender of [alice, carol]) {
      await sender.send(`${sender.name} writes ${number}`)
      await sender.expectStatus(`${sender.name} writes ${number}`, 'Sent')
    }
  }
  await alice.profile.close()
  await carol.profile.close()
  await relay.close()

  const [file = ''] = (await readdir(relay.dataDirectory)).filter((name) => /\.(sqlite|db)$/.test(name))
  const database = new DatabaseSync(join(relay.dataDirectory, file), { readOnly: true })
  const rows = readRows(database)
  database.close()
  const envelopes = rows.filter(({ table }) => table === 'envelope')
  expect(envelopes.length).toBeGreaterThanOrEqual(6)

  // Everything the relay knows accounts, devices and their mailboxes by.
  const identities = rows
    .filter(({ table }) => table !== 'envelope' && table !== 'lane')
    .flatMap(({ values }) => values)
    .filter(({ length }) => length >= tellingBytes)
  expect(identities.length).toBeGreaterThan(10)
  const linked = envelopes.filter(({ values }) =>
    values.some((value) =>
      identities.some(
        (identity) => value.includes(identity) || (value.length >= tellingBytes && identity.includes(value)),
      ),
    ),
  )
  expect(linked).toEqual([])

  // The same comparison does see what is there to see: the lane, which Bob gave to one contact.
  const lanes = rows.filter(({ table }) => table === 'lane').flatMap(({ values }) => values)
  const byLane = envelopes.filter(({ values }) =>
    values.some((value) => lanes.some((lane) => lane.length >= tellingBytes && value.equals(lane))),
  )
  expect(byLane.length).toBeGreaterThanOrEqual(6)
})
