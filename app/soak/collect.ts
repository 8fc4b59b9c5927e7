import { join } from 'node:path'
import type { Account } from './account.ts'
import type { Book } from './book.ts'
import { readLeft, readSealings } from './journal.ts'
import { checkHistory, type ChannelHistory, type History, type Violation } from './model.ts'
import { nameIn } from './texts.ts'
import type { World } from './world.ts'
import type { Channel } from './writers.ts'

const engines = ({ accounts }: World): Account[] => accounts.filter(({ kind }) => kind === 'engine')

/** What needs no look at any screen: statuses, keys, and what was acknowledged. */
const journals = (world: World, book: Book, directory: string): Omit<History, 'channels'> => ({
  statuses: book.statuses,
  unstored: book.unstored,
  sealings: new Map(engines(world).map(({ name }) => [name, readSealings(join(directory, name))])),
  left: new Map(engines(world).map(({ name }) => [name, readLeft(join(directory, name))])),
})

/** What is wrong whatever may still arrive. */
export const earlyViolations = (world: World, book: Book, directory: string): Violation[] =>
  checkHistory({ ...journals(world, book, directory), channels: new Map() })

const numbersOf = (screen: readonly { readonly text: string }[], channel: string): number[] =>
  screen.flatMap(({ text }) => {
    const name = nameIn(text)
    return name?.channel === channel ? [name.number] : []
  })

/**
 * The whole history, as it stands on the disks: each engine is killed once more and started again before its screens are
 * read, so that nothing counts that only its memory knew.
 */
export const collect = async (
  world: World,
  book: Book,
  channels: readonly Channel[],
  directory: string,
): Promise<History> => {
  for (const account of engines(world)) {
    await account.kill()
    await account.start()
  }
  const screens = new Map<string, readonly { readonly text: string }[]>()
  const pairs = channels.map(({ from, to }): readonly [Account, Account] => [from, to])
  for (const [reader, partner] of pairs) {
    const screen = await reader.read(partner.name)
    book.see(reader.name, screen)
    screens.set(`${reader.name} with ${partner.name}`, screen)
  }
  const histories = channels.map(({ name, from, to }): readonly [string, ChannelHistory] => [
    name,
    {
      acknowledged: new Set(book.page(name).acknowledged.keys()),
      attempted: book.page(name).attempted,
      own: numbersOf(screens.get(`${from.name} with ${to.name}`) ?? [], name),
      shown: numbersOf(screens.get(`${to.name} with ${from.name}`) ?? [], name),
    },
  ])
  return { ...journals(world, book, directory), channels: new Map(histories) }
}
