import { setTimeout as pause } from 'node:timers/promises'
import type { Account } from './account.ts'
import type { Book } from './book.ts'
import { Killed } from './engine-account.ts'
import type { Pair } from './meeting.ts'
import { seeded } from './schedule.ts'
import { channelOf, textOf } from './texts.ts'

/** A person in a browser writes a tenth of what an engine does: typing into a page takes its time, and engines need not wait. */
const browserShare = 0.1

/** Texts handed over at once, so that several share a transaction, as with somebody who pastes. */
const burst = 4

/**
 * 12 messages of a channel may be on their way. With all channels together that is a thousand; more would only wait for the
 * processor, and be offered again because no receipt comes in time.
 */
const window = 12

/** 100 ms: whoever cannot write, or just ends, would use up one text after the other in the same moment. */
const afterFailureMs = 100

export interface Channel {
  readonly name: string
  readonly from: Account
  readonly to: Account
  readonly messages: number
}

/** Every direction of every pair, with its part of all messages. */
export const channelsOf = (pairs: readonly Pair[], messages: number): Channel[] => {
  const directions = pairs.flatMap(([a, b]): Pair[] => [
    [a, b],
    [b, a],
  ])
  const weights = directions.map(([from]) => (from.kind === 'browser' ? browserShare : 1))
  const whole = weights.reduce((sum, weight) => sum + weight, 0)
  let given = 0
  let passed = 0
  return directions.map(([from, to], i) => {
    passed += weights[i] ?? 0
    // Shares of the whole, rounded so that they add up to it.
    const until = Math.round((messages * passed) / whole)
    const own = until - given
    given = until
    return { name: channelOf(from.name, to.name), from, to, messages: own }
  })
}

/** Messages that are written and not yet known to have arrived, as far as that can be seen from here. */
const onTheWay = (book: Book, { name, from, to }: Channel): number => {
  const { acknowledged, arrived, receipted } = book.page(name)
  if (to.kind === 'engine') return acknowledged.size - arrived.size
  return from.kind === 'engine' ? acknowledged.size - receipted.size : 0
}

/** Writes a channel's messages in order, past every kill of its writer, until all are written or `isOver`. */
const write = async (channel: Channel, book: Book, chance: () => number, isOver: () => boolean): Promise<void> => {
  const { name, from, to, messages } = channel
  for (let next = 1; next <= messages;) {
    await book.changes.until(() => isOver() || (from.isUp && onTheWay(book, channel) < window))
    if (isOver()) return
    const numbers = Array.from({ length: Math.min(burst, messages - next + 1) }, (_, i) => next + i)
    next += numbers.length
    book.attempt(name, next - 1)
    const texts = numbers.map((number) => textOf(name, number, chance))
    try {
      await from.send(to.name, texts, (text) => book.acknowledge(text))
    } catch (cause) {
      // Nobody knows what became of these; the model lets them be there or not.
      if (!(cause instanceof Killed)) book.refused(name, cause instanceof Error ? cause.message : String(cause))
      await pause(afterFailureMs)
    }
  }
}

/** Resolves when everything is written. */
export const writeAll = async (
  channels: readonly Channel[],
  book: Book,
  seed: number,
  isOver: () => boolean,
): Promise<void> => {
  await Promise.all(channels.map((channel, i) => write(channel, book, seeded(seed + i), isOver)))
}
