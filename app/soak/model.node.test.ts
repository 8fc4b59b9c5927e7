import { describe, expect, test } from 'vitest'
import { checkHistory, type ChannelHistory, type History, type Sealing, type StatusSeen } from './model.ts'

const channel: ChannelHistory = {
  acknowledged: new Set([1, 2, 4]),
  attempted: 5,
  own: [1, 2, 3, 4],
  shown: [1, 2, 3, 4],
}
const sealing = (key: string, nonce: string, tag: string): Sealing => ({ key, keyAndNonce: `${key}${nonce}`, tag })

const history = (
  changes: Partial<ChannelHistory> = {},
  others: { statuses?: StatusSeen[]; sealings?: Sealing[]; left?: string[]; unstored?: string[] } = {},
): History => ({
  channels: new Map([['a>b', { ...channel, ...changes }]]),
  statuses: others.statuses ?? [],
  sealings: new Map([['a', others.sealings ?? []]]),
  left: new Map([['a', new Set(others.left)]]),
  unstored: new Map([['b', others.unstored ?? []]]),
})

const kinds = (checked: History): string[] => checkHistory(checked).map(({ kind }) => kind)
const status = (number: number, word: StatusSeen['status']): StatusSeen => ({ channel: 'a>b', number, status: word })

describe('the model', () => {
  test('finds nothing wrong with what may happen', () => {
    // Number 3 was never acknowledged and arrived all the same, 5 was not and did not.
    expect(checkHistory(history())).toEqual([])
    const statuses = [status(1, 'waiting'), status(1, 'sent'), status(1, 'sent'), status(1, 'read'), status(2, 'sent')]
    // A key used twice, once for what never left (a step that was killed); a repeat of the same bytes.
    const sealings = [
      sealing('k', '1', 'never'),
      sealing('k', '2', 'sent'),
      sealing('l', '3', 'again'),
      sealing('l', '3', 'again'),
    ]
    expect(checkHistory(history({}, { statuses, sealings, left: ['sent', 'again'] }))).toEqual([])
  })

  test.for<[string, Partial<ChannelHistory>, string[]]>([
    ['an acknowledged message that never arrives', { shown: [1, 3, 4] }, ['lost']],
    ['an acknowledged message that its writer has no more', { own: [1, 3, 4] }, ['forgotten']],
    ['a message shown twice', { shown: [1, 2, 2, 3, 4] }, ['shown-twice']],
    ['a message shown again later', { shown: [1, 2, 3, 4, 2] }, ['shown-twice']],
    ['two messages in the wrong order', { shown: [1, 3, 2, 4] }, ['out-of-order']],
    ['a wrong order on the own screen', { own: [2, 1, 3, 4] }, ['out-of-order']],
    ['a message nobody wrote', { shown: [1, 2, 3, 4, 6] }, ['invented']],
  ])('sees %s', ([, changes, expected]) => {
    expect(kinds(history(changes))).toEqual(expected)
  })

  test('sees a status that goes back, also over a restart', () => {
    const statuses = [
      status(1, 'sent'),
      status(1, 'delivered'),
      status(2, 'sent'),
      status(1, 'sent'),
      status(1, 'read'),
    ]
    expect(checkHistory(history({}, { statuses }))).toEqual([
      { kind: 'status-fell', where: 'a>b', detail: 'message 1 from delivered to sent' },
    ])
  })

  test('sees a message key that sealed two things, and one that did so with one nonce', () => {
    const left = ['x', 'y']
    expect(kinds(history({}, { sealings: [sealing('k', '1', 'x'), sealing('k', '2', 'y')], left }))).toEqual([
      'key-reused',
    ])
    const same = [sealing('k', '1', 'x'), sealing('k', '1', 'y')]
    expect(kinds(history({}, { sealings: same, left }))).toEqual(['nonce-reused', 'key-reused'])
  })

  test('sees what was acknowledged and not stored', () => {
    expect(kinds(history({}, { unstored: ['e'] }))).toEqual(['acknowledged-unstored'])
  })
})
