import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { profile } from './profile.ts'

const labels = Object.values(profile.labels)

test('no label begins with another, so no context makes one of it', () => {
  for (const label of labels) expect(labels.filter((other) => other.startsWith(label))).toEqual([label])
})

test('the specification lists every label and the name', () => {
  const page = readFileSync(new URL('../spec/crypto.md', import.meta.url), 'utf8')
  for (const label of [profile.name, ...labels]) expect(page).toContain(`\`${label}\``)
})
