import { randomUUID } from 'node:crypto'
import { DatabaseSync } from 'node:sqlite'
import { join } from 'node:path'
import { expect, type Page } from '@playwright/test'
import { bytesCanary, search, searchText, textCanary } from './harness/canaries.ts'
import { test } from './harness/scenario.ts'

const unique = (word: string): string => `${word} ${randomUUID()}`

/**
 * Where Chromium itself writes down addresses that were opened: its history, the tabs to restore, the icons of visited pages,
 * and the visits it keeps for its own suggestions. A page can replace its address but not reach into these; the person is told.
 */
const ownHistory = /^Default\/(History|Sessions\/|Favicons)|^segmentation_platform\/ukm_db/

/** Opens the lock row as the app does; what it wraps (one key or several of 32 bytes) must stand nowhere on the disk. */
const unwrappedVaultKey = async (page: Page): Promise<Uint8Array> => {
  const numbers = await page.evaluate(async () => {
    const wanted = <T>(request: IDBRequest<T>): Promise<T> =>
      new Promise((resolve, reject) => {
        request.addEventListener('success', () => resolve(request.result))
        request.addEventListener('error', () => reject(request.error ?? new Error('request failed')))
      })
    for (const { name } of await indexedDB.databases()) {
      const database = await wanted(indexedDB.open(name ?? ''))
      if (!database.objectStoreNames.contains('lock')) continue
      const row = await wanted(database.transaction('lock').objectStore('lock').get(0))
      database.close()
      const algorithm = {
        name: 'AES-GCM',
        iv: row.nonce,
        additionalData: new TextEncoder().encode('Sotto_device_lock'),
      }
      return [...new Uint8Array(await crypto.subtle.decrypt(algorithm, row.wrappingKey, row.wrapped))]
    }
    return []
  })
  return Uint8Array.from(numbers)
}

/** Writes the control through every kind of store a page has; if the search misses one of them it proves nothing. */
const writeControls = (page: Page, control: string): Promise<void> =>
  page.evaluate(async (text) => {
    localStorage.setItem('control', `local ${text}`)
    document.cookie = `control=${encodeURIComponent(`cookie ${text}`).replaceAll('%20', '+')}; max-age=86400; samesite=strict`
    const cache = await caches.open('control')
    await cache.put('/control', new Response(`cache ${text}`))
    const folder = await navigator.storage.getDirectory()
    const writable = await (await folder.getFileHandle('control', { create: true })).createWritable()
    await writable.write(`file ${text}`)
    await writable.close()
    await new Promise<void>((resolve, reject) => {
      const opening = indexedDB.open('control', 1)
      opening.addEventListener('upgradeneeded', () => opening.result.createObjectStore('control'))
      opening.addEventListener('error', () => reject(opening.error ?? new Error('open failed')))
      opening.addEventListener('success', () => {
        const transaction = opening.result.transaction('control', 'readwrite', { durability: 'strict' })
        transaction.objectStore('control').put(`rows ${text}`, 1)
        transaction.addEventListener('complete', () => resolve())
      })
    })
  }, control)

test('what people write, who they are and the key to it stand nowhere in the clear', async ({ world }) => {
  const text = {
    message: unique('canary message'),
    answer: unique('canary answer'),
    draft: unique('canary draft'),
    edited: unique('canary before an edit'),
    edit: unique('canary after an edit'),
    deleted: unique('canary deleted'),
  }
  const aliceName = `Alice${randomUUID().slice(0, 13)}`
  const bobName = `Bob${randomUUID().slice(0, 13)}`
  const relay = await world.relay()
  const [alice, bob] = await Promise.all([world.person(aliceName), world.person(bobName)])
  await alice.onboard(relay.url)
  const link = await alice.invite()
  await bob.acceptAsNewcomer(link)
  expect(bob.page.url(), 'the invite leaves the address at once').not.toContain(link.slice(-20))
  await alice.openConversation(bobName)
  await alice.send(text.message)
  await bob.expectMessage(text.message)
  await bob.send(text.answer)
  await alice.expectMessage(text.answer)
  await alice.send(text.edited)
  await alice.composer.press('ArrowUp')
  await alice.submit(text.edit)
  await bob.expectMessage(text.edit)
  await alice.send(text.deleted)
  await bob.expectMessage(text.deleted)
  await alice.message(text.deleted).getByRole('button', { name: 'Message actions' }).press('Enter')
  await alice.page.getByRole('menuitem', { name: 'Delete…' }).click()
  await alice.page.getByRole('dialog').getByRole('button', { name: 'Delete for both' }).click()
  await expect(bob.message(text.deleted)).toHaveCount(0)
  // By mailbox as well, so that the relay holds something.
  await bob.profile.close()
  await alice.send(`${text.message} again`)
  await alice.expectStatus(`${text.message} again`, 'Sent')
  await alice.composer.fill(text.draft)
  await expect(alice.conversations).toContainText(text.draft)
  await alice.page.reload()
  await alice.openConversation(bobName)
  await expect(alice.composer).toHaveValue(text.draft)

  const vaultKey = await unwrappedVaultKey(alice.page)
  expect(vaultKey.length).toBeGreaterThanOrEqual(32)
  const vaultKeyParts = [0, 32].map((start) => vaultKey.subarray(start, start + 32)).filter(({ length }) => length > 0)
  const control = randomUUID()
  await writeControls(alice.page, control)
  await alice.profile.close()

  const canaries = [
    ...Object.entries(text).map(([name, value]) => textCanary(name, value)),
    textCanary("Alice's name", aliceName),
    textCanary("Bob's name", bobName),
    ...vaultKeyParts.map((part) => bytesCanary('vault key', part)),
  ]
  const fragment = textCanary('invite', link.slice(link.indexOf('#i/') + 3))
  for (const { profile, name } of [alice, bob]) {
    expect(await search(profile.directory, canaries), `profile of ${name}`).toEqual([])
    const outside = (await search(profile.directory, [fragment])).filter(({ file }) => !ownHistory.test(file))
    expect(outside, `invite in the profile of ${name}`).toEqual([])
  }
  await relay.close()
  expect(await search(relay.dataDirectory, [...canaries, fragment])).toEqual([])
  expect(searchText(relay.log, [...canaries, fragment])).toEqual([])

  // The search finds what is there: one control per store.
  const controls = ['local', 'cookie', 'cache', 'file', 'rows'].map((store) =>
    textCanary(store, `${store}${store === 'cookie' ? '+' : ' '}${control}`),
  )
  const found = new Set((await search(alice.profile.directory, controls)).map(({ canary }) => canary))
  // Cookies are sealed by the operating system's key ring on some machines; all that the app could write to must be found.
  for (const store of ['local', 'cache', 'file', 'rows']) expect(found, `control in ${store}`).toContain(store)
  const database = new DatabaseSync(join(relay.dataDirectory, 'control.sqlite'))
  database.exec('create table control (text)')
  database.prepare('insert into control values (?)').run(`relay ${control}`)
  database.close()
  expect(await search(relay.dataDirectory, [textCanary('relay', `relay ${control}`)])).toHaveLength(1)
})
