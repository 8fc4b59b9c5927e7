import { expect, test } from 'vitest'
import { readOptions } from './options.ts'

test('without a word it is the whole promise', () => {
  expect(readOptions([], 5)).toEqual({
    ...{ seed: 5, messages: 100_000, minutes: 1_440, accounts: 20, browsers: 4, relays: 3 },
    ...{ relayKills: 100, engineKills: 100, cuts: 30, patience: 300 },
  })
})

test('every flag is understood, and nothing else', () => {
  const argv = ['--seed', '7', '--messages', '10', '--relay-kills', '0', '--mutant', 'no-dedup']
  expect(readOptions(argv, 5)).toMatchObject({ seed: 7, messages: 10, relayKills: 0, mutant: 'no-dedup' })
  for (const wrong of [
    ['--sed', '7'],
    ['--seed'],
    ['--seed', 'x'],
    ['--mutant', 'other'],
    ['7'],
    ['--accounts', '101'],
  ]) {
    expect(() => readOptions(wrong, 5), wrong.join(' ')).toThrow()
  }
  expect(() => readOptions(['--accounts', '3', '--browsers', '4'], 5)).toThrow()
})
