import { readdirSync, readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { readVectors, type WycheproofFile } from '../crypto/vectors.fixture.ts'

const page = readFileSync(new URL('README.md', import.meta.url), 'utf8')
const files = readdirSync(new URL('.', import.meta.url), { recursive: true, encoding: 'utf8' }).filter((file) =>
  file.endsWith('.json'),
)

/** The cells of a file's row. */
const rowOf = (file: string): string[] => {
  const row = page.split('\n').find((line) => line.startsWith(`| \`${file}\``))
  return (row ?? expect.fail(`${file} is not in the table`)).split('|').map((cell) => cell.trim())
}

const readersOf = (file: string): string[] =>
  [...(rowOf(file)[5] ?? '').matchAll(/`([^`]+\.ts)`/g)].map(([, reader = '']) =>
    readFileSync(new URL(`${reader.startsWith('app/') ? '../..' : '..'}/${reader}`, import.meta.url), 'utf8'),
  )

test.each(files)('%s: the table names tests that are there', (file) => {
  expect(readersOf(file).length).toBeGreaterThan(0)
})

const wycheproofFiles = files.filter((file) => file.startsWith('wycheproof/'))

test.each(wycheproofFiles)('%s: the test that the table names speaks of it', (file) => {
  const name = file.replace('wycheproof/', '').replace('_test.json', '')
  for (const reader of readersOf(file)) expect(reader).toMatch(new RegExp(`['/]${name}(_test\\.json\\?raw)?'`))
})

test.each(wycheproofFiles)('%s: as many cases as the table says', (file) => {
  const { testGroups } = readVectors<WycheproofFile<unknown>>(file)
  expect(testGroups.flatMap(({ tests }) => tests)).toHaveLength(Number(rowOf(file)[2]))
})
