import { readFile, readdir } from 'node:fs/promises'
import { join, relative } from 'node:path'

/** Something that must stand nowhere in the clear, as the bytes it would be written in. */
export interface Canary {
  readonly name: string
  readonly encodings: readonly Buffer[]
}

/** Text as browsers and databases write it. */
export const textCanary = (name: string, text: string): Canary => ({
  name,
  encodings: [Buffer.from(text, 'utf8'), Buffer.from(text, 'utf16le'), Buffer.from(text, 'utf16le').swap16()],
})

/** A secret as raw bytes, and as the texts bytes are usually written in. */
export const bytesCanary = (name: string, bytes: Uint8Array): Canary => {
  const raw = Buffer.from(bytes)
  const texts = [raw.toString('hex'), raw.toString('base64').replaceAll('=', ''), raw.toString('base64url')]
  return { name, encodings: [raw, ...texts.flatMap((text) => textCanary(name, text).encodings)] }
}

export interface Hit {
  readonly canary: string
  /** Relative to the folder searched. */
  readonly file: string
}

/** Reads every file below the folder whole and looks for every canary. */
export const search = async (folder: string, canaries: readonly Canary[]): Promise<Hit[]> => {
  const hits: Hit[] = []
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue
    const path = join(entry.parentPath, entry.name)
    const content = await readFile(path)
    for (const { name, encodings } of canaries) {
      if (encodings.some((bytes) => content.includes(bytes))) hits.push({ canary: name, file: relative(folder, path) })
    }
  }
  return hits
}

/** The same search in a text, e.g. a log. */
export const searchText = (text: string, canaries: readonly Canary[]): string[] => {
  const content = Buffer.from(text, 'utf8')
  return canaries.filter(({ encodings }) => encodings.some((bytes) => content.includes(bytes))).map(({ name }) => name)
}
