import { spawnSync } from 'node:child_process'
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
  appendFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { root } from './step.ts'

/**
 * Gates that never fail guard nothing. Violations are planted in a copy of the project, and each gate must name them.
 */

const copied = [
  'app',
  'node',
  'protocol',
  'signaling',
  '.ci',
  '.oxlintrc.json',
  'knip.json',
  'package.json',
  'tsconfig.json',
  'vite.config.ts',
]

const longFunction = (lines: number): string =>
  [
    'export const long = (n: number): number => {',
    '  let sum = 0',
    ...Array.from({ length: lines - 4 }, (_, i) => `  sum += n * ${i + 2}`),
    '  return sum',
    '}',
  ].join('\n')

/** File, its planted text, and the rule that must name it. */
const planted: readonly [file: string, source: string, rule: string][] = [
  [
    'protocol/planted-node.ts',
    "import { readFileSync } from 'node:fs'\nexport const read = readFileSync\n",
    'no-restricted-imports',
  ],
  ['protocol/planted-upward.ts', "export type { Network } from '../signaling/network.ts'\n", 'no-restricted-imports'],
  ['protocol/planted-clock.ts', 'export const now = (): number => Date.now()\n', 'no-restricted-globals'],
  [
    'signaling/planted-upward.ts',
    "export type { EngineApi } from '../app/services/engine-api.ts'\n",
    'no-restricted-imports',
  ],
  ['node/planted-app.ts', "export type { EngineApi } from '../app/services/engine-api.ts'\n", 'no-restricted-imports'],
  ['app/services/planted-relay.ts', "export { x } from '../../node/planted-app.ts'\n", 'no-restricted-imports'],
  ['app/services/planted-view.ts', "export { x } from '../ui/planted-services.tsx'\n", 'no-restricted-imports'],
  [
    'app/store/planted-service.ts',
    "export type { EngineApi } from '../services/engine-api.ts'\n",
    'no-restricted-imports',
  ],
  [
    'app/crypto/planted-store.ts',
    "export type { ClientStore } from '../store/client-store.ts'\n",
    'no-restricted-imports',
  ],
  ['app/crypto/planted-package.ts', "export { wrap } from 'comlink'\n", 'no-restricted-imports'],
  [
    'app/ui/planted-services.tsx',
    "import type { EngineApi } from '../services/engine-api.ts'\nexport type E = EngineApi\n",
    'no-restricted-imports',
  ],
  [
    'signaling/planted-cycle-a.ts',
    "import { b } from './planted-cycle-b.ts'\nexport const a = (): unknown => b\n",
    'no-cycle',
  ],
  [
    'signaling/planted-cycle-b.ts',
    "import { a } from './planted-cycle-a.ts'\nexport const b = (): unknown => a\n",
    'no-cycle',
  ],
  ['protocol/planted-long.ts', `${longFunction(61)}\n`, 'max-lines-per-function'],
  [
    'app/services/planted-promise.ts',
    'const later = async (): Promise<void> => {}\nexport const go = (): void => {\n  later()\n}\n',
    'no-floating-promises',
  ],
  [
    'app/services/planted-switch.ts',
    "export const f = (x: 'a' | 'b'): number => {\n  switch (x) {\n    case 'a':\n      return 1\n  }\n  return 0\n}\n",
    'switch-exhaustiveness-check',
  ],
  [
    'app/ui/planted-markup.tsx',
    "export const show = (element: HTMLElement): void => {\n  element.innerHTML = 'x'\n}\n",
    'no-restricted-properties',
  ],
]

let copy = ''

const run = (command: string, ...args: string[]): { status: number | null; output: string } => {
  const { status, stdout, stderr } = spawnSync(join(copy, 'node_modules/.bin', command), args, {
    cwd: copy,
    encoding: 'utf8',
    maxBuffer: 2 ** 26,
  })
  return { status, output: `${stdout}${stderr}` }
}

beforeAll(() => {
  copy = mkdtempSync(join(tmpdir(), 'sotto-gates-'))
  for (const name of copied) cpSync(join(root, name), join(copy, name), { recursive: true })
  // The real folder would share its caches with the copy; links to its packages do not.
  mkdirSync(join(copy, 'node_modules'))
  for (const name of readdirSync(join(root, 'node_modules'))) {
    if (name !== '.cache') symlinkSync(join(root, 'node_modules', name), join(copy, 'node_modules', name))
  }
  for (const [file, source] of planted) writeFileSync(join(copy, file), source)
})

afterAll(() => rmSync(copy, { recursive: true, force: true }))

describe('lint', () => {
  const found = new Map<string, string>()
  beforeAll(() => {
    const { status, output } = run('oxlint', '--format=json')
    expect(status).toBe(1)
    const { diagnostics } = JSON.parse(output.slice(output.indexOf('{'))) as {
      diagnostics: { filename: string; code: string }[]
    }
    for (const { filename, code } of diagnostics) found.set(filename, `${found.get(filename) ?? ''} ${code}`)
  })

  test.for(planted)('names %s', ([file, , rule]) => {
    expect(found.get(file)).toContain(`(${rule})`)
  })

  test('accepts a function of 60 lines', () => {
    writeFileSync(join(copy, 'protocol/planted-long.ts'), `${longFunction(60)}\n`)
    expect(run('oxlint', 'protocol/planted-long.ts')).toMatchObject({ status: 0 })
  })
})

test('the compiler keeps the platform out of protocol/', () => {
  const { status, output } = run('tsc', '-b', 'protocol')
  expect(status).not.toBe(0)
  expect(output).toContain('planted-node.ts')
})

test('dead code is named', () => {
  appendFileSync(join(copy, 'protocol/wire/codec.ts'), '\nexport const plantedExport = 1\n')
  const { status, output } = run('knip', '--reporter=compact')
  expect(status).not.toBe(0)
  expect(output).toContain('plantedExport')
  expect(output).toContain('planted-long.ts')
})
