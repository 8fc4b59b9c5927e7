import { expect, test } from 'vitest'
import { dayMs } from '../wire/limits.ts'
import { sendableSessions } from './which-session.ts'

const now = 100 * dayMs
const session = (name: string, role: 'initiator' | 'responder', confirmed: boolean, ageDays: number) => ({
  name,
  role,
  confirmed,
  createdAtMs: now - ageDays * dayMs,
})
const own = session('own', 'initiator', false, 2)
const sendable = (...sessions: (typeof own)[]): string[] => sendableSessions(sessions, now).map(({ name }) => name)

test('an unanswered session of our own making is sent on', () => {
  expect(sendable(own)).toEqual(['own'])
  expect(sendable(own, session('older', 'responder', true, 3))).toEqual(['own', 'older'])
  expect(sendable(own, session('our later one', 'initiator', false, 1))).toEqual(['own', 'our later one'])
})

test('until the remote has begun one since', () => {
  expect(sendable(own, session('theirs', 'responder', false, 1))).toEqual(['theirs'])
  expect(sendable({ ...own, confirmed: true }, session('theirs', 'responder', false, 1))).toEqual(['own', 'theirs'])
})

test('or until the prekeys it names are gone', () => {
  expect(sendable(session('aged', 'initiator', false, 46))).toEqual([])
  expect(sendable(session('answered', 'initiator', true, 46), session('theirs', 'responder', false, 46))).toEqual([
    'answered',
    'theirs',
  ])
})
