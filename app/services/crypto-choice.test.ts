import { afterEach, expect, test } from 'vitest'
import { noble } from '../../protocol/crypto/noble-provider.ts'
import type { CryptoProvider } from '../../protocol/crypto/provider.ts'
import { loadSodium } from '../crypto/load-sodium.ts'
import { meet, Person } from './person.fixture.ts'
import { TestWorld } from './test-network.fixture.ts'

const soon = { timeout: 20_000, interval: 20 }
const people: Person[] = []
const person = (name: string, world: TestWorld, loadCrypto: () => Promise<CryptoProvider>): Person => {
  const made = new Person({ world, name, loadCrypto })
  people.push(made)
  return made
}
afterEach(async () => {
  for (const one of people.splice(0)) await one.end()
})

/** libsodium that counts what it seals, handed over when `give` is called. */
const handedOver = () => {
  let seals = 0
  let give = (): void => undefined
  const asked = new Promise<void>((resolve) => (give = resolve))
  const load = async (): Promise<CryptoProvider> => {
    const sodium = await loadSodium()
    await asked
    const xchacha20poly1305Seal: CryptoProvider['xchacha20poly1305Seal'] = (...given) => {
      seals++
      return sodium.xchacha20poly1305Seal(...given)
    }
    return { ...sodium, xchacha20poly1305Seal }
  }
  return { load, give, seals: () => seals }
}

test('a conversation goes on when the faster provider takes over in the middle of it', async () => {
  const world = new TestWorld()
  const fast = handedOver()
  const [alice, bob] = [person('Alice', world, fast.load), person('Bob', world, async () => noble)]
  const id = await meet(alice, bob)
  await bob.send(id, '1')
  await expect.poll(() => alice.texts(id), soon).toEqual(['1'])
  await alice.send(id, '2')
  expect(fast.seals()).toBe(0)
  fast.give()
  for (const text of ['3', '4', '5']) {
    await expect.poll(() => bob.texts(id), soon).toContain(`${Number(text) - 1}`)
    await (text === '4' ? bob : alice).send(id, text)
    await expect.poll(() => alice.texts(id), soon).toContain(text)
  }
  await expect.poll(() => bob.texts(id), soon).toEqual(['1', '2', '3', '4', '5'])
  // Records as well as messages: what was sealed with noble is read and written on.
  expect(fast.seals()).toBeGreaterThan(5)
  // A reload begins with noble, which opens what libsodium sealed.
  await alice.close()
  await alice.open()
  expect(await alice.texts(id)).toEqual(['1', '2', '3', '4', '5'])
  expect((await alice.engine.diagnostics()).lines).toEqual([])
})

test('where it does not load, noble stays, and the diagnostics have one line', async () => {
  const world = new TestWorld()
  const refused = (): Promise<CryptoProvider> => Promise.reject(new WebAssembly.CompileError('refused'))
  const [alice, bob] = [person('Alice', world, refused), person('Bob', world, refused)]
  const id = await meet(alice, bob)
  await bob.send(id, 'hello')
  await expect.poll(() => alice.texts(id), soon).toEqual(['hello'])
  const { lines } = await alice.engine.diagnostics()
  expect(lines.filter(({ area }) => area === 'engine').map(({ code }) => code)).toEqual(['slow-crypto'])
})
