import { linkAt } from './links.ts'

/**
 * Light formatting, as people type it elsewhere: `code`, **bold**, *italic*, _italic_, ~~struck~~, lines that begin with `> `, `- `
 * or `1. `, and blocks between lines of ```. What does not fit the rules stays the text it is. Parsing takes time in
 * proportion to the text's length, whatever somebody sends.
 */

export type Inline =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'code'; readonly text: string }
  | { readonly kind: 'bold' | 'italic' | 'struck'; readonly children: readonly Inline[] }
  /** `text` is what is shown: never an address that hides where `href` leads. */
  | { readonly kind: 'link'; readonly href: string; readonly text: string }

export type Block =
  | { readonly kind: 'paragraph' | 'quote'; readonly children: readonly Inline[] }
  | { readonly kind: 'list'; readonly items: readonly (readonly Inline[])[] }
  | { readonly kind: 'numbers'; readonly start: number; readonly items: readonly (readonly Inline[])[] }
  | { readonly kind: 'code'; readonly text: string }

type Emphasis = 'bold' | 'italic' | 'struck'
type Delimiter = '**' | '~~' | '*' | '_'

const emphasisOf: Readonly<Record<Delimiter, Emphasis>> = { '**': 'bold', '~~': 'struck', '*': 'italic', _: 'italic' }

/** `innermost`: of three stars the first closes what a single one opened. `__name__` is a name. */
const delimiterAt = (line: string, at: number, innermost: Delimiter | undefined): Delimiter | undefined => {
  const two = line.slice(at, at + 2)
  if (two === '~~' || (two === '**' && !(innermost === '*' && line[at + 2] === '*'))) return two
  const one = line[at]
  if (one === '*') return one
  return one === '_' && line[at - 1] !== '_' && line[at + 1] !== '_' ? one : undefined
}

/** The beginning and the end of a line count as space. */
const isSpace = (character: string | undefined): boolean => character === undefined || /\s/u.test(character)

const isWordCharacter = (character: string | undefined): boolean =>
  character !== undefined && /[\p{L}\p{N}]/u.test(character)

/** What stands around a delimiter: `a*b` and `snake_case` emphasise nothing. */
const mayOpen = (line: string, at: number, length: number): boolean =>
  !isSpace(line[at + length]) && !isWordCharacter(line[at - 1])
const mayClose = (line: string, at: number, length: number): boolean =>
  !isSpace(line[at - 1]) && !isWordCharacter(line[at + length])

interface Open {
  readonly delimiter: Delimiter | undefined
  readonly children: Inline[]
}

const addText = (to: Inline[], text: string): void => {
  const last = to.at(-1)
  if (last?.kind === 'text') to[to.length - 1] = { kind: 'text', text: last.text + text }
  else if (text !== '') to.push({ kind: 'text', text })
}

/** Gives up on the innermost open emphasis: its delimiter was text. */
const dissolve = (open: Open[]): void => {
  const [innermost, outer] = [open.pop(), open.at(-1)]
  if (!innermost || !outer) return
  addText(outer.children, innermost.delimiter ?? '')
  for (const child of innermost.children) {
    if (child.kind === 'text') addText(outer.children, child.text)
    else outer.children.push(child)
  }
}

/** Takes the delimiter at this place, if it is one. At most one of each kind is open, so nothing nests deeper than four. */
const takeDelimiter = (line: string, at: number, open: Open[]): number => {
  const delimiter = delimiterAt(line, at, open.at(-1)?.delimiter)
  if (delimiter === undefined) return 0
  const { length } = delimiter
  const opener = open.findIndex((one) => one.delimiter === delimiter)
  const isEmpty = opener >= 0 && opener === open.length - 1 && open[opener]?.children.length === 0
  if (opener >= 0 && !isEmpty && mayClose(line, at, length)) {
    while (open.length - 1 > opener) dissolve(open)
    const closed = open.pop()
    open.at(-1)?.children.push({ kind: emphasisOf[delimiter], children: closed?.children ?? [] })
    return length
  }
  if (opener >= 0 || !mayOpen(line, at, length)) return 0
  open.push({ delimiter, children: [] })
  return length
}

/** Takes code between two backticks of the same line, which holds no other formatting. */
const takeCode = (line: string, at: number, to: Inline[]): number => {
  if (line[at] !== '`') return 0
  const end = line.indexOf('`', at + 1)
  if (end <= at + 1) return 0
  to.push({ kind: 'code', text: line.slice(at + 1, end) })
  return end + 1 - at
}

const takeLink = (line: string, at: number, to: Inline[]): number => {
  const found = isWordCharacter(line[at - 1]) ? undefined : linkAt(line, at)
  if (!found) return 0
  to.push({ kind: 'link', href: found.href, text: found.text })
  return found.length
}

