/** Bundled rather than read from the disk, so that a provider can be held to them in browsers too. */
const files = import.meta.glob<string>('../vectors/**/*.json', { eager: true, query: '?raw', import: 'default' })

/** A file of `protocol/vectors`, parsed. */
export const readVectors = <T>(file: string): T => {
  const text = files[`../vectors/${file}`]
  if (text === undefined) throw new Error(`there is no protocol/vectors/${file}`)
  return JSON.parse(text) as T
}

/** What all Wycheproof files have in common; the fields beside it are hexadecimal strings. */
export interface WycheproofFile<Test, Group = unknown> {
  readonly testGroups: readonly (Group & { readonly tests: readonly (WycheproofTest & Test)[] })[]
}

export interface WycheproofTest {
  readonly tcId: number
  readonly comment?: string
  readonly result: 'valid' | 'invalid' | 'acceptable'
  readonly flags?: readonly string[]
}

/** Every test of a Wycheproof file with the fields of its group. */
export const wycheproof = <Test, Group = unknown>(file: string): (Group & WycheproofTest & Test)[] =>
  readVectors<WycheproofFile<Test, Group>>(`wycheproof/${file}_test.json`).testGroups.flatMap((group) =>
    group.tests.map((test) => ({ ...group, ...test })),
  )
