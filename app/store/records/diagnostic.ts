import { oneOf, struct, text, uint } from '../../../protocol/wire/codec.ts'
import type { Table } from '../client-store.ts'

/** One line of the diagnostics log: no content, no names, no addresses. */
const diagnostic = struct('diagnostic', {
  number: [0, uint()],
  atMs: [1, uint()],
  area: [2, oneOf({ envelope: 0, relay: 1, link: 2, storage: 3, prekeys: 4, invite: 5, engine: 6 })],
  code: [3, text(64)],
  detail: [4, text(256)],
})
export type DiagnosticRow = ReturnType<typeof diagnostic.decode>

export const diagnosticTable: Table<DiagnosticRow> = {
  name: 'diagnostics',
  codec: diagnostic,
  key: (row) => [row.number],
  beforeAccount: true,
}
