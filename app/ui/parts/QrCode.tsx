import { useEffect, useState } from 'preact/hooks'

/** Text, or raw bytes. */
export type QrContent = string | Uint8Array

/** One path of unit squares, rows joined into runs. */
const pathOf = (modules: readonly (readonly boolean[])[]): string =>
  modules
    .flatMap((row, y) =>
      row.map((dark, x) => {
        if (!dark || row[x - 1]) return ''
        const end = row.indexOf(false, x)
        return `M${x} ${y}h${(end < 0 ? row.length : end) - x}v1H${x}z`
      }),
    )
    .join('')

const draw = async (content: QrContent): Promise<{ size: number; path: string }> => {
  const { encodeQR } = await import('qr')
  // 4 modules of quiet zone (ISO/IEC 18004): scanners need it to find the code.
  // Low error correction: nothing hides a part of a screen, and fewer modules are larger ones.
  const options = { border: 4, ecc: 'low' } as const
  const modules =
    typeof content === 'string'
      ? encodeQR(content, 'raw', options)
      : encodeQR(' ', 'raw', { ...options, encoding: 'byte', textEncoder: () => content })
  return { size: modules.length, path: pathOf(modules) }
}

/** A QR code, always dark on white: many scanners refuse the inverse. The encoder is loaded on first use. */
export const QrCode = ({ content, label }: { content: QrContent; label: string }) => {
  const [code, setCode] = useState<{ size: number; path: string } | 'failed' | null>(null)
  useEffect(() => {
    let current = true
    draw(content).then(
      (drawn) => current && setCode(drawn),
      () => current && setCode('failed'),
    )
    return () => {
      current = false
    }
  }, [content])
  if (code === 'failed') return <p class="hint">The code could not be drawn. Use the text instead.</p>
  return (
    <div class="qr">
      {code !== null && (
        <svg role="img" aria-label={label} viewBox={`0 0 ${code.size} ${code.size}`} shape-rendering="crispEdges">
          <path d={code.path} />
        </svg>
      )}
    </div>
  )
}
