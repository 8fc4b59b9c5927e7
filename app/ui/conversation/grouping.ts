import type { MessageView } from '../../models/messages-model.ts'
import { isSameDay } from '../parts/format-time.ts'

/** 5 minutes: messages of one person within it read as one thought and stand close together. */
const groupWithinMs = 5 * 60_000

export interface Grouping {
  /** A date separator stands above. */
  readonly newDay: boolean
  /** First and last of a run of messages by one person. */
  readonly first: boolean
  readonly last: boolean
}

const together = (a: MessageView | undefined, b: MessageView | undefined): boolean =>
  a !== undefined &&
  b !== undefined &&
  a.notice === undefined &&
  b.notice === undefined &&
  a.mine === b.mine &&
  isSameDay(a.sentAtMs, b.sentAtMs) &&
  Math.abs(b.sentAtMs - a.sentAtMs) < groupWithinMs

/** How the message at `index` stands among its neighbours. */
export const groupingOf = (messages: readonly MessageView[], index: number): Grouping => {
  const [previous, current, next] = [messages[index - 1], messages[index], messages[index + 1]]
  return {
    newDay: current !== undefined && (previous === undefined || !isSameDay(previous.sentAtMs, current.sentAtMs)),
    first: !together(previous, current),
    last: !together(current, next),
  }
}
