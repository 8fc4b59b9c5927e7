import { concatBytes } from '../wire/bytes.ts'
import { mutateBytes, randomBytes, type Pick } from '../wire/fuzz.fixture.ts'
import { readTree, writeTree, type Item } from './cbor-tree.ts'

/** Numbers at which lengths, counts and versions change their ways; each also one less and one more. */
const edges = [0, 1, 2, 16, 24, 32, 64, 0x80, 0x100, 500, 1_000, 1_184, 0x1_0000, 2 ** 31, 2 ** 32, 2 ** 53, 2 ** 63]

const edge = (pick: Pick): number => Math.max(0, (edges[pick(edges.length)] ?? 0) + pick(3) - 1)

/** One byte changed, to anything or by one; or a big-endian number of two or four bytes set to an edge. */
const tweak = (bytes: Uint8Array, pick: Pick): Uint8Array => {
  if (bytes.length === 0) return randomBytes(1 + pick(8), pick)
  const out = bytes.slice()
  const at = pick(out.length)
  const byte = out[at] ?? 0
  switch (pick(6)) {
    case 0:
      out[at] = byte + 1
      break
    case 1:
      out[at] = byte - 1
      break
    case 2: {
      const width = pick(2) === 0 ? 2 : 4
      let rest = edge(pick)
      for (let i = at + width - 1; i >= at; i--) {
        if (i < out.length) out[i] = rest % 256
        rest = Math.floor(rest / 256)
      }
      break
    }
    default:
      out[at] = pick(256)
  }
  return out
}

/** Every item with the way to put another in its place. */
const places = (item: Item, put: (replacement: Item) => Item): { item: Item; put: (replacement: Item) => Item }[] => [
  { item, put },
  ...(item.children ?? []).flatMap((child, i) =>
    places(child, (replacement) => put({ ...item, children: (item.children ?? []).with(i, replacement) })),
  ),
]

const changeString = (item: Item, content: Uint8Array, others: readonly Uint8Array[], pick: Pick): Item => {
  const choices = [
    () => tweak(content, pick),
    () => mutateBytes(content, others, pick),
    () => content.subarray(0, pick(content.length + 1)),
    () => concatBytes(content, randomBytes(1 + pick(3), pick)),
    () => randomBytes(Math.min(edge(pick), 2_000), pick),
  ]
  return { ...item, content: choices[pick(choices.length)]?.() ?? content }
}

const changeChildren = (item: Item, children: readonly Item[], pick: Pick): Item => {
  // Keys and values of a map move in pairs.
  const size = item.major === 5 ? 2 : 1
  const at = size * pick(Math.max(1, Math.floor(children.length / size)))
  const taken = children.slice(at, at + size)
  const rest = children.toSpliced(at, size)
  const to = size * pick(Math.floor(rest.length / size) + 1)
  const choices = [
    () => rest,
    () => children.toSpliced(to, 0, ...taken),
    () => rest.toSpliced(to, 0, ...taken),
    () => children.slice(0, at),
  ]
  return { ...item, children: choices[pick(choices.length)]?.() ?? children }
}

const changeItem = (item: Item, donor: Item, others: readonly Uint8Array[], pick: Pick): Item => {
  const { content, children } = item
  const widths = [0, 1, 2, 4, 8]
  switch (pick(8)) {
    case 0:
      return donor
    case 1:
      return { ...item, lies: true, argument: edge(pick) }
    case 2:
      return { ...item, width: widths[pick(widths.length)] ?? 8 }
    case 3:
      return { major: 4, argument: 1, children: [item] }
    case 4:
      // false, true, null, undefined and the rest of the simple values; a break; a float.
      return { major: 7, argument: 20 + pick(4), width: 0 }
    case 5:
      return { major: 0, argument: edge(pick) }
    default:
      if (content !== undefined) return changeString(item, content, others, pick)
      if (children !== undefined && children.length > 0) return changeChildren(item, children, pick)
      return { ...item, argument: edge(pick) }
  }
}

/** One change that keeps the rest well formed, in a place chosen among all items; undefined where the bytes are no CBOR. */
const mutateTree = (bytes: Uint8Array, others: readonly Uint8Array[], pick: Pick): Uint8Array | undefined => {
  const tree = readTree(bytes)
  if (tree === undefined) return undefined
  const all = places(tree, (replacement) => replacement)
  const place = all[pick(all.length)]
  const other = pick(2) === 0 ? readTree(others[pick(others.length)] ?? bytes) : undefined
  const donors = other === undefined ? all : places(other, (replacement) => replacement)
  const donor = donors[pick(donors.length)]?.item
  return place === undefined || donor === undefined
    ? undefined
    : writeTree(place.put(changeItem(place.item, donor, others, pick)))
}

/** One to four mutations of an input; splices and replacements take from `others`. At most `maxLength` bytes come out. */
export const mutate = (input: Uint8Array, others: readonly Uint8Array[], maxLength: number, pick: Pick): Uint8Array => {
  let bytes = input
  // Mostly one: what has to stay as it is stays.
  for (let rounds = 1 + Math.floor(pick(8) / 5) * (1 + pick(3)); rounds > 0; rounds--) {
    const how = pick(3)
    if (how === 0) bytes = mutateBytes(bytes, others, pick)
    else if (how === 1) bytes = tweak(bytes, pick)
    else bytes = mutateTree(bytes, others, pick) ?? tweak(bytes, pick)
  }
  return bytes.length > maxLength ? bytes.slice(0, maxLength) : bytes
}
