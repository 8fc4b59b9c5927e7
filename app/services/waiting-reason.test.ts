import { describe, expect, it } from 'vitest'
import { waitingReason, type WaitingFacts, type WaitingReason } from './waiting-reason.ts'

const usual: WaitingFacts = {
  rows: 'sealed',
  held: false,
  confirmed: true,
  moving: false,
  relays: ['connected'],
  path: 'relay',
  session: undefined,
  sending: undefined,
}

const away = { relays: ['reconnecting'], path: 'none' } as const
const unsealed = { rows: 'unsealed' } as const

const table: readonly [what: string, facts: Partial<WaitingFacts>, reason: WaitingReason | undefined][] = [
  ['nothing waits, whatever else is wrong', { ...away, rows: 'none', held: true, confirmed: false }, undefined],
  ['on its way', {}, undefined],
  [
    'changed keys, before everything else',
    { ...away, held: true, confirmed: false, sending: 'offline' },
    'keys-changed',
  ],
  ['no relay of ours', away, 'own-offline'],
  ['no relay of ours, the contact’s answers no more', { ...away, path: 'relay', sending: 'offline' }, 'own-offline'],
  ['no relay of ours, but the contact’s takes it', { ...away, path: 'relay' }, undefined],
  ['one of our two relays', { relays: ['offline', 'connected'] }, undefined],
  ['our relays want a newer app', { relays: ['outdated', 'outdated'], path: 'none' }, 'outdated'],
  ['only one of them does', { relays: ['outdated', 'offline'], path: 'none' }, 'own-offline'],
  ['not confirmed, and connected', { confirmed: false }, 'not-newest'],
  ['not confirmed, and our relay is away', { ...away, confirmed: false }, 'own-offline'],
  [
    'not confirmed, our relay is away, the contact’s is not',
    { ...away, path: 'relay', confirmed: false },
    'not-newest',
  ],
  ['not confirmed, and too old for our relay', { relays: ['outdated'], confirmed: false }, 'outdated'],
  ['not confirmed comes before a session', { ...unsealed, confirmed: false, session: 'failed' }, 'not-newest'],
  ['keys are being fetched', unsealed, 'fetching-keys'],
  ['keys could not be fetched', { ...unsealed, session: 'failed' }, 'no-keys'],
  ['keys could not be fetched, since we are away', { ...unsealed, ...away, session: 'failed' }, 'own-offline'],
  ['their account is gone, also while we are away', { ...unsealed, ...away, session: 'missing' }, 'account-missing'],
  ['their keys are not accepted', { ...unsealed, session: 'unusable' }, 'keys-unusable'],
  ['this app is too old', { ...unsealed, session: 'update-here' }, 'update-here'],
  ['theirs is too old', { ...unsealed, session: 'update-there' }, 'update-there'],
  ['our own new keys are not published', { ...unsealed, moving: true }, 'own-moving'],
  ['a session by a direct link', { ...unsealed, ...away, path: 'direct' }, 'fetching-keys'],
  ['a direct link brings it, whatever relays say', { path: 'direct', sending: 'slow-down', relays: [] }, undefined],
  ['the invite’s lane is full', { rows: 'beyond' }, 'first-answer'],
  ['a relay asks for patience', { sending: 'slow-down' }, 'slow-down'],
  ['a relay asks for patience, and ours is away', { ...away, sending: 'slow-down' }, 'slow-down'],
  ['a relay refuses', { sending: 'refused' }, 'refused'],
  ['none of the contact’s relays', { sending: 'offline', path: 'none' }, 'contact-unreachable'],
  ['none of them, though the last one seemed there', { sending: 'offline' }, 'contact-unreachable'],
]

describe('what a message waits for', () => {
  it.each(table)('%s', (_what, facts, reason) => {
    expect(waitingReason({ ...usual, ...facts })).toBe(reason)
  })
})
