import type { WriteTransaction } from '../store/client-store.ts'
import { diagnosticTable } from '../store/records/diagnostic.ts'
import type { Core } from './core.ts'
import type { DiagnosticLine } from './engine-api.ts'

/** 500 lines, about 100 KB: some days of trouble, and nothing to fill a disk with. */
const maxLines = 500

/** Adds a line within a step. Never content, names or addresses: `code` and `detail` are the program's own words. */
export const writeDiagnostic = async (
  tx: WriteTransaction,
  core: Core,
  area: DiagnosticLine['area'],
  code: string,
  detail: string,
): Promise<void> => {
  const [last] = await tx.list(diagnosticTable, { limit: 1, reverse: true })
  const number = (last?.number ?? 0) + 1
  tx.put(diagnosticTable, { number, atMs: core.now(), area, code: code.slice(0, 64), detail: detail.slice(0, 256) })
  if (number > maxLines) tx.delete(diagnosticTable, [number - maxLines])
}

/** Adds a line on its own; what cannot be written is dropped. */
export const note = async (core: Core, area: DiagnosticLine['area'], code: string, detail: string): Promise<void> => {
  try {
    await core.commit((tx) => writeDiagnostic(tx, core, area, code, detail))
  } catch {
    // The log must never be the reason that something else fails.
  }
}

/** Newest last. */
export const readDiagnostics = async (core: Core): Promise<DiagnosticLine[]> => {
  const rows = await core.store.read((tx) => tx.list(diagnosticTable))
  return rows.map(({ atMs, area, code, detail }) => ({ atMs, area, code, detail }))
}