/** Where something other than text may begin. */
const special = /[`*_~hHwW]/gu

const parseLine = (line: string): readonly Inline[] => {
  const open: Open[] = [{ delimiter: undefined, children: [] }]
  const innermost = (): Inline[] => open.at(-1)?.children ?? []
  // No second backtick: none of them is code, and nobody looks for it again.
  const lastBacktick = line.lastIndexOf('`')
  let at = 0
  while (at < line.length) {
    special.lastIndex = at
    const next = special.exec(line)?.index ?? line.length
    addText(innermost(), line.slice(at, next))
    at = next
    if (at >= line.length) break
    const taken =
      (at < lastBacktick ? takeCode(line, at, innermost()) : 0) ||
      takeLink(line, at, innermost()) ||
      takeDelimiter(line, at, open)
    if (taken === 0) addText(innermost(), line.charAt(at))
    at += taken || 1
  }
  while (open.length > 1) dissolve(open)
  return innermost()
}

const parseLines = (lines: readonly string[]): readonly Inline[] => {
  const out: Inline[] = []
  lines.forEach((line, index) => {
    if (index > 0) addText(out, '\n')
    for (const node of parseLine(line)) {
      if (node.kind === 'text') addText(out, node.text)
      else out.push(node)
    }
  })
  return out
}

type LineKind = 'paragraph' | 'quote' | 'list' | 'numbers'

/** A number of three digits at most: `2026. ` begins a sentence. */
const marks: readonly (readonly [LineKind, RegExp])[] = [
  ['quote', /^> ?/u],
  ['list', /^[-*•] (?=\S)/u],
  ['numbers', /^\d{1,3}\. (?=\S)/u],
]

const kindOf = (line: string): { kind: LineKind; mark: string } => {
  for (const [kind, pattern] of marks) {
    const mark = pattern.exec(line)?.[0]
    if (mark !== undefined) return { kind, mark }
  }
  return { kind: 'paragraph', mark: '' }
}

const fence = /^```\w*\s*$/u

interface Run {
  readonly kind: LineKind | 'code'
  readonly marks: string[]
  readonly lines: string[]
}

/** Neighbouring lines of one kind. */
const runsOf = (text: string): Run[] => {
  const lines = text.split('\n')
  const lastFence = lines.findLastIndex((line) => fence.test(line))
  const runs: Run[] = []
  let inCode = false
  lines.forEach((line, index) => {
    if (fence.test(line) && (inCode || index < lastFence)) {
      if (!inCode) runs.push({ kind: 'code', marks: [], lines: [] })
      inCode = !inCode
      return
    }
    const { kind, mark } = inCode ? { kind: 'code' as const, mark: '' } : kindOf(line)
    let run = runs.at(-1)
    if (run?.kind !== kind) runs.push((run = { kind, marks: [], lines: [] }))
    run.marks.push(mark)
    run.lines.push(line.slice(mark.length))
  })
  return runs
}

const isBlank = (line: string | undefined): boolean => line?.trim() === ''

/** Between blocks there is space already. */
const withoutBlankEdges = (lines: readonly string[]): readonly string[] => {
  let [first, end] = [0, lines.length]
  while (first < end && isBlank(lines[first])) first++
  while (end > first && isBlank(lines[end - 1])) end--
  return lines.slice(first, end)
}

const blockOf = ({ kind, marks: own, lines }: Run): Block | undefined => {
  switch (kind) {
    case 'code':
      return lines.length === 0 ? undefined : { kind, text: lines.join('\n') }
    case 'list':
      return { kind, items: lines.map(parseLine) }
    case 'numbers':
      return { kind, start: Number.parseInt(own[0] ?? '1', 10), items: lines.map(parseLine) }
    case 'quote':
      return { kind, children: parseLines(lines) }
    case 'paragraph': {
      const kept = withoutBlankEdges(lines)
      return kept.length === 0 ? undefined : { kind, children: parseLines(kept) }
    }
  }
}

/** The syntax tree of a message; never empty. */
export const parseText = (text: string): readonly Block[] => {
  const blocks = runsOf(text)
    .map(blockOf)
    .filter((block) => block !== undefined)
  return blocks.length > 0 ? blocks : [{ kind: 'paragraph', children: [{ kind: 'text', text }] }]
}

const wordsOf = (inlines: readonly Inline[]): string =>
  inlines.map((node) => ('children' in node ? wordsOf(node.children) : node.text)).join('')

/** 200 characters: more than any line of preview holds. */
const previewLength = 200

/** The beginning of a message in one line and without its marks: for a list, a quotation, or to be read out. */
export const previewOf = (text: string): string =>
  parseText(text.slice(0, previewLength))
    .map((block) => {
      if (block.kind === 'code') return block.text
      return 'items' in block ? block.items.map(wordsOf).join(' · ') : wordsOf(block.children)
    })
    .join(' ')
    .replaceAll(/\s+/gu, ' ')
    .trim()
