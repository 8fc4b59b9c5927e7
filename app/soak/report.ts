import type { Book } from './book.ts'
import type { Faults } from './faults.ts'
import type { Violation } from './model.ts'
import type { SoakOptions } from './options.ts'
import type { Run } from './settle.ts'

/** Slowest channels shown: enough to see which account or relay they have in common. */
const shownSlowest = 12

/** Violations shown; the rest is counted. */
const shownViolations = 20

const seconds = (ms: number): string => (ms / 1_000).toFixed(1)

export const progressLine = (
  { options, world, book, channels }: Run,
  faults: Faults,
  faultsPlanned: number,
): string => {
  // An engine tells at once what has arrived, a browser is looked at only in the end.
  const told = channels.filter(({ to }) => to.kind === 'engine').map(({ name }) => name)
  const up = world.accounts.filter(({ isUp }) => isUp).length
  return [
    `written ${book.attempted} of ${options.messages}`,
    `stored ${book.acknowledged}`,
    `arrived ${book.arrived}`,
    `oldest ${seconds(book.oldestMs(told))} s`,
    `faults ${faults.count} of ${faultsPlanned}`,
    `${faults.running} under way`,
    `${up} of ${world.accounts.length} up`,
  ].join(', ')
}

/** The value below which a share of the sorted numbers lies. */
const quantile = (sorted: readonly number[], share: number): number =>
  sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0

/** The channels with the longest ways, and when the longest of each was over. */
const slowestLines = ({ slowest }: Book): string[] =>
  [...slowest]
    .toSorted(([, a], [, b]) => b.ms - a.ms)
    .slice(0, shownSlowest)
    .map(([channel, { number, ms, atMs }]) => `  ${channel}#${number}: ${seconds(ms)} s, arrived at ${seconds(atMs)} s`)

/** How a run went. `elapsedMs`: from the first message to the last look. */
export const summaryLines = (
  options: SoakOptions,
  book: Book,
  faults: Faults,
  violations: readonly Violation[],
  elapsedMs: number,
): string[] => {
  const sorted = book.delaysMs.toSorted((a, b) => a - b)
  const delays = [0.5, 0.99, 1].map((share) => seconds(quantile(sorted, share)))
  const kinds = [...faults.done].map(([kind, count]) => `${kind} ${count}`).join(', ')
  const more = violations.length - shownViolations
  return [
    ...violations.slice(0, shownViolations).map(({ kind, where, detail }) => `  ${kind} ${where}: ${detail}`),
    ...(more > 0 ? [`  and ${more} more`] : []),
    ...[...book.problems].map(([line, count]) => `  told by ${line} (${count})`),
    `faults: ${kinds === '' ? 'none' : kinds}`,
    ...slowestLines(book),
    `on the way: half within ${delays[0]} s, 99 % within ${delays[1]} s, all within ${delays[2]} s`,
    `seed ${options.seed}: ${violations.length} violations; ${book.acknowledged} messages of ${options.accounts} accounts ` +
      `(${options.browsers} in browsers) by ${options.relays} relays in ${seconds(elapsedMs)} s, ` +
      `${(book.acknowledged / (elapsedMs / 1_000)).toFixed(1)} messages/s`,
  ]
}
