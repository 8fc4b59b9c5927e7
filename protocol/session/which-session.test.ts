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

test('one that the remote began in the same moment is none begun since', () => {
  expect(sendable(own, session('theirs', 'responder', false, 2))).toEqual(['own', 'theirs'])
})

test('forty-five days are the longest it is sent on', () => {
  const kept = { ...own, createdAtMs: now - 45 * dayMs }
  expect(sendable(kept)).toEqual(['own'])
  expect(sendable({ ...kept, createdAtMs: kept.createdAtMs - 1 })).toEqual([])
})

test('or until the prekeys it names are gone', () => {
  expect(sendable(session('aged', 'initiator', false, 46))).toEqual([])
  expect(sendable(session('answered', 'initiator', true, 46), session('theirs', 'responder', false, 46))).toEqual([
    'answered',
    'theirs',
  ])
})
