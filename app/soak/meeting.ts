import { setTimeout as pause } from 'node:timers/promises'
import type { Account } from './account.ts'
import { EngineAccount } from './engine-account.ts'
import { eachFew } from './world.ts'

/** Everybody writes with the next two in a circle, and so with four: enough for lanes and sessions to be many. */
const steps = [1, 2]

/** 90 s: session and first answer by way of two relays; receipts of strangers may take 30 s. */
const knownWithinMs = 90_000

/** Every third pair may use direct links, if both are engines; the others' messages all go by relay. */
const directEvery = 3

export type Pair = readonly [inviting: Account, accepting: Account]

/** Who talks with whom, each pair once. */
export const pairsOf = (accounts: readonly Account[]): Pair[] => {
  const names = new Set<string>()
  return accounts.flatMap((a, i) =>
    steps.flatMap((step): Pair[] => {
      const b = accounts[(i + step) % accounts.length]
      if (!b || b === a) return []
      const name = [a.name, b.name].toSorted().join()
      return names.size === names.add(name).size ? [] : [[a, b]]
    }),
  )
}

const untilKnown = async (account: Account, partner: string): Promise<void> => {
  const deadline = AbortSignal.timeout(knownWithinMs)
  // An event of another process, which may be a browser's screen: looked at until it is there.
  while (!(await account.knows(partner))) {
    if (deadline.aborted)
      throw new Error(`${account.name} and ${partner} did not meet within ${knownWithinMs / 1_000} s`)
    await pause(100)
  }
}

/** Every pair meets by an invite; resolves when each knows the other's name. */
export const meet = async (pairs: readonly Pair[]): Promise<void> => {
  // One after the other: a page holds one invite at a time, and relays let a lane be used by one.
  await eachFew(pairs, 1, async ([a, b]) => {
    await b.accept(await a.invite())
  })
  for (const [a, b] of pairs) {
    await untilKnown(a, b.name)
    await untilKnown(b, a.name)
  }
  const direct = pairs.filter((_, i) => i % directEvery === 0)
  for (const account of new Set(pairs.flat())) {
    if (!(account instanceof EngineAccount)) continue
    const partners = direct.flatMap(([a, b]) => (a === account ? [b] : b === account ? [a] : []))
    const ids = partners.flatMap((partner) => (partner instanceof EngineAccount ? [partner.accountId] : []))
    if (ids.length > 0) await account.allowDirect(ids)
  }
}
