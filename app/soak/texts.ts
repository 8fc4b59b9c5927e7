/** What messages of a run say: enough to know them again anywhere, and of many lengths. */

/** Padding of envelopes has steps; most messages are short, one in forty is long. */
const shortest = 0
const usual = 160
const longest = 3_000

const filler = 'what people say to each other, '

/** `a00`: two digits, so that no name is part of another. */
export const nameOf = (account: number): string => `a${String(account).padStart(2, '0')}`

export const channelOf = (from: string, to: string): string => `${from}>${to}`

/** Message `number` of a channel. `chance`: numbers in [0, 1). */
export const textOf = (channel: string, number: number, chance: () => number): string => {
  const most = chance() < 1 / 40 ? longest : usual
  const length = shortest + Math.floor(chance() * most)
  const more = filler.repeat(Math.ceil(length / filler.length)).slice(0, length)
  return `${channel}#${String(number).padStart(6, '0')} ${more}`.trimEnd()
}

const shape = /(a\d\d)>(a\d\d)#(\d{6})/

export interface MessageName {
  readonly channel: string
  readonly from: string
  readonly to: string
  readonly number: number
}

/** Which message a text is; undefined for anything else. */
export const nameIn = (text: string): MessageName | undefined => {
  const [, from, to, number] = shape.exec(text) ?? []
  return from === undefined || to === undefined
    ? undefined
    : { channel: channelOf(from, to), from, to, number: Number(number) }
}
