import { computed, createModel, signal, type ReadonlySignal } from '@preact/signals'
import type { ContactDiagnosis, Diagnosis, DiagnosticLine, EngineApi, RepairAnswer } from '../services/engine-api.ts'
import { dialWords, lackingWords, nobodyYet, pathWords, relayWords, waitingWords } from './diagnosis-words.ts'
import type { World } from './world.ts'

export type { DiagnosticLine, RepairAnswer }

/** A contact as the diagnostics show it: findings in words, moments in Unix milliseconds. */
export interface ContactFindings {
  readonly conversationId: string
  readonly name: string
  readonly path: ContactDiagnosis['path']
  readonly pathWords: string
  readonly heardAtMs: number | undefined
  readonly waiting: number
  readonly unreceipted: number
  readonly reason: string | undefined
  readonly dial: { readonly words: string; readonly atMs: number } | undefined
}

export interface RelayFindings {
  readonly relayId: string
  readonly name: string
  readonly state: Diagnosis['relays'][number]['state']
  readonly stateWords: string
  readonly sinceMs: number | undefined
  readonly lacking: string
}

type DiagnosticsWorld = Pick<World, 'copy' | 'keepStorage' | 'saveText' | 'version'>

const findingsOf = (contact: ContactDiagnosis): ContactFindings => {
  const { conversationId, name, path, heardAtMs, waiting, unreceipted, reason, dial } = contact
  return {
    conversationId,
    name: name ?? 'New contact',
    path,
    pathWords: pathWords[path],
    heardAtMs,
    waiting,
    unreceipted,
    reason: reason && waitingWords(reason, name ?? nobodyYet),
    dial: dial && { words: dialWords[dial.outcome], atMs: dial.atMs },
  }
}

/** Why something does not work, and what the person can do about it. */
export const DiagnosticsModel = createModel((engine: EngineApi, world: DiagnosticsWorld) => {
  const found = signal<Diagnosis | null>(null)
  const problem = signal<string | null>(null)
  const handedOut = signal<'no' | 'copied' | 'saved'>('no')
  const repairs = signal<ReadonlyMap<string, RepairAnswer | 'running' | 'failed'>>(new Map())

  const look = async () => {
    try {
      found.value = await engine.diagnostics()
      problem.value = null
    } catch {
      problem.value = 'The diagnostics could not be read. Reload the page.'
    }
  }

  const note = (conversationId: string, answer: RepairAnswer | 'running' | 'failed') =>
    (repairs.value = new Map(repairs.value).set(conversationId, answer))

  const report = async () => {
    const { diagnosisReport } = await import('./diagnosis-report.ts')
    return found.value === null ? '' : diagnosisReport(found.value, world.version)
  }

  return {
    /** Null until it has been read. */
    found: found as ReadonlySignal<Diagnosis | null>,
    contacts: computed(() => found.value?.contacts.map(findingsOf) ?? []),
    relays: computed(
      (): RelayFindings[] =>
        found.value?.relays.map(({ relayId, name, state, sinceMs, lacks }) => ({
          relayId,
          name: name || 'Relay',
          state,
          stateWords: relayWords[state],
          sinceMs,
          lacking: lackingWords(lacks),
        })) ?? [],
    ),
    problem: problem as ReadonlySignal<string | null>,
    /** What came of each repair that was asked for, by conversation. */
    repairs: repairs as ReadonlySignal<ReadonlyMap<string, RepairAnswer | 'running' | 'failed'>>,
    /** What has become of the report. */
    handedOut: handedOut as ReadonlySignal<'no' | 'copied' | 'saved'>,
    look,

    async repair(conversationId: string) {
      if (repairs.value.get(conversationId) === 'running') return
      note(conversationId, 'running')
      note(conversationId, await engine.repair(conversationId).catch(() => 'failed' as const))
      await look()
    },

    async copyReport() {
      await look()
      try {
        await world.copy(await report())
        handedOut.value = 'copied'
      } catch {
        problem.value = 'The browser did not let the report onto the clipboard. Save it as a file instead.'
      }
    },

    async saveReport() {
      await look()
      try {
        world.saveText('sotto-diagnostics.txt', await report())
        handedOut.value = 'saved'
      } catch {
        problem.value = 'The report could not be written. Reload the page.'
      }
    },

    async keepStorage() {
      await world.keepStorage()
      await look()
    },
  }
})
export interface DiagnosticsModel extends InstanceType<typeof DiagnosticsModel> {}
