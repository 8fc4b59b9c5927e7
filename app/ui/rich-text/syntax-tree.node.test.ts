import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { foldedText } from './folding.ts'
import { linkAt } from './links.ts'
import { parseText, previewOf, type Block, type Inline } from './syntax-tree.ts'

/** The tree in short: `b(…)`, `i(…)`, `s(…)`, `c(…)`, `a(shown|href)`. */
const short = (nodes: readonly Inline[]): string =>
  nodes
    .map((node) => {
      if (node.kind === 'text') return node.text
      if (node.kind === 'code') return `c(${node.text})`
      if (node.kind === 'link') return `a(${node.text}|${node.href})`
      return `${node.kind.charAt(0)}(${short(node.children)})`
    })
    .join('')

const shortBlock = (block: Block): string => {
  if (block.kind === 'code') return `code[${block.text}]`
  if ('children' in block) return `${block.kind}[${short(block.children)}]`
  const start = block.kind === 'numbers' ? `${block.start}:` : ''
  return `${block.kind}[${start}${block.items.map(short).join('|')}]`
}

const tree = (text: string): string => parseText(text).map(shortBlock).join(' ')
const line = (text: string): string => tree(text).slice('paragraph['.length, -1)

describe('light formatting', () => {
  it.each([
    ['**bold** and *italic* and _italic_ and ~~struck~~', 'b(bold) and i(italic) and i(italic) and s(struck)'],
    ['**bold with *italic* in it**', 'b(bold with i(italic) in it)'],
    ['***both***', 'b(i(both))'],
    ['`code with **stars**`, and more', 'c(code with **stars**), and more'],
    ['(*in brackets*)', '(i(in brackets))'],
    ['*a **b* c**', 'i(a **b) c**'],
  ])('%s', (text, wanted) => expect(line(text)).toBe(wanted))

  it.each([
    '2 * 3 * 4 and 2*3*4',
    'snake_case_name and __init__',
    '*not closed',
    'no opener**',
    '****',
    '``',
    '` only one',
    'a ~ b ~~ c',
  ])('leaves “%s” as it is', (text) => expect(line(text)).toBe(text))

  it('has lists, quotations and code in blocks, and paragraphs with their lines between them', () => {
    expect(tree('first\nsecond\n\n- a\n- *b*\n\n3. c\n4. d\nlast')).toBe(
      'paragraph[first\nsecond] list[a|i(b)] numbers[3:c|d] paragraph[last]',
    )
    expect(tree('> said\n> twice\nanswer')).toBe('quote[said\ntwice] paragraph[answer]')
    expect(tree('```ts\nconst a = *b*\n\n- x\n```\nafter')).toBe('code[const a = *b*\n\n- x] paragraph[after]')
    expect(tree('```\nnot closed')).toBe('paragraph[```\nnot closed]')
    expect(tree('2026. A year is no list')).toBe('paragraph[2026. A year is no list]')
    expect(tree('-no space')).toBe('paragraph[-no space]')
    expect(tree('```\n```')).toBe('paragraph[```\n```]')
  })

  it('shows every character that was written, but for the marks', () => {
    const letters = fc.constantFrom(
      'a',
      'b',
      ' ',
      '*',
      '**',
      '_',
      '~~',
      '`',
      '\n',
      '- ',
      '> ',
      '1. ',
      '```',
      'https://a.b/',
    )
    const textOf = (blocks: readonly Block[]): string =>
      blocks
        .map((block) => {
          if (block.kind === 'code') return block.text
          return 'items' in block ? block.items.map(plain).join('') : plain(block.children)
        })
        .join('')
    const plain = (nodes: readonly Inline[]): string =>
      nodes.map((node) => ('children' in node ? plain(node.children) : node.text)).join('')
    fc.assert(
      fc.property(fc.array(letters, { maxLength: 40 }), (parts) => {
        const kept = (text: string) => text.replaceAll(/[^a-z]/gu, '')
        const written = kept(parts.join(''))
        // A fence may name a language.
        fc.pre(!/```[ab]/u.test(parts.join('')))
        expect(kept(textOf(parseText(parts.join(''))))).toBe(written)
      }),
      { numRuns: 2_000 },
    )
  })

  it.each([
    '*a ',
    '**',
    '`',
    '_a *b **c ~~',
    '> ',
    '- ',
    'https://',
    'https://a.b/(',
    'https://a.b/)',
    '```\n',
    'h',
    '\n',
    '[(',
  ])('takes a text of nothing but “%s” in its stride', (part) => {
    const blocks = parseText(part.repeat(65_536 / part.length))
    expect(blocks.length).toBeGreaterThan(0)
  })
})

const shown = (text: string) => linkAt(text, 0)

describe('links', () => {
  it.each([
    ['https://example.org/a?b=c#d', 'https://example.org/a?b=c#d', 'https://example.org/a?b=c#d'],
    ['www.example.org', 'www.example.org', 'https://www.example.org/'],
    ['http://example.org.', 'http://example.org', 'http://example.org/'],
    ['https://en.example.org/wiki/A_(b)', 'https://en.example.org/wiki/A_(b)', 'https://en.example.org/wiki/A_(b)'],
    ['https://example.org/a), then', 'https://example.org/a', 'https://example.org/a'],
    ['HTTPS://EXAMPLE.ORG', 'HTTPS://EXAMPLE.ORG', 'https://example.org/'],
  ])('%s', (text, wanted, href) => expect(shown(text)).toMatchObject({ text: wanted, href }))

  it.each([
    ['letters of another script', 'https://аpple.com/', 'https://xn--pple-43d.com/'],
    ['a host that is written in code', 'https://xn--pple-43d.com/', 'https://xn--pple-43d.com/'],
    ['a full stop of another script', 'https://evil。example/good.example', 'https://evil.example/good.example'],
    ['a number', 'http://2130706433/', 'http://127.0.0.1/'],
  ])('shows where %s leads', (_, text, wanted) => expect(shown(text)).toMatchObject({ text: wanted, href: wanted }))

  it.each([
    'javascript:alert(1)',
    'data:text/html,x',
    'file:///etc/passwd',
    'https://bank.example@evil.example/',
    'https://',
    'https://nowhere',
    'www.',
  ])('%s is none', (text) => expect(shown(text)).toBeUndefined())

  it('ends before what is invisible or turns text round', () => {
    expect(shown('https://example.org/\u202egnp.exe')?.text).toBe('https://example.org/')
    expect(shown('https://example.org\u200b.evil.example/')?.text).toBe('https://example.org')
  })

  it('stands inside a sentence and inside emphasis', () => {
    expect(line('see **https://a.example/b** (or www.c.example).')).toBe(
      'see b(a(https://a.example/b|https://a.example/b)) (or a(www.c.example|https://www.c.example/)).',
    )
    expect(line('xhttps://a.example')).toBe('xhttps://a.example')
  })
})

describe('folding', () => {
  it('leaves what fits on a screen', () => {
    expect(foldedText('a'.repeat(1_200))).toBeUndefined()
    expect(foldedText('a\n'.repeat(23))).toBeUndefined()
  })

  it('keeps whole words, or whole lines, of what does not', () => {
    const words = foldedText('word '.repeat(400)) ?? ''
    expect(words.endsWith('word…')).toBe(true)
    expect(words.length).toBeLessThanOrEqual(1_001)
    expect(foldedText('line\n'.repeat(100))).toBe(`${'line\n'.repeat(18).trimEnd()}…`)
  })

  it('breaks no pair of surrogates', () => {
    expect(foldedText(`a${'😀'.repeat(1_000)}`)?.isWellFormed()).toBe(true)
  })
})

describe('previews', () => {
  it('are one line without marks', () => {
    expect(previewOf('**Bold**\nand\n- a\n- b')).toBe('Bold and a · b')
    expect(previewOf('x'.repeat(500))).toHaveLength(200)
  })
})
