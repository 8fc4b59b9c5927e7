import type { ContactDiagnosis, Diagnosis, DiagnosticLine, RelayDiagnosis } from '../services/engine-api.ts'
import { dialWords, lackingWords, pathWords, relayWords, waitingWords } from './diagnosis-words.ts'

/** To the minute, in UTC: `2026-11-27 10:08`. Closer would let a relay's operator find the messages. */
const minute = (ms: number): string => new Date(ms).toISOString().slice(0, 16).replace('T', ' ')

/** What a code of the log may look like; anything else is not the program's own word. */
const ownCode = /^[a-z][a-z-]{0,30}$/

const contactLines = (contact: ContactDiagnosis, number: number): string[] => {
  const { dial, heardAtMs, reason, repairAtMs } = contact
  const name = `contact ${number}`
  return [
    `${name}: ${pathWords[contact.path]}`,
    `  last heard of: ${heardAtMs === undefined ? 'never' : minute(heardAtMs)}`,
    `  session: ${contact.hasSession ? 'yes' : 'none'}`,
    `  waiting: ${contact.waiting}; on their way, not receipted: ${contact.unreceipted}`,
    ...(reason === undefined ? [] : [`  why: ${reason}. ${waitingWords(reason, name)}`]),
    `  last direct attempt: ${dial === undefined ? 'none' : `${dialWords[dial.outcome]} (${minute(dial.atMs)})`}`,
    ...(repairAtMs === undefined ? [] : [`  repair wanted, from ${minute(repairAtMs)}`]),
  ]
}

const relayLines = ({ state, sinceMs, lacks }: RelayDiagnosis, number: number): string[] => [
  `relay ${number}: ${relayWords[state]}${sinceMs === undefined ? '' : ` since ${minute(sinceMs)}`}`,
  `  ${lackingWords(lacks)}`,
]

const logLine = ({ atMs, area, code }: DiagnosticLine): string =>
  `${minute(atMs)} ${area} ${ownCode.test(code) ? code : 'other'}`

const megabytes = (bytes: number): string => `${Math.round(bytes / 1e6)} MB`

/**
 * Everything that tells why something does not work, as text for somebody else: without names, ids, addresses or keys, and
 * with no moment closer than a minute. Built from numbers and the program's own words alone.
 */
export const diagnosisReport = (found: Diagnosis, version: string): string =>
  [
    `Sotto ${version}, ${minute(found.atMs)} UTC`,
    `newest copy of the profile: ${found.confirmed ? 'confirmed' : 'not confirmed yet'}`,
    `storage: ${found.persisted ? 'kept' : 'may be cleared'}, ${megabytes(found.usageBytes)} of ${megabytes(found.quotaBytes)}`,
    '',
    ...found.relays.flatMap((relay, index) => relayLines(relay, index + 1)),
    '',
    ...found.contacts.flatMap((contact, index) => contactLines(contact, index + 1)),
    '',
    ...found.lines.map(logLine),
    '',
  ].join('\n')
